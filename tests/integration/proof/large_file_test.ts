import { assert, assertEquals } from "@std/assert";
import { eventTypeAt, logPosAt } from "../../../lib/binlog/event_header.ts";
import { EventType } from "../../../lib/binlog/event_type.ts";
import { decodeHeartbeat } from "../../../lib/binlog/heartbeat.ts";
import { decodeRotate } from "../../../lib/binlog/rotate.ts";
import { GtidSet } from "../../../lib/gtid/gtid_set.ts";
import {
  DumpFlag,
  encodeBinlogDumpGtid,
} from "../../../lib/protocol/command.ts";
import { REPLICATION_ACCOUNT } from "../../../scripts/test_servers/mysql56.ts";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { isHeartbeat } from "../../support/dump_client.ts";
import { grownLog, type Growth } from "../../support/grown_log.ts";
import type { LaunchedServer } from "../../support/launched_server.ts";
import { ScriptedClient } from "../../support/scripted_client.ts";
import { ServedStore } from "../../support/served_store.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";
import {
  checksumTables,
  executedOf,
  logEndOf,
} from "../../support/sql_server.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";
import { TEST_TABLE } from "../../support/test_table.ts";

const sources = new SharedMysql97(9768);
const replicas = new SharedMysql97(9769);

const GROWN_BYTES = 5 * 2 ** 30;
const FILE = "binlog.000001";

/** A server of kingbus's log, in which one block is 5 GiB large. */
class LargeFile implements AsyncDisposable {
  readonly #kingbus: TestKingbus;
  readonly #server: ServedStore;
  readonly port: number;
  /** GTIDs of what comes before and in that block. */
  readonly before: GtidSet;
  /** Position of the first transaction behind it. */
  readonly position: number;

  private constructor(
    kingbus: TestKingbus,
    server: ServedStore,
    before: GtidSet,
    position: number,
  ) {
    this.#kingbus = kingbus;
    this.#server = server;
    this.port = server.port;
    this.before = before;
    this.position = position;
  }

  static async open(source: LaunchedServer): Promise<LargeFile> {
    await source.run(
      TEST_TABLE,
      ...Array<string>(25).fill(
        "INSERT INTO test.t (data) VALUES (REPEAT('x', 15000))",
      ),
    );
    const kingbus = await TestKingbus.following(source);
    await kingbus.waitUntilHas(await executedOf(source));
    const { store } = kingbus;
    // the second block holds nothing but whole transactions
    const reader = await store.openReader({ fileNumber: 1, position: 4 });
    const before = new GtidSet();
    let blockEnd = 0;
    for (let block = 0; block < 2; block++) {
      const summary = (await reader.peek())!;
      before.addSet(summary.began);
      blockEnd = summary.endPosition;
      reader.skip();
    }
    const growth: Growth = { fileNumber: 1, blockEnd, bytes: GROWN_BYTES };
    const server = await ServedStore.start(grownLog(store, growth));
    // its last transaction may end in the next block
    const { rows } = await source.query(`SHOW BINLOG EVENTS IN '${FILE}'`);
    const begins = rows.filter((row) => row[2] === "Gtid")
      .map((row) => Number(row[1]));
    const next = begins.find((position) => position >= blockEnd)!;
    return new LargeFile(kingbus, server, before, next + GROWN_BYTES);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
    await this.#kingbus[Symbol.asyncDispose]();
  }
}

/** Reads a dump until so many heartbeats in a row have come. */
async function readToHeartbeats(
  client: ScriptedClient,
  count: number,
): Promise<Uint8Array[]> {
  const events: Uint8Array[] = [];
  for (let idle = 0; idle < count;) {
    const payload = await client.next();
    assert(payload !== null && payload[0] === 0, payload?.toHex());
    const event = payload.slice(1);
    events.push(event);
    idle = isHeartbeat(event) ? idle + 1 : 0;
  }
  return events;
}

await rigTest(
  "a 9.7 replica by GTID goes on behind 4 GiB of a file, and takes heartbeats there",
  ["mysql97"],
  async () => {
    const source = await sources.asSource();
    await using large = await LargeFile.open(source);
    const { server, replica } = await replicas.asReplica();
    await server.run(
      "SET sql_log_bin = 0",
      TEST_TABLE,
      "SET sql_log_bin = 1",
      `SET GLOBAL gtid_purged = '+${large.before}'`,
    );
    await replica.start({ port: large.port });
    await replica.waitUntilHas(await executedOf(source));
    const { position } = await logEndOf(source);
    const end = String(position + GROWN_BYTES);
    await waitUntil("the replica was at the end", async () => {
      return (await replica.state()).Read_Source_Log_Pos === end;
    });
    // heartbeats come every second, and each has to fit its own position
    const received = async (): Promise<number> => {
      const { rows } = await server.query(
        "SELECT COUNT_RECEIVED_HEARTBEATS FROM performance_schema.replication_connection_status",
      );
      return Number(rows[0]![0]);
    };
    const earlier = await received();
    await waitUntil(
      "two more heartbeats came",
      async () => await received() >= earlier + 2,
    );
    assertEquals(await replica.fault(), "");
    assert(await replica.isConnected());
    assertEquals((await replica.state()).Read_Source_Log_Pos, end);
    const sums = await checksumTables(server);
    assert(Object.keys(sums).length > 0);
    await replica.stop();
  },
);

await rigTest(
  "dumps behind 4 GiB of a file have 64-bit positions where the protocol has them",
  ["mysql97"],
  async () => {
    const source = await sources.asSource();
    await using large = await LargeFile.open(source);
    const { position: realEnd } = await logEndOf(source);
    const end = BigInt(realEnd + GROWN_BYTES);
    const low = Number(end & 0xffff_ffffn);
    for (const flags of [0, DumpFlag.HEARTBEAT_V2]) {
      using client = await ScriptedClient.open(large, REPLICATION_ACCOUNT, 0);
      await client.query(
        "SET @source_binlog_checksum = 'CRC32', @source_heartbeat_period = 100000000",
      );
      await client.send(encodeBinlogDumpGtid({
        flags,
        serverId: 99,
        fileName: FILE,
        position: BigInt(large.position),
        gtidSetBytes: new GtidSet().encode(),
      }));
      const events = await readToHeartbeats(client, 2);
      const [rotate, format, first] = events;
      assertEquals(decodeRotate(rotate!, "crc32"), {
        fileName: FILE,
        position: BigInt(large.position),
      });
      assertEquals(eventTypeAt(format!, 0), EventType.FORMAT_DESCRIPTION);
      assertEquals(eventTypeAt(first!, 0), EventType.GTID);
      assertEquals(
        logPosAt(first!, 0),
        (large.position + first!.length) % 2 ** 32,
      );
      const sent = events.slice(2).filter((event) => !isHeartbeat(event));
      const bytes = sent.reduce((sum, event) => sum + event.length, 0);
      assertEquals(BigInt(large.position + bytes), end);
      const beat = events.at(-1)!;
      const isSecond = flags !== 0;
      assertEquals(
        eventTypeAt(beat, 0),
        isSecond ? EventType.HEARTBEAT_V2 : EventType.HEARTBEAT,
      );
      assertEquals(logPosAt(beat, 0), low);
      assertEquals(
        decodeHeartbeat(beat, "crc32").position,
        isSecond ? end : BigInt(low),
      );
    }
  },
);
