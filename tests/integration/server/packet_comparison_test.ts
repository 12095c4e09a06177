import { assert, assertEquals } from "@std/assert";
import { GtidSet } from "../../../lib/gtid/gtid_set.ts";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { assertSameDump, takeDump } from "../../support/dump_comparison.ts";
import {
  DumpClient,
  type DumpClientOptions,
  isHeartbeat,
} from "../../support/dump_client.ts";
import { SeededRandom } from "../../support/seeded_random.ts";
import { assertSameFiles } from "../../support/source_file.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import type { LaunchedServer } from "../../support/launched_server.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";
import { binlogsOf, executedOf, valueOf } from "../../support/sql_server.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";
import { TEST_TABLE } from "../../support/test_table.ts";
import {
  MODERN_KINDS,
  TRANSACTION_KINDS,
} from "../../support/transaction_kinds.ts";

const sources = new SharedMysql97(9793);

/** The source's log, and kingbus with the same. */
class Comparison implements AsyncDisposable {
  readonly source: LaunchedServer;
  readonly kingbus: TestKingbus;
  readonly uuid: string;

  private constructor(
    source: LaunchedServer,
    kingbus: TestKingbus,
    uuid: string,
  ) {
    this.source = source;
    this.kingbus = kingbus;
    this.uuid = uuid;
  }

  /**
   * Five files: of simple transactions, of all kinds, without checksums, of
   * one transaction, and an open one.
   */
  static async open(identity: "own" | "source"): Promise<Comparison> {
    const source = await sources.asSource();
    await source.run(
      TEST_TABLE,
      "INSERT INTO test.t (data) VALUES ('one'), ('two')",
      ...Array.from(
        { length: 40 },
        (_, n) => `INSERT INTO test.t (data) VALUES (REPEAT('x', ${n * 200}))`,
      ),
      "FLUSH LOGS",
      ...Object.entries(TRANSACTION_KINDS)
        .filter(([kind]) => !kind.includes("megabytes"))
        .flatMap(([, statements]) => statements),
      ...Object.values(MODERN_KINDS).flat(),
      "SET GLOBAL binlog_checksum = NONE",
      "INSERT INTO test.t (data) VALUES ('no checksum')",
      "INSERT INTO test.t (data) VALUES ('nor here')",
      "SET GLOBAL binlog_checksum = CRC32",
      "INSERT INTO test.t (data) VALUES ('checksum')",
      "FLUSH LOGS",
      "INSERT INTO test.t (data) VALUES ('newest file')",
      "INSERT INTO test.t (data) VALUES ('newest transaction')",
    );
    const kingbus = await TestKingbus.following(source, {
      server: { identity },
    });
    await kingbus.waitUntilHas(await executedOf(source));
    const uuid = await valueOf(source, "SELECT @@server_uuid");
    return new Comparison(source, kingbus, uuid);
  }

  /** Asks both for the same and compares the answers. */
  async compare(
    request: DumpClientOptions,
    senderServerId: boolean,
  ): Promise<void> {
    const expected = await takeDump(this.source, request);
    const actual = await takeDump(this.kingbus, request);
    const allowed = { senderServerId, whereItFailed: true };
    const differing = assertSameDump(actual, expected, allowed);
    if (senderServerId && actual.events.length > 0) assert(differing > 0);
    if (!senderServerId) assertEquals(differing, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kingbus[Symbol.asyncDispose]();
  }
}

/** Requests by GTID, with what they stand for; `U` is the source's UUID. */
const GTID_SETS: Record<string, string> = {
  "nothing": "",
  "the first transaction": "U:1",
  "the first transactions": "U:1-20",
  "all of the first file": "U:1-42",
  "all but the first": "U:2-1000",
  "every second one of some": "U:1:3:5:7:9:11:13:15",
  "the middle of the first file": "U:10-30",
  "the begin and the middle": "U:1-5:10-15:20",
  "all up to somewhere in the second file": "U:1-60",
  "what another server has written": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee:5",
  "tagged ones": "U:1-30:blue:1",
  "only tagged ones": "U:blue:1-2",
};

for (const identity of ["own", "source"] as const) {
  const senderServerId = identity === "own";
  const how = senderServerId
    ? "what the source sends but for the sender's server id"
    : "what the source sends, to the byte, under the source's identity";

  await rigTest(
    `kingbus sends a GTID dump as ${how}`,
    ["mysql97"],
    async (_rig, context) => {
      await using comparison = await Comparison.open(identity);
      const all = await executedOf(comparison.source);
      const sets = { ...GTID_SETS, "everything": all };
      for (const [what, template] of Object.entries(sets)) {
        const executed = intersect(
          template.replaceAll("U", comparison.uuid),
          all,
        );
        for (const flags of [1, 3]) {
          await context.step(
            `a replica that has ${what}, flags ${flags}`,
            () => comparison.compare({ executed, flags }, senderServerId),
          );
        }
      }
    },
  );

  await rigTest(
    `kingbus sends a GTID dump from a file and position as ${how}`,
    ["mysql97"],
    async (_rig, context) => {
      await using comparison = await Comparison.open(identity);
      const { uuid } = comparison;
      const places: [string, number][] = [
        ["binlog.000001", 4],
        ["binlog.000001", 158],
        ["binlog.000002", 4],
        ["binlog.000004", 4],
      ];
      for (const [fileName, position] of places) {
        for (const executed of ["", `${uuid}:1-5`, `${uuid}:3-50`]) {
          const what = `${fileName}:${position} without ${executed || "none"}`;
          await context.step(what, () =>
            comparison.compare(
              { fileName, position, executed, flags: 3 },
              senderServerId,
            ));
        }
      }
    },
  );

  await rigTest(
    `kingbus sends a dump from any file and position as ${how}`,
    ["mysql97"],
    async (_rig, context) => {
      await using comparison = await Comparison.open(identity);
      const files = await binlogsOf(comparison.source);
      for (const { name, size } of files) {
        const { rows } = await comparison.source.query(
          `SHOW BINLOG EVENTS IN '${name}' LIMIT 60`,
        );
        const starts = rows.map((row) => Number(row[1]));
        const positions = [4, ...starts.filter((_, n) => n % 7 === 1), size];
        for (const checksum of ["CRC32", "NONE"] as const) {
          await context.step(`${name}, for checksum ${checksum}`, async () => {
            for (const position of positions) {
              const request = { fileName: name, position, checksum };
              await comparison.compare(request, senderServerId);
            }
          });
        }
      }
    },
  );
}

await rigTest(
  "kingbus sends GTID dumps of many blocks as the source does",
  ["mysql97"],
  async (_rig, context) => {
    const source = await sources.asSource();
    await writeManyTransactions(source);
    await using kingbus = await TestKingbus.following(source, {
      server: { identity: "source" },
    });
    const all = GtidSet.parse(await executedOf(source));
    await kingbus.waitUntilHas(all.toString());
    const uuid = await valueOf(source, "SELECT @@server_uuid");
    const seed = Number(Deno.env.get("KINGBUS_SEED") ?? 4711);
    const random = new SeededRandom(seed);
    for (let round = 0; round < 25; round++) {
      const executed = someOf(random, uuid, Number(all.count())).toString();
      await context.step(`without ${executed}`, async () => {
        const request = { executed, flags: 3 };
        const expected = await takeDump(source, request);
        const actual = await takeDump(kingbus, request);
        assertSameDump(actual, expected, { senderServerId: false });
      });
    }
  },
);

await rigTest(
  "kingbus ends a GTID dump at a transaction without GTID as the source does",
  ["mysql97"],
  async () => {
    const source = await sources.asSource();
    const modes = (...names: string[]): Promise<void> =>
      source.run(...names.map((name) => `SET GLOBAL gtid_mode = ${name}`));
    await source.run("CREATE TABLE test.t (id INT PRIMARY KEY)");
    await using kingbus = await TestKingbus.following(source, {
      server: { identity: "source" },
    });
    try {
      await modes("ON_PERMISSIVE", "OFF_PERMISSIVE");
      await source.run("INSERT INTO test.t VALUES (1)");
      // once its mode is ON again, the source sends it to nobody
      await assertSameFiles(kingbus, source.onDisk);
    } finally {
      await modes("ON_PERMISSIVE");
      await waitUntil(
        "no transaction without GTID was under way",
        async () => await modes("ON").then(() => true, () => false),
      );
    }
    await source.run("INSERT INTO test.t VALUES (2)");
    await kingbus.waitUntilHas(await executedOf(source));
    const uuid = await valueOf(source, "SELECT @@server_uuid");
    for (const executed of ["", `${uuid}:1`]) {
      const request = { executed, flags: 3 };
      const expected = await takeDump(source, request);
      // whoever has the first one is sent the files after it
      assertEquals(
        expected.end.includes("anonymous transaction"),
        executed === "",
      );
      const actual = await takeDump(kingbus, request);
      assertSameDump(actual, expected, {
        senderServerId: false,
        whereItFailed: true,
      });
    }
  },
);

await rigTest(
  "kingbus refuses what the source refuses, in the same words",
  ["mysql97"],
  async (_rig, context) => {
    await using comparison = await Comparison.open("source");
    const { uuid } = comparison;
    const requests: Record<string, DumpClientOptions> = {
      "an unknown file": { fileName: "binlog.000099" },
      "an unknown file by GTID": { fileName: "binlog.000099", executed: "" },
      "a position below 4": { fileName: "binlog.000001", position: 3 },
      "a position behind the end": {
        fileName: "binlog.000001",
        position: 99_999_999,
      },
      "a position in the header of an event": {
        fileName: "binlog.000001",
        position: 130,
      },
      // a client that has said nothing of itself is taken for an old one
      "no checksum": { checksum: null, heartbeatMs: 1000 },
      "no checksum by GTID": {
        executed: "",
        checksum: null,
        heartbeatMs: 1000,
      },
      "GTIDs that do not exist yet": { executed: `${uuid}:1-100000` },
    };
    for (const [what, request] of Object.entries(requests)) {
      await context.step(what, async () => {
        const expected = await takeDump(comparison.source, request);
        const actual = await takeDump(comparison.kingbus, request);
        assert(expected.end.startsWith("1236: "), expected.end);
        if (what.startsWith("a position in the header")) {
          // MySQL reads on and says what it stumbles over
          assert(actual.end.startsWith("1236: "), actual.end);
          return;
        }
        assertSameDump(actual, expected, {
          senderServerId: false,
          whereItFailed: true,
        });
      });
    }
  },
);

await rigTest(
  "kingbus refuses GTID dumps of what is purged as the source does",
  ["mysql97"],
  async () => {
    const source = await sources.asSource();
    await source.run(
      "CREATE TABLE test.t (id INT PRIMARY KEY)",
      "FLUSH LOGS",
      "INSERT INTO test.t VALUES (1)",
      "FLUSH LOGS",
      "INSERT INTO test.t VALUES (2)",
      "PURGE BINARY LOGS TO 'binlog.000003'",
    );
    await using kingbus = await TestKingbus.following(source);
    await kingbus.waitUntilHas(await executedOf(source));
    const uuid = await valueOf(source, "SELECT @@server_uuid");
    for (const gtids of ["", ":1", ":2", ":2-3", ":1-2", ":1-3"]) {
      const request = { executed: gtids === "" ? "" : uuid + gtids };
      const expected = await takeDump(source, request);
      const actual = await takeDump(kingbus, request);
      assertSameDump(actual, expected, { senderServerId: true });
    }
  },
);

await rigTest(
  "kingbus sends heartbeats as the source does while nothing happens",
  ["mysql97"],
  async () => {
    await using comparison = await Comparison.open("source");
    for (const flags of [0, 2]) {
      const request = { executed: "", flags, serverId: 55, heartbeatMs: 200 };
      const beats = async (
        address: { port: number },
      ): Promise<string[]> => {
        await using client = await DumpClient.open(address, request);
        const found: string[] = [];
        while (found.length < 3) {
          const event = (await client.next())!;
          if (isHeartbeat(event)) found.push(event.toHex());
        }
        return found;
      };
      assertEquals(
        await beats(comparison.kingbus),
        await beats(comparison.source),
      );
    }
  },
);

/** Writes more than a megabyte of small transactions in three files. */
async function writeManyTransactions(source: LaunchedServer): Promise<void> {
  await source.run(
    "CREATE TABLE test.t (id INT AUTO_INCREMENT PRIMARY KEY, data BLOB)",
    "CREATE PROCEDURE test.fill(IN count INT) BEGIN WHILE count > 0 DO " +
      "INSERT INTO test.t (data) VALUES (REPEAT('x', count % 300)); " +
      "SET count = count - 1; END WHILE; END",
    "CALL test.fill(2000)",
    "FLUSH LOGS",
    "CALL test.fill(1000)",
    "FLUSH LOGS",
    "CALL test.fill(500)",
  );
}

/** A set of some runs of transactions out of so many. */
function someOf(random: SeededRandom, uuid: string, count: number): GtidSet {
  const set = new GtidSet();
  for (let runs = random.integer(1, 5); runs > 0; runs--) {
    const first = random.integer(1, count);
    const length = random.pick([1, 2, 10, 200, 2000]);
    const last = Math.min(count, first + length - 1);
    set.addInterval(uuid, "", BigInt(first), BigInt(last));
  }
  if (random.chance(0.5)) set.addInterval(uuid, "", 1n, 1n);
  return set;
}

/** What of a set the source has: no replica has more. */
function intersect(executed: string, all: string): string {
  return GtidSet.parse(executed).intersect(GtidSet.parse(all)).toString();
}
