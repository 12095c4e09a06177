import { STATUS_CODES } from "node:http";
import * as z from "zod";
import type { AdminRoute, MediaAnswer, RouteError } from "../admin_route.ts";
import { ROUTE_SUBJECTS, type RouteSubject } from "../admin_route.ts";
import { errorsOf } from "./route_errors.ts";

/** A part of the document: JSON, as OpenAPI 3.1 has it. */
export type OpenApiPart = Readonly<Record<string, unknown>>;

/** An OpenAPI 3.1 document. */
export interface OpenApiDocument extends OpenApiPart {
  readonly openapi: "3.1.0";
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, OpenApiPart>>;
    readonly securitySchemes: OpenApiPart;
  };
}

const ABOUT: Readonly<Record<RouteSubject, string>> = {
  node: "How the node does.",
  source: "The source that is followed.",
  replicas: "The binlog server and its replicas.",
  files: "The log's files.",
  page: "The status page.",
  description: "This description of the API.",
  cluster: "What the original kingbus's clusters had.",
};

const INTRODUCTION =
  "Steers and shows one kingbus. Every JSON answer is an envelope: `message` is `success`, or says what is wrong where the status is not 200. A `GET` answers `HEAD` too. Which token a request needs depends on `admin` in the configuration; docs/admin-api.md has the rules.";

const SECURITY_SCHEMES = {
  readToken: {
    type: "http",
    scheme: "bearer",
    description: "The read token: everything may be seen.",
  },
  adminToken: {
    type: "http",
    scheme: "bearer",
    description: "The admin token: everything may be seen and changed.",
  },
};

const SECURITY = {
  open: [],
  read: [{}, { readToken: [] }, { adminToken: [] }],
  admin: [{}, { adminToken: [] }],
};

const ERROR: OpenApiPart = {
  type: "object",
  description: "What went wrong.",
  properties: {
    message: { type: "string", description: "What, and what to do." },
    data: { description: "Of answers that explain themselves." },
  },
  required: ["message"],
  additionalProperties: false,
};

const HEADERS_OF: Readonly<Record<number, OpenApiPart>> = {
  401: headerOf("WWW-Authenticate", "How to show a token (RFC 6750)."),
  429: headerOf("Retry-After", "Seconds to wait."),
};

/**
 * The OpenAPI 3.1 document of a table of routes, made from their validators.
 *
 * @param version of kingbus
 */
export function openApiDocument(
  routes: readonly AdminRoute[],
  version: string,
): OpenApiDocument {
  const schemas = new Schemas();
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const methods = paths[route.path] ??= {};
    methods[route.method.toLowerCase()] = operationOf(route, schemas);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "kingbus admin API",
      version,
      description: INTRODUCTION,
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    tags: ROUTE_SUBJECTS.map((name) => ({ name, description: ABOUT[name] })),
    paths,
    components: {
      schemas: { ErrorAnswer: ERROR, ...schemas.named },
      securitySchemes: SECURITY_SCHEMES,
    },
  };
}

function operationOf(route: AdminRoute, schemas: Schemas): OpenApiPart {
  const { method, path, subject, summary, access, body } = route;
  const words = path.split(/\W+/).filter((word) => word !== "");
  const name = words.flatMap((word) => word.split("_")).map((word) =>
    `${word[0]!.toUpperCase()}${word.slice(1)}`
  ).join("");
  const parameters = [
    ...parametersOf(route.params, "path", schemas),
    ...parametersOf(route.query, "query", schemas),
  ];
  return {
    operationId: `${method.toLowerCase()}${name}`,
    tags: [subject],
    summary,
    security: SECURITY[access],
    ...parameters.length === 0 ? {} : { parameters },
    ...body === undefined ? {} : { requestBody: requestBodyOf(body, schemas) },
    responses: responsesOf(route, schemas),
  };
}

function parametersOf(
  input: z.ZodType | undefined,
  place: "path" | "query",
  schemas: Schemas,
): OpenApiPart[] {
  if (!(input instanceof z.ZodObject)) return [];
  const shape = input.shape as Record<string, z.ZodType>;
  return Object.entries(shape).map(([name, schema]) => {
    const { description, ...json } = schemas.of(schema, "input");
    const required = place === "path" ||
      !schema.safeParse(undefined).success;
    return { name, in: place, required, description, schema: json };
  });
}

/** Every body may be left out: it then means what was configured or asked last. */
function requestBodyOf(body: z.ZodType, schemas: Schemas): OpenApiPart {
  const example = exampleOf(body);
  return {
    required: false,
    content: {
      "application/json": {
        schema: schemas.of(body, "input"),
        ...example === undefined ? {} : { example },
      },
    },
  };
}

/** The first example of each key that has one. */
function exampleOf(body: z.ZodType): OpenApiPart | undefined {
  if (!(body instanceof z.ZodObject)) return undefined;
  const shape = body.shape as Record<string, z.ZodType>;
  const entries = Object.entries(shape).flatMap(([key, schema]) => {
    const [example] = (schema.meta()?.["examples"] ?? []) as unknown[];
    return example === undefined ? [] : [[key, example] as const];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function responsesOf(route: AdminRoute, schemas: Schemas): OpenApiPart {
  const { answer } = route;
  const byStatus = Map.groupBy(errorsOf(route), ({ status }) => status);
  const tagged = answer !== undefined && "mediaType" in answer &&
    answer.hasTag === true;
  return {
    ...answer === undefined ? {} : { 200: successOf(answer, schemas) },
    ...tagged
      ? { 304: { description: "Who asks has it: its `ETag` is the one sent." } }
      : {},
    ...Object.fromEntries(
      [...byStatus].map(([status, errors]) => [status, errorOf(errors)]),
    ),
  };
}

function successOf(
  answer: z.ZodType | MediaAnswer,
  schemas: Schemas,
): OpenApiPart {
  if ("mediaType" in answer) {
    const { mediaType, about } = answer;
    const schema = { type: "string" };
    return { description: about, content: { [mediaType]: { schema } } };
  }
  const schema = {
    type: "object",
    properties: {
      message: { const: "success" },
      data: schemas.of(answer, "output"),
    },
    required: ["message", "data"],
    additionalProperties: false,
  };
  return {
    description: "success",
    content: { "application/json": { schema } },
  };
}

function errorOf(errors: readonly RouteError[]): OpenApiPart {
  const { status } = errors[0]!;
  const headers = HEADERS_OF[status];
  const reasons = errors.map(({ when }) => when).join("; or ");
  return {
    description: `${STATUS_CODES[status]}: ${reasons}.`,
    ...headers === undefined ? {} : { headers },
    content: {
      "application/json": {
        schema: { $ref: "#/components/schemas/ErrorAnswer" },
      },
    },
  };
}

function headerOf(name: string, description: string): OpenApiPart {
  return { [name]: { description, schema: { type: "string" } } };
}

/** Schemas of validators; those with a name are kept apart, each once. */
class Schemas {
  readonly named: Record<string, OpenApiPart> = {};

  of(validator: z.ZodType, io: "input" | "output"): OpenApiPart {
    const { $defs, $schema: _, ...schema } = z.toJSONSchema(validator, {
      io,
      override: ({ jsonSchema }) => {
        // An answer is no object that is read and written.
        delete jsonSchema.readOnly;
      },
    });
    for (const [name, { id: _id, ...part }] of Object.entries($defs ?? {})) {
      this.named[name] = relocated(part) as OpenApiPart;
    }
    return relocated(schema) as OpenApiPart;
  }
}

/** With references to where OpenAPI keeps schemas. */
function relocated(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(relocated);
  if (typeof part !== "object" || part === null) return part;
  return Object.fromEntries(
    Object.entries(part).map(([key, value]) => [
      key,
      key === "$ref" && typeof value === "string"
        ? value.replace("#/$defs/", "#/components/schemas/")
        : relocated(value),
    ]),
  );
}
