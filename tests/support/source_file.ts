import { assert, assertEquals } from "@std/assert";
import { readDumpedFiles } from "./dump_client.ts";
import { binlogsOf, logEndOf, type SqlServer } from "./sql_server.ts";
import type { TestKingbus } from "./test_kingbus.ts";

/** Where the flag LOG_EVENT_BINLOG_IN_USE_F is in a binlog file. */
const IN_USE_OFFSET = 4 + 17;

/** A source whose files a test can read from its disk. */
export interface SourceOnDisk {
  readonly server: SqlServer;
  /** The folder with its binlog files. */
  readonly binlogFolder: string;
}

/**
 * A binlog file of a source as it is on its disk, except that it is not marked
 * as open: a dump does not say that either.
 */
export async function readSourceFile(
  source: SourceOnDisk,
  name: string,
): Promise<Uint8Array> {
  const bytes = await Deno.readFile(`${source.binlogFolder}/${name}`);
  bytes[IN_USE_OFFSET] = bytes[IN_USE_OFFSET]! & ~1;
  return bytes;
}

/**
 * Waits until kingbus has all of the source's log, then compares every byte of
 * every file from `firstFile` on that it serves with the source's own files.
 */
export async function assertSameFiles(
  kingbus: TestKingbus,
  source: SourceOnDisk,
  firstFile?: string,
): Promise<void> {
  const { fileName, position } = await logEndOf(source.server);
  await kingbus.waitUntilAt(fileName, position);
  const names = (await binlogsOf(source.server)).map(({ name }) => name);
  const from = firstFile === undefined ? 0 : names.indexOf(firstFile);
  const served = await readDumpedFiles({ port: kingbus.port });
  assertEquals([...served.keys()], names.slice(from));
  for (const [name, bytes] of served) {
    assertSameBytes(name, bytes, await readSourceFile(source, name));
  }
}

/** Compares two files, and says where they differ rather than what they are. */
export function assertSameBytes(
  name: string,
  actual: Uint8Array,
  expected: Uint8Array,
): void {
  const length = Math.min(actual.length, expected.length);
  let differs = 0;
  while (differs < length && actual[differs] === expected[differs]) differs++;
  assertEquals(
    { name, size: actual.length, sameUpTo: differs },
    { name, size: expected.length, sameUpTo: expected.length },
  );
}

/** Compares copied files, by name, with those that there should be. */
export function assertSameCopies(
  actual: ReadonlyMap<string, Uint8Array>,
  expected: ReadonlyMap<string, Uint8Array>,
): void {
  assert(expected.size > 0);
  assertEquals([...actual.keys()], [...expected.keys()]);
  for (const [name, bytes] of expected) {
    assertSameBytes(name, actual.get(name)!, bytes);
  }
}
