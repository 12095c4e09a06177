import { assert, assertEquals } from "@std/assert";
import { Validator } from "@seriousme/openapi-schema-validator";
import { AdminApi } from "../../../../lib/admin/admin_api.ts";
import { adminRoutes } from "../../../../lib/admin/admin_routes.ts";
import type { OpenApiDocument } from "../../../../lib/admin/openapi/openapi_document.ts";
import { silentLog } from "../../../../lib/log/log.ts";
import { MemoryNode } from "../memory_node.ts";

const routes = adminRoutes(new MemoryNode());
const api = new AdminApi({ routes, log: silentLog() });

async function ask(path: string): Promise<Response> {
  return await api.handle(new Request(`http://localhost${path}`));
}

async function documentOf(): Promise<OpenApiDocument> {
  return await (await ask("/openapi.json")).json();
}

interface Operation {
  readonly operationId: string;
  readonly security: readonly object[];
  readonly responses: Record<string, { description: string; headers?: object }>;
  readonly requestBody?: {
    readonly content: Record<
      string,
      { schema: { properties: Record<string, object>; required?: string[] } }
    >;
  };
}

function operationOf(
  document: OpenApiDocument,
  method: string,
  path: string,
): Operation {
  return document.paths[path]![method.toLowerCase()] as Operation;
}

Deno.test("GET /openapi.json is a valid OpenAPI 3.1 document", async () => {
  const document = await documentOf();
  const validator = new Validator();
  const result = await validator.validate(structuredClone(document));
  assertEquals(result.errors ?? [], []);
  assertEquals([result.valid, validator.version], [true, "3.1"]);
  const spoilt = structuredClone(document) as Record<string, unknown>;
  spoilt["paths"] = { status: {} };
  assertEquals((await new Validator().validate(spoilt)).valid, false);
});

Deno.test("GET /openapi.json has every route, with every error", async () => {
  const document = await documentOf();
  const ids = new Set<string>();
  for (const route of routes) {
    const name = `${route.method} ${route.path}`;
    const operation = operationOf(document, route.method, route.path);
    assert(operation !== undefined, name);
    ids.add(operation.operationId);
    for (const { status, when } of route.errors) {
      const { description } = operation.responses[status]!;
      assert(description.includes(when), `${name}: ${description}`);
    }
    const always = ["400", "408", "421", "431", "500", "503"];
    const guarded = { open: [], read: ["401", "429"], admin: ["401", "403"] };
    for (const status of [...always, ...guarded[route.access]]) {
      assert(status in operation.responses, `${name} ${status}`);
    }
    assertEquals("413" in operation.responses, route.body !== undefined, name);
    assertEquals(operation.security.length > 0, route.access !== "open", name);
  }
  assertEquals(ids.size, routes.length);
});

Deno.test("GET /openapi.json describes bodies key by key", async () => {
  const { content } = operationOf(
    await documentOf(),
    "PUT",
    "/binlog/syncer/start",
  ).requestBody!;
  const { schema } = content["application/json"]!;
  assertEquals(schema.required, [
    "mysql_addr",
    "mysql_user",
    "mysql_password",
  ]);
  for (const [key, property] of Object.entries(schema.properties)) {
    assert("type" in property && "description" in property, key);
  }
});

Deno.test("GET /openapi.json and /api answer 304 to who has them", async () => {
  for (const path of ["/openapi.json", "/api", "/api/api_page.js"]) {
    const first = await ask(path);
    assertEquals(first.status, 200);
    await first.body?.cancel();
    const etag = first.headers.get("etag")!;
    const again = await api.handle(
      new Request(`http://localhost${path}`, {
        headers: { "if-none-match": etag },
      }),
    );
    assertEquals([again.status, await again.text()], [304, ""]);
  }
});

Deno.test("the files below /api/ are those of its page only", async () => {
  for (const path of ["/api/x", "/api/__proto__", "/api/..%2fdeno.json"]) {
    const response = await ask(path);
    assertEquals(response.status, 404, path);
    await response.body?.cancel();
  }
  const css = await ask("/api/swagger-ui.css");
  assertEquals(css.headers.get("content-type"), "text/css; charset=utf-8");
  assert((await css.text()).includes(".swagger-ui"));
});
