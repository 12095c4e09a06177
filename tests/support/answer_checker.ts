import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import type { OpenApiDocument } from "../../lib/admin/openapi/openapi_document.ts";

/** A described operation of a method and path. */
interface Operation {
  readonly responses: Readonly<Record<string, DescribedAnswer>>;
}

interface DescribedAnswer {
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
}

/**
 * Compares answers with what an OpenAPI document says of them, by a validator
 * of JSON schemas that knows nothing of kingbus's own.
 */
export class AnswerChecker {
  readonly #document: OpenApiDocument;
  readonly #ajv: Ajv2020;
  /** `GET /status 200` of each answer that was checked. */
  readonly seen = new Set<string>();

  constructor(document: OpenApiDocument) {
    this.#document = document;
    this.#ajv = new Ajv2020({ strict: false, allErrors: true });
    // deno-lint-ignore no-explicit-any -- the package's types name no call
    (formats as any)(this.#ajv);
    this.#ajv.addSchema(document, "document");
  }

  /**
   * Faults of an answer; none when it is as described.
   *
   * @param path as the document has it: `/page/{file}`
   */
  async faultsOf(
    method: string,
    path: string,
    response: Response,
  ): Promise<string[]> {
    const name = `${method} ${path} ${response.status}`;
    this.seen.add(name);
    const operation = this.#document.paths[path]?.[method.toLowerCase()] as
      | Operation
      | undefined;
    const described = operation?.responses[response.status];
    const text = await response.text();
    if (described === undefined) return [`${name} is not described: ${text}`];
    const type = response.headers.get("content-type")?.split(";")[0] ?? "";
    const { content = {} } = described;
    if (Object.keys(content).length === 0) {
      return text === "" ? [] : [`${name} has a body: ${text}`];
    }
    const media = [type, "*/*"].find((one) => one in content);
    if (media === undefined) return [`${name} is ${type}`];
    if (media !== "application/json" || path === "/openapi.json") return [];
    const escaped = path.replaceAll("/", "~1").replaceAll("{", "%7B")
      .replaceAll("}", "%7D");
    const place = `document#/paths/${escaped}/${method.toLowerCase()}` +
      `/responses/${response.status}/content/application~1json/schema`;
    const validate = this.#ajv.getSchema(place);
    if (validate === undefined) return [`${name} has no schema`];
    if (validate(JSON.parse(text))) return [];
    return (validate.errors ?? []).map((fault) =>
      `${name}: ${fault.instancePath} ${fault.message} ${
        JSON.stringify(fault.params)
      }`
    );
  }
}
