import { libPath, resolveImport } from "./lib_path.ts";

const PURE = ["binlog", "gtid", "protocol"];
const ENDS = [
  ...PURE,
  "config",
  "connection",
  "log",
  "permission",
  "semi_sync",
  "store",
  "tls",
  "version.ts",
];

/**
 * What each folder of `lib/` may import from its siblings: from the pure ones
 * up to the composition root. `syncer` and `server` do not know each other.
 */
const MAY_IMPORT: ReadonlyMap<string, readonly string[]> = new Map([
  ["gtid", []],
  ["protocol", []],
  ["binlog", ["gtid"]],
  ["version.ts", []],
  ["permission", []],
  ["log", ["permission"]],
  ["tls", ["log"]],
  ["config", ["gtid", "log", "protocol", "tls"]],
  ["connection", ["protocol", "log", "tls"]],
  ["store", ["gtid", "binlog", "log"]],
  ["semi_sync", ["log", "store"]],
  ["syncer", ENDS],
  ["server", ENDS],
  ["retention", ENDS],
  ["import", ENDS],
  ["export", ENDS],
  ["admin", [...ENDS, "syncer", "server", "retention"]],
  ["metrics", [...ENDS, "syncer", "server", "retention", "admin"]],
  ["telemetry", [...ENDS, "syncer", "server"]],
  ["app.ts", [
    ...ENDS,
    "syncer",
    "server",
    "retention",
    "admin",
    "metrics",
    "telemetry",
  ]],
  ["cli", [
    ...ENDS,
    "syncer",
    "server",
    "retention",
    "import",
    "export",
    "admin",
    "telemetry",
    "app.ts",
  ]],
]);

/** Which folders may use a package of deno.json. */
const PACKAGE_USERS: ReadonlyMap<string, readonly string[]> = new Map([
  ["@hono/node-server", ["admin"]],
  ["@opentelemetry/api", ["telemetry"]],
  ["@peculiar/x509", ["tls"]],
  ["@std/assert", []],
  ["@std/cli", ["cli"]],
  ["@std/log", ["log"]],
  ["@std/yaml", ["config"]],
  ["hono", ["admin"]],
  ["prom-client", ["metrics"]],
  ["reflect-metadata", ["tls"]],
  ["swagger-ui-dist", ["admin"]],
  ["uplot", ["admin"]],
  ["zod", ["admin", "config"]],
]);

/** Node's modules that compute and do nothing else. */
const PURE_NODE_MODULES = ["node:buffer", "node:crypto", "node:zlib"];

/** Name of a package without the path in it: `hono/body-limit` is in `hono`. */
function packageName(specifier: string): string {
  const parts = specifier.split("/");
  return parts.slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
}

/** Says what is wrong with an import; `undefined` if nothing is. */
function findFault(filename: string, specifier: string): string | undefined {
  const from = libPath(filename);
  if (from === undefined) return undefined;
  if (specifier.startsWith("node:")) {
    return PURE.includes(from.area) && !PURE_NODE_MODULES.includes(specifier)
      ? `lib/${from.area} is pure and may not import ${specifier}`
      : undefined;
  }
  if (!specifier.startsWith(".")) {
    const users = PACKAGE_USERS.get(packageName(specifier));
    if (users === undefined) {
      return `Only the packages named in deno.json may be imported, by their bare names: not ${specifier}`;
    }
    return users.includes(from.area)
      ? undefined
      : `lib/${from.area} may not import the package ${specifier}`;
  }
  const to = libPath(resolveImport(filename, specifier));
  if (to === undefined) return `lib/ may not import from outside: ${specifier}`;
  if (to.area === from.area) return undefined;
  const allowed = MAY_IMPORT.get(from.area);
  if (allowed === undefined) {
    return `lib/${from.area} has no place in the order of imports: see scripts/checks/import_direction.ts`;
  }
  return allowed.includes(to.area)
    ? undefined
    : `lib/${from.area} may not import from lib/${to.area}`;
}

/** Imports in `lib/` point one way, and packages have their users. */
export const importDirection: Deno.lint.Rule = {
  create(context) {
    const check = (
      node: Deno.lint.Node,
      source: Deno.lint.Node | null | undefined,
    ): void => {
      if (source?.type !== "Literal") return;
      const fault = findFault(context.filename, String(source.value));
      if (fault !== undefined) context.report({ node, message: fault });
    };
    return {
      ImportDeclaration: (node) => check(node, node.source),
      ExportNamedDeclaration: (node) => check(node, node.source),
      ExportAllDeclaration: (node) => check(node, node.source),
      ImportExpression: (node) => check(node, node.source),
    };
  },
};
