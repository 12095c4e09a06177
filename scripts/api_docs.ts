/**
 * Writes the parts of docs/admin-api.md that the table of routes says: the
 * routes, their bodies and their errors. `deno run -A scripts/api_docs.ts`; a
 * test compares the two.
 *
 * @module
 */
import { z } from "zod";
import type { AdminParts } from "../lib/admin/admin_parts.ts";
import {
  type AdminRoute,
  ROUTE_SUBJECTS,
  type RouteAccess,
} from "../lib/admin/admin_route.ts";
import { adminRoutes } from "../lib/admin/admin_routes.ts";
import {
  ADMIN_ERRORS,
  BODY_ERRORS,
  ERRORS_OF_ALL,
  INPUT_ERRORS,
  READ_ERRORS,
} from "../lib/admin/openapi/route_errors.ts";
import { formatTable } from "./markdown_table.ts";

/** Every route, described only: none of them can be called. */
export function describedRoutes(): AdminRoute[] {
  return adminRoutes(standIn() as AdminParts);
}

/** Something whose every part is the same again. */
function standIn(): unknown {
  const one: unknown = new Proxy({}, { get: () => one });
  return one;
}

const NEEDS: Readonly<Record<RouteAccess, string>> = {
  open: "",
  read: "read",
  admin: "admin",
};

function formatRoutes(routes: readonly AdminRoute[]): string {
  const sorted = ROUTE_SUBJECTS.flatMap((subject) =>
    routes.filter((route) => route.subject === subject)
  );
  return formatTable([
    ["method and path", "right", "what it does", "own errors"],
    ...sorted.map(({ method, path, access, summary, errors }) => [
      `\`${method} ${path}\``,
      NEEDS[access],
      summary,
      errors.map(({ status, when }) => `${status}: ${when}`).join("; "),
    ]),
  ]);
}

function formatBody(routes: readonly AdminRoute[], path: string): string {
  const body = routes.find((route) => route.path === path)?.body;
  if (!(body instanceof z.ZodObject)) {
    throw new TypeError(`${path} has no body`);
  }
  const { properties = {}, required = [] } = z.toJSONSchema(body, {
    io: "input",
  });
  return formatTable([
    ["key", "type", "meaning"],
    ...Object.entries(properties).map(([key, property]) => {
      if (typeof property === "boolean") throw new TypeError(`${path} ${key}`);
      const about = property.description ?? "";
      return [
        `\`${key}\``,
        property.type === "array" ? "list of string" : String(property.type),
        required.includes(key) ? `${about} Needed.` : about,
      ];
    }),
  ]);
}

function formatErrors(): string {
  const groups = [
    ["any", ERRORS_OF_ALL],
    ["right `read`", READ_ERRORS],
    ["right `admin`", ADMIN_ERRORS],
    ["with a body", BODY_ERRORS],
    ["with parts in the path or a query", INPUT_ERRORS],
  ] as const;
  return formatTable([
    ["status", "of which requests", "when"],
    ...groups.flatMap(([of, errors]) =>
      errors.map(({ status, when }) => [String(status), of, when])
    ),
  ]);
}

/** The page with what is generated in it written anew. */
export function withRoutes(page: string): string {
  const routes = describedRoutes();
  const parts: Record<string, string> = {
    "routes": formatRoutes(routes),
    "errors": formatErrors(),
    "body of PUT /binlog/syncer/start": formatBody(
      routes,
      "/binlog/syncer/start",
    ),
    "body of PUT /binlog/server/start": formatBody(
      routes,
      "/binlog/server/start",
    ),
    "body of PUT /binlog/purge": formatBody(routes, "/binlog/purge"),
  };
  return Object.entries(parts).reduce((text, [name, table]) => {
    const begin = `<!-- ${name}: written by scripts/api_docs.ts -->\n\n`;
    const at = text.indexOf(begin);
    const end = text.indexOf("\n<!-- end -->", at);
    if (at < 0 || end < 0) throw new TypeError(`the page has no ${begin}`);
    return text.slice(0, at + begin.length) + table + text.slice(end);
  }, page);
}

if (import.meta.main) {
  const url = new URL("../docs/admin-api.md", import.meta.url);
  await Deno.writeTextFile(url, withRoutes(await Deno.readTextFile(url)));
}
