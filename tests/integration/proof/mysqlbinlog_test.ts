import { assert, assertEquals } from "@std/assert";
import { type Rig, rigTest } from "../../../scripts/test_servers/rig.ts";
import type { LaunchedServer } from "../../support/launched_server.ts";
import { RawCopy } from "../../support/raw_copy.ts";
import { assertSameConversations } from "../../support/recorded_pair.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";
import { assertSameCopies } from "../../support/source_file.ts";
import { executedOf, logEndOf, valueOf } from "../../support/sql_server.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";
import { TEST_TABLE } from "../../support/test_table.ts";
import {
  MODERN_KINDS,
  TRANSACTION_KINDS,
} from "../../support/transaction_kinds.ts";

const sources = new SharedMysql97(9765);

const REMOTE = "--read-from-remote-server";
const BY_POSITION = "--read-from-remote-source=BINLOG-DUMP-NON-GTIDS";
const BY_GTID = "--read-from-remote-source=BINLOG-DUMP-GTIDS";
const FILES = ["binlog.000001", "binlog.000002", "binlog.000003"];

/** A plain connection, so that it can be recorded. */
const PLAIN = ["--ssl-mode=DISABLED", "--get-server-public-key"];

/** The moment before the third file was written to. */
let middle = "";

/** A source with three files, and kingbus under its identity with the same. */
async function open(): Promise<{
  source: LaunchedServer;
  kingbus: TestKingbus;
}> {
  const source = await sources.asSource();
  await source.run(
    "SET SESSION time_zone = '+00:00'",
    "SET timestamp = 1700000000",
    TEST_TABLE,
    "INSERT INTO test.t (data) VALUES (REPEAT('x', 100000)), ('small')",
    ...TRANSACTION_KINDS["transactions, savepoints and rollbacks"]!,
    "SET timestamp = 1700000100",
    ...TRANSACTION_KINDS["statements"]!,
    "FLUSH LOGS",
    ...Object.values(MODERN_KINDS).flat(),
    "FLUSH LOGS",
    "SET timestamp = 1700000200",
    "INSERT INTO test.t (data) VALUES ('three')",
    "INSERT INTO test.t (data) VALUES ('four')",
    "SET timestamp = DEFAULT",
  );
  middle = "2023-11-14 22:15:00";
  const kingbus = await TestKingbus.following(source, {
    server: { identity: "source" },
  });
  const { fileName, position } = await logEndOf(source);
  await kingbus.waitUntilAt(fileName, position);
  return { source, kingbus };
}

/** All arguments to compare, by what they are about. */
async function argumentLists(source: LaunchedServer): Promise<string[][]> {
  const uuid = await valueOf(source, "SELECT @@server_uuid");
  const all = await executedOf(source);
  const { rows } = await source.query(`SHOW BINLOG EVENTS IN '${FILES[0]}'`);
  const begins = rows.filter((row) => /gtid$/i.test(row[2]!) && row[3] !== null)
    .map((row) => row[1]!);
  const [inside, later] = [begins[3]!, begins[6]!];
  return [
    ...[REMOTE, BY_POSITION, BY_GTID].flatMap((how) => [
      [how, FILES[0]!],
      [how, "--to-last-log", FILES[0]!],
      [how, ...FILES],
      [how, FILES[2]!, FILES[0]!],
      [how, `--start-position=${inside}`, FILES[0]!],
      [
        how,
        `--start-position=${inside}`,
        `--stop-position=${later}`,
        FILES[0]!,
      ],
      [how, `--stop-position=${later}`, ...FILES],
      [how, "--verify-binlog-checksum", "--to-last-log", FILES[0]!],
      [how, `--start-datetime=${middle}`, "--to-last-log", FILES[0]!],
      [how, `--stop-datetime=${middle}`, "--to-last-log", FILES[0]!],
      [how, "--base64-output=DECODE-ROWS", "-vv", "--to-last-log", FILES[0]!],
      [how, "--skip-gtids", "--database=test", FILES[1]!],
      [how, `--include-gtids=${uuid}:2-4`, "--to-last-log", FILES[0]!],
      [how, `--exclude-gtids=${uuid}:1-5`, "--to-last-log", FILES[0]!],
      [
        how,
        `--exclude-gtids=${uuid}:3:5-7:blue:1`,
        "--to-last-log",
        FILES[0]!,
      ],
      [how, `--exclude-gtids=${uuid}:blue:2`, FILES[1]!],
      [how, `--exclude-gtids=${all}`, "--to-last-log", FILES[0]!],
    ]),
    [BY_POSITION, "--connection-server-id=77", FILES[1]!],
  ];
}

/** Registers a test that needs MySQL 9.7 and its `mysqlbinlog`. */
function test(
  name: string,
  body: (rig: Rig, context: Deno.TestContext) => Promise<void>,
): Promise<void> {
  return rigTest(name, ["mysql97", "mysqlbinlog"], body);
}

await test(
  "mysqlbinlog prints the same from kingbus as from the source, packet by packet",
  async (rig, context) => {
    const { source, kingbus } = await open();
    await using _kingbus = kingbus;
    const program = rig.program("mysqlbinlog");
    for (const args of await argumentLists(source)) {
      await context.step(args.join(" "), async () => {
        const printed: string[] = [];
        await assertSameConversations({
          kingbus,
          source,
          mayLeave: true,
          client: async ({ address }) => {
            const { success, stdout, stderr } = await program.run([
              "--no-defaults",
              "--host=127.0.0.1",
              `--port=${address.port}`,
              "--user=repl",
              "--password=replpass",
              ...PLAIN,
              ...args,
            ]);
            const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
            assert(success, text(stderr));
            printed.push(text(stdout));
          },
        });
        const [expected, actual] = printed;
        assert(expected!.includes("DELIMITER"), "something was printed");
        assertEquals(actual, expected);
      });
    }
  },
);

await test(
  "mysqlbinlog --raw writes the same from kingbus as from the source, packet by packet",
  async (rig, context) => {
    const { source, kingbus } = await open();
    await using _kingbus = kingbus;
    // it copies whole files, and leaves transactions out only by GTID
    const notRaw = /datetime|-vv|skip-gtids|include-gtids|stop-position/;
    const lists = (await argumentLists(source)).filter((args) =>
      !notRaw.test(args.join()) &&
      (args[0] === BY_GTID || !args.join().includes("--exclude-gtids"))
    );
    for (const args of lists) {
      await context.step(args.join(" "), async () => {
        const copies: Map<string, Uint8Array>[] = [];
        await assertSameConversations({
          kingbus,
          source,
          mayLeave: true,
          client: async ({ address }) => {
            await using copy = await RawCopy.open(
              rig.program("mysqlbinlog"),
              address.port,
            );
            await copy.run(...PLAIN, ...args);
            copies.push(copy.files());
          },
        });
        const [expected, actual] = copies;
        assertSameCopies(actual!, expected!);
      });
    }
  },
);

await test(
  "mysqlbinlog --raw --stop-never is sent the same by kingbus as by the source, packet by packet",
  async (rig) => {
    const { source, kingbus } = await open();
    await using _kingbus = kingbus;
    for (const how of [REMOTE, BY_POSITION, BY_GTID]) {
      await assertSameConversations({
        kingbus,
        source,
        client: async ({ address, sentAll }) => {
          await using copy = await RawCopy.open(
            rig.program("mysqlbinlog"),
            address.port,
          );
          const id = "--connection-server-id=4242";
          copy.start(...PLAIN, how, "--stop-never", id, FILES[0]!);
          await sentAll();
          await copy.stop();
        },
      });
    }
  },
);
