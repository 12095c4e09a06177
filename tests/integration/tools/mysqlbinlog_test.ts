import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Rig } from "../../../scripts/test_servers/rig.ts";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { TestServerError } from "../../../scripts/test_servers/test_server_error.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import type { LaunchedServer } from "../../support/launched_server.ts";
import { RawCopy } from "../../support/raw_copy.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";
import { assertSameBytes, readSourceFile } from "../../support/source_file.ts";
import { executedOf, logEndOf, valueOf } from "../../support/sql_server.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";
import { TEST_TABLE } from "../../support/test_table.ts";
import { MODERN_KINDS } from "../../support/transaction_kinds.ts";

const sources = new SharedMysql97(9794);

const FILES = ["binlog.000001", "binlog.000002", "binlog.000003"];
const BY_POSITION = "--read-from-remote-source=BINLOG-DUMP-NON-GTIDS";
const BY_GTID = "--read-from-remote-source=BINLOG-DUMP-GTIDS";

/** A source with three files, and kingbus with the same. */
async function openSource(): Promise<LaunchedServer> {
  const source = await sources.asSource();
  await source.run(
    TEST_TABLE,
    "INSERT INTO test.t (data) VALUES (REPEAT('x', 200000)), ('small')",
    ...Array.from(
      { length: 8 },
      () => "INSERT INTO test.t (data) VALUES ('a')",
    ),
    "FLUSH LOGS",
    ...Object.values(MODERN_KINDS).flat(),
    "FLUSH LOGS",
    "INSERT INTO test.t (data) VALUES ('three')",
  );
  return source;
}

/** Copies of kingbus's files by the rig's `mysqlbinlog`. */
function openCopy(rig: Rig, address: { port: number }): Promise<RawCopy> {
  return RawCopy.open(rig.program("mysqlbinlog"), address.port);
}

/** Compares copies with the source's own files. */
async function assertCopies(
  copy: RawCopy,
  source: LaunchedServer,
  names: string[],
): Promise<void> {
  const files = copy.files();
  assertEquals([...files.keys()], names);
  for (const [name, bytes] of files) {
    assertSameBytes(name, bytes, await readSourceFile(source.onDisk, name));
  }
}

/** Registers a test that needs MySQL 9.7 and its `mysqlbinlog`. */
function test(
  name: string,
  body: (rig: Rig, context: Deno.TestContext) => Promise<void>,
): Promise<void> {
  return rigTest(name, ["mysql97", "mysqlbinlog"], body);
}

for (const how of ["--read-from-remote-server", BY_POSITION, BY_GTID]) {
  await test(`mysqlbinlog ${how} --raw copies files of kingbus byte for byte`, async (rig) => {
    const source = await openSource();
    await using kingbus = await TestKingbus.following(source);
    await kingbus.waitUntilHas(await executedOf(source));
    for (const name of FILES) {
      await using copy = await openCopy(rig, kingbus);
      await copy.run(how, name);
      await assertCopies(copy, source, [name]);
    }
    await using copy = await openCopy(rig, kingbus);
    await copy.run(how, "--to-last-log", FILES[0]!);
    await assertCopies(copy, source, FILES);
    await using some = await openCopy(rig, kingbus);
    await some.run(how, ...FILES.slice(1));
    await assertCopies(some, source, FILES.slice(1));
  });

  await test(`mysqlbinlog ${how} --raw --stop-never keeps up with kingbus`, async (rig) => {
    const source = await openSource();
    await using kingbus = await TestKingbus.following(source);
    await kingbus.waitUntilHas(await executedOf(source));
    await using copy = await openCopy(rig, kingbus);
    copy.start(how, "--stop-never", FILES[1]!);
    await kingbus.waitUntilDumping(1);
    await source.run(
      "INSERT INTO test.t (data) VALUES ('more')",
      "FLUSH LOGS",
      "INSERT INTO test.t (data) VALUES (REPEAT('and more', 100000))",
    );
    const { fileName, position } = await logEndOf(source);
    await waitUntil(
      "all of it was copied",
      () => copy.sizeOf(fileName) >= position,
    );
    await copy.stop();
    await assertCopies(copy, source, [...FILES.slice(1), fileName]);
  });
}

await test(
  "mysqlbinlog gets from kingbus what it gets from the source, whatever it asks for",
  async (rig, context) => {
    const source = await openSource();
    await using kingbus = await TestKingbus.following(source);
    await kingbus.waitUntilHas(await executedOf(source));
    const uuid = await valueOf(source, "SELECT @@server_uuid");
    const { rows } = await source.query(`SHOW BINLOG EVENTS IN '${FILES[0]}'`);
    const inside = rows[6]![1]!;
    const requests = [
      [BY_POSITION, `--start-position=${inside}`, FILES[0]!],
      [BY_POSITION, `--start-position=${inside}`, "--to-last-log", FILES[0]!],
      [BY_GTID, `--start-position=${inside}`, FILES[0]!],
      [BY_GTID, `--exclude-gtids=${uuid}:1-5`, FILES[0]!],
      [BY_GTID, `--exclude-gtids=${uuid}:3:5-7`, "--to-last-log", FILES[0]!],
      [BY_GTID, `--exclude-gtids=${uuid}:blue:1`, "--to-last-log", FILES[1]!],
      [BY_GTID, `--exclude-gtids=${await executedOf(source)}`, FILES[0]!],
      [BY_POSITION, "--connection-server-id=77", FILES[1]!],
    ];
    for (const request of requests) {
      await context.step(request.join(" "), async () => {
        await using expected = await openCopy(rig, source);
        await expected.run("--get-server-public-key", ...request);
        await using actual = await openCopy(rig, kingbus);
        await actual.run(...request);
        const files = expected.files();
        assert(files.size > 0);
        assertEquals([...actual.files().keys()], [...files.keys()]);
        for (const [name, bytes] of files) {
          assertSameBytes(name, actual.files().get(name)!, bytes);
        }
      });
    }
  },
);

await test("mysqlbinlog shows the text of kingbus's errors", async (rig) => {
  const source = await openSource();
  await using kingbus = await TestKingbus.following(source);
  await kingbus.waitUntilHas(await executedOf(source));
  const requests: [how: string, args: string[], text: RegExp][] = [
    [BY_POSITION, ["binlog.000099"], /Could not find first log file name/],
    [BY_GTID, ["binlog.000099"], /Could not find first log file name/],
    [
      BY_POSITION,
      ["--start-position=9999999", FILES[0]!],
      /position > file size/,
    ],
    [
      BY_POSITION,
      ["--start-position=130", FILES[0]!],
      /bogus data in log event/,
    ],
  ];
  for (const [how, args, text] of requests) {
    await using copy = await openCopy(rig, kingbus);
    const error = await assertRejects(
      () => copy.run(how, ...args),
      TestServerError,
    );
    assert(text.test(error.message), error.message);
  }
});

await test("many mysqlbinlogs copy from kingbus at the same time", async (rig) => {
  const source = await openSource();
  await using kingbus = await TestKingbus.following(source);
  await kingbus.waitUntilHas(await executedOf(source));
  await Promise.all(Array.from({ length: 6 }, async () => {
    await using copy = await openCopy(rig, kingbus);
    await copy.run(BY_POSITION, "--to-last-log", FILES[0]!);
    await assertCopies(copy, source, FILES);
  }));
});
