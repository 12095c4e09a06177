import { assert, assertEquals } from "@std/assert";
import { listConfigKeys } from "../../../lib/config/config_key.ts";
import { loadConfig } from "../../../lib/config/load_config.ts";
import type { ConfigTree } from "../../../lib/config/config_schema.ts";

const EXAMPLE = await Deno.readTextFile(
  new URL("../../../scripts/kingbus.example.yaml", import.meta.url),
);

/** A key that is commented out, as against a sentence. */
const KEY_LINE = /^( *)#( *(?:- )?[a-z][a-z-]*:(?: .*)?)$/;

const LINES = EXAMPLE.split("\n");

/** The example with every key that is commented out in it. */
function everything(): string {
  return LINES.map((line) => line.replace(KEY_LINE, "$1$2")).join("\n");
}

async function load(text: string): Promise<ConfigTree> {
  const { tree } = await loadConfig({
    file: "kingbus.yaml",
    flags: new Map(),
    env: () => undefined,
    readTextFile: () => Promise.resolve(text),
  });
  return tree;
}

/** Each line's key, by its indentation: `server.users[].name`. */
function keyOf(lines: readonly string[], at: number): string {
  const parse = (line: string) =>
    /^( *)(- )?([a-z][a-z-]*):/.exec(line.replace(KEY_LINE, "$1$2"));
  const own = parse(lines[at]!);
  assert(own !== null, lines[at]);
  const [, blanks = "", dash, name = ""] = own;
  let depth = blanks.length + (dash === undefined ? 0 : 2);
  let key = name;
  for (let above = at; above >= 0 && depth > 0; above -= 1) {
    const found = parse(lines[above]!);
    if (found === null) continue;
    const [, before = "", member, parent = ""] = found;
    if (member !== undefined && before.length + 2 === depth) {
      key = `[].${key}`;
      depth = before.length;
      above += 1;
    } else if (member === undefined && before.length < depth) {
      key = key.startsWith("[]") ? `${parent}${key}` : `${parent}.${key}`;
      depth = before.length;
    }
  }
  return key;
}

Deno.test("the example configuration is one that kingbus takes", async () => {
  const tree = await load(EXAMPLE);
  assertEquals(tree["data-dir"], "/var/lib/kingbus");
});

Deno.test("the example configuration is one with all that it has commented out, too", async () => {
  const tree = await load(everything());
  assertEquals(tree.source?.start, "oldest");
  assertEquals(tree.retention.replicas.length, 1);
});

Deno.test("the example configuration shows the defaults that the documents have", () => {
  const known = new Map(listConfigKeys().map((key) => [key.name, key]));
  const sections = new Set(
    [...known.keys()].flatMap((name) => {
      const parts = name.split(".");
      return parts.map((_, end) => parts.slice(0, end).join("."));
    }),
  );
  const compared: string[] = [];
  LINES.forEach((line, at) => {
    if (!KEY_LINE.test(line) || line.endsWith("# e.g.")) return;
    const name = keyOf(LINES, at);
    if (sections.has(name)) return;
    const key = known.get(name);
    assert(key !== undefined, `${name} is no key: ${line}`);
    assertEquals(
      line.slice(line.indexOf(":") + 1).trim(),
      key.info.fallback,
      name,
    );
    compared.push(name);
  });
  assert(compared.length >= 12, compared.join());
});
