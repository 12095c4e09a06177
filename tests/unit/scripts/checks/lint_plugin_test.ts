import { assertEquals } from "@std/assert";
import plugin from "../../../../scripts/checks/lint_plugin.ts";

const ROOT = new URL("../../../../", import.meta.url).pathname;

/** What the plugin says about a module at a path of this project. */
function lint(path: string, source: string): string[] {
  return Deno.lint.runPlugin(plugin, ROOT + path, source)
    .map(({ id, message }) => `${id}: ${message}`);
}

interface Case {
  path: string;
  source: string;
  found: string[];
}

const DIRECTION = "kingbus/import-direction";
const PURE = "kingbus/pure-modules";
const PLACES = "kingbus/api-places";
const DOCS = "kingbus/exported-docs";

const REFUSED: Case[] = [
  {
    path: "lib/syncer/syncer.ts",
    source: 'import { a } from "../server/session.ts";',
    found: [`${DIRECTION}: lib/syncer may not import from lib/server`],
  },
  {
    path: "lib/server/session.ts",
    source: 'import type { A } from "../syncer/syncer.ts";',
    found: [`${DIRECTION}: lib/server may not import from lib/syncer`],
  },
  {
    path: "lib/gtid/gtid_set.ts",
    source: 'export * from "../binlog/checksum.ts";',
    found: [`${DIRECTION}: lib/gtid may not import from lib/binlog`],
  },
  {
    path: "lib/protocol/auth.ts",
    source: 'export { a } from "../connection/transport.ts";',
    found: [`${DIRECTION}: lib/protocol may not import from lib/connection`],
  },
  {
    path: "lib/store/kv/kv_engine.ts",
    source: 'const a = import("../../connection/transport.ts");',
    found: [`${DIRECTION}: lib/store may not import from lib/connection`],
  },
  {
    path: "lib/admin/admin_api.ts",
    source: 'import "../app.ts";',
    found: [`${DIRECTION}: lib/admin may not import from lib/app.ts`],
  },
  {
    path: "lib/server/session.ts",
    source: 'import "../../scripts/demo.ts";',
    found: [
      `${DIRECTION}: lib/ may not import from outside: ../../scripts/demo.ts`,
    ],
  },
  {
    path: "lib/helpers/x.ts",
    source: 'import "../gtid/gtid.ts";',
    found: [
      `${DIRECTION}: lib/helpers has no place in the order of imports: see scripts/checks/import_direction.ts`,
    ],
  },
  {
    path: "lib/server/session.ts",
    source: 'import { Hono } from "hono";',
    found: [`${DIRECTION}: lib/server may not import the package hono`],
  },
  {
    path: "lib/config/load_config.ts",
    source: 'import { parse } from "npm:yaml";',
    found: [
      `${DIRECTION}: Only the packages named in deno.json may be imported, by their bare names: not npm:yaml`,
    ],
  },
  {
    path: "lib/protocol/auth.ts",
    source: 'import { readFileSync } from "node:fs";',
    found: [`${DIRECTION}: lib/protocol is pure and may not import node:fs`],
  },
  {
    path: "lib/binlog/checksum.ts",
    source: "const pid = Deno.pid;",
    found: [`${PURE}: lib/binlog is pure and may not use Deno.pid`],
  },
  {
    path: "lib/protocol/auth.ts",
    source: "let conn: Deno.Conn;",
    found: [`${PURE}: lib/protocol is pure and may not use Deno.Conn`],
  },
  {
    path: "lib/gtid/gtid.ts",
    source: "const at = [Date.now(), new Date(), Math.random()];",
    found: [
      `${PURE}: lib/gtid is pure and may not use Date.now`,
      `${PURE}: lib/gtid is pure and may not use new Date()`,
      `${PURE}: lib/gtid is pure and may not use Math.random`,
    ],
  },
  {
    path: "lib/binlog/rotate.ts",
    source: "const f = async () => { await 1; for await (const a of b); };",
    found: [
      `${PURE}: lib/binlog is pure and may not use async functions`,
      `${PURE}: lib/binlog is pure and may not use await`,
      `${PURE}: lib/binlog is pure and may not use for await`,
    ],
  },
  {
    path: "lib/protocol/auth.ts",
    source:
      'import { randomBytes } from "node:crypto"; setTimeout(() => {}, 1);',
    found: [
      `${PURE}: lib/protocol is pure and may not use randomBytes`,
      `${PURE}: lib/protocol is pure and may not use setTimeout`,
    ],
  },
  {
    path: "lib/store/memory_store.ts",
    source: "const kv = Deno.openKv();",
    found: [`${PLACES}: Deno.openKv is used in lib/store/kv/ only`],
  },
  {
    path: "lib/server/session.ts",
    source: 'const home = Deno.env.get("HOME");',
    found: [
      `${PLACES}: Deno.env is used in lib/config/ and lib/cli/ and lib/permission/ only`,
    ],
  },
  {
    path: "lib/syncer/syncer.ts",
    source: 'Deno.connect({ port: 1 }); console.log("a");',
    found: [
      `${PLACES}: Deno.connect is used in lib/connection/ only`,
      `${PLACES}: console.log is used in lib/cli/ only`,
    ],
  },
  {
    path: "lib/gtid/gtid.ts",
    source:
      "export const a = 1;\n// not a doc\nexport class B {}\nexport type C = 1;",
    found: ["a", "B", "C"].map((name) =>
      `${DOCS}: "${name}" is exported without a JSDoc comment`
    ),
  },
  {
    path: "lib/gtid/gtid.ts",
    source: "/** About a. */\nexport const a = 1;\nexport function b() {}",
    found: [`${DOCS}: "b" is exported without a JSDoc comment`],
  },
  {
    path: "lib/admin/admin_api.ts",
    source: 'import { z } from "zod";',
    found: [
      'kingbus/namespace-imports: Import zod as a namespace (import * as z from "zod"): an executable then leaves out what is not used',
    ],
  },
  {
    path: "lib/app.ts",
    source: "export default 1;",
    found: [`${DOCS}: The default export has no JSDoc comment`],
  },
];

const ACCEPTED: Omit<Case, "found">[] = [
  { path: "lib/binlog/rotate.ts", source: 'import "../gtid/gtid.ts";' },
  {
    path: "lib/binlog/rotate.ts",
    source: 'import { crc32 } from "node:zlib";',
  },
  {
    path: "lib/syncer/syncer.ts",
    source: 'import "../store/binlog_store.ts";',
  },
  { path: "lib/admin/admin_api.ts", source: 'import "hono/body-limit";' },
  { path: "lib/admin/admin_api.ts", source: 'import * as z from "zod";' },
  { path: "lib/config/key_line.ts", source: 'import type { z } from "zod";' },
  { path: "lib/store/kv/open_kv_store.ts", source: "Deno.openKv();" },
  { path: "lib/cli/serve.ts", source: 'console.log(Deno.env.get("A"));' },
  { path: "lib/gtid/gtid.ts", source: "const at = new Date(0);" },
  { path: "scripts/demo.ts", source: "export const now = Date.now();" },
  {
    path: "lib/gtid/gtid.ts",
    source: `/** About f. */
export function f(a: string): void;
export function f(a: unknown): void {}
/**
 * About g.
 */
// deno-lint-ignore no-explicit-any
export const g: any = 1;
`,
  },
];

for (const { path, source, found } of REFUSED) {
  Deno.test(`lint plugin refuses ${JSON.stringify(source)} in ${path}`, () => {
    assertEquals(lint(path, source), found);
  });
}

for (const { path, source } of ACCEPTED) {
  Deno.test(`lint plugin accepts ${JSON.stringify(source)} in ${path}`, () => {
    assertEquals(lint(path, source), []);
  });
}
