import { assertEquals } from "@std/assert";
import { FileNames } from "../../../lib/syncer/file_names.ts";

/** Names of the source's files one after another, as the log has them. */
function named(
  last: [name: string, sourceName: string] | undefined,
  sourceNames: readonly string[],
  options: { switched?: boolean; taken?: readonly string[] } = {},
): string[] {
  const taken = new Set(options.taken);
  const names = new FileNames({
    last: last && { name: last[0], sourceName: last[1] },
    switched: options.switched ?? false,
    isTaken: (name) => taken.has(name),
  });
  return sourceNames.map((sourceName) => {
    const next = names.nameAfter(sourceName);
    const name = names.begin(sourceName);
    assertEquals(name, next);
    assertEquals(names.sourceName, sourceName);
    taken.add(name);
    return name;
  });
}

Deno.test("FileNames keeps the names of the only source", () => {
  const names = ["binlog.000009", "binlog.000010", "other.000001"];
  assertEquals(named(undefined, names), names);
  assertEquals(named(["binlog.000008", "binlog.000008"], names), names);
});

Deno.test("FileNames keeps a new source's names where their numbers are higher", () => {
  const names = ["binlog.000012", "binlog.000013"];
  const last: [string, string] = ["binlog.000011", "binlog.000011"];
  assertEquals(named(last, names, { switched: true }), names);
});

Deno.test("FileNames counts on where a new source's numbers are not higher", () => {
  const last: [string, string] = ["binlog.000011", "binlog.000011"];
  assertEquals(
    named(last, ["b.000011", "b.000012", "b.000013"], { switched: true }),
    ["b.000012", "b.000013", "b.000014"],
  );
  assertEquals(
    named(last, ["binlog.000001"], { switched: true }),
    ["binlog.000012"],
  );
  // and after a restart, when the last file shows it
  assertEquals(
    named(["b.000012", "b.000011"], ["b.000012", "b.000013"]),
    ["b.000013", "b.000014"],
  );
});

Deno.test("FileNames gives no name twice", () => {
  assertEquals(
    named(["new.000003", "new.000003"], ["old.000001", "old.000002"], {
      taken: ["old.000001", "old.000002", "old.000004"],
    }),
    ["old.000005", "old.000006"],
  );
});

Deno.test("FileNames counts on beyond six digits and without any", () => {
  assertEquals(
    named(["b.999999", "b.999999"], ["b.000007"], { switched: true }),
    ["b.1000000"],
  );
  assertEquals(
    named(["b.000004", "b.000004"], ["odd"], { switched: true }),
    ["odd.000005"],
  );
});
