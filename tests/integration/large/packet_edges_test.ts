import { assert, assertEquals } from "@std/assert";
import { EventType } from "../../../lib/binlog/event_type.ts";
import { eventTypeAt } from "../../../lib/binlog/event_header.ts";
import { type Rig, rigTest } from "../../../scripts/test_servers/rig.ts";
import {
  DumpClient,
  type DumpClientOptions,
} from "../../support/dump_client.ts";
import {
  edgeSizes,
  LARGE_TABLE,
  type LargeRows,
  writeRowsEvents,
} from "../../support/large_rows.ts";
import type { LaunchedServer } from "../../support/launched_server.ts";
import { RawCopy } from "../../support/raw_copy.ts";
import {
  makeSemiSyncReplica,
  makeSemiSyncSource,
  semiSyncStatus,
} from "../../support/semi_sync_plugin.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";
import {
  assertSameBytes,
  assertSameFiles,
  readSourceFile,
} from "../../support/source_file.ts";
import {
  checksumTables,
  executedOf,
  type TestReplica,
  valueOf,
} from "../../support/sql_server.ts";
import { type ServerAddress, TestKingbus } from "../../support/test_kingbus.ts";

const PACKET = "--max-allowed-packet=128M";
const sources = new SharedMysql97(9761, [PACKET]);
const replicas = new SharedMysql97(9762, [
  PACKET,
  "--replica-max-allowed-packet=1G",
]);

/** Around one full part every size, around two those of a plain dump. */
const SIZES = [...edgeSizes(1), ...edgeSizes(2).slice(2)];
const FILE = "binlog.000001";

async function largeSource(): Promise<
  { source: LaunchedServer; events: LargeRows[] }
> {
  const source = await sources.asSource();
  await source.query(LARGE_TABLE);
  const events = await writeRowsEvents(source, SIZES);
  assertEquals(events.map(({ size }) => size), SIZES);
  return { source, events };
}

/** The first rows event that a dump brings, and how many events came before. */
async function firstRows(
  address: ServerAddress,
  request: DumpClientOptions,
): Promise<{ event: Uint8Array; before: number }> {
  await using client = await DumpClient.open(address, request);
  for (let before = 0;; before++) {
    const event = await client.next();
    assert(event !== null, "the dump has ended");
    if (eventTypeAt(event, 0) === EventType.WRITE_ROWS) {
      return { event, before };
    }
  }
}

async function assertReplicated(
  source: LaunchedServer,
  to: { server: LaunchedServer; replica: TestReplica },
): Promise<void> {
  await to.replica.waitUntilHas(await executedOf(source));
  assertEquals(await checksumTables(to.server), await checksumTables(source));
}

await rigTest(
  "events of full packets pass through kingbus to everyone, byte for byte",
  ["mysql97", "mysql97-replica", "mysqlbinlog"],
  async (rig, context) => {
    const { source, events } = await largeSource();
    await using kingbus = await TestKingbus.following(source, {
      server: { identity: "source" },
    });
    await context.step(
      "to a client by position",
      () => assertSameFiles(kingbus, source.onDisk),
    );
    await context.step("through a second kingbus", async () => {
      await using second = await TestKingbus.following(kingbus);
      await assertSameFiles(second, source.onDisk);
    });
    for (const how of ["BINLOG-DUMP-NON-GTIDS", "BINLOG-DUMP-GTIDS"]) {
      await context.step(
        `to mysqlbinlog --raw, ${how}`,
        () => assertCopied(rig, kingbus, source, how),
      );
    }
    await context.step("to whoever begins right before one", async () => {
      for (const { position, size } of events) {
        const request = { fileName: FILE, position };
        const { event, before } = await firstRows(kingbus, request);
        const expected = await firstRows(source, request);
        assertEquals({ size: event.length, before }, {
          size,
          before: expected.before,
        });
        assertSameBytes(`${position}`, event, expected.event);
      }
    });
    await context.step("to whoever has all before one by GTID", async () => {
      const uuid = await valueOf(source, "SELECT @@server_uuid");
      // CREATE TABLE and the empty value come first.
      for (const [index, { size }] of events.entries()) {
        const request = { executed: `${uuid}:1-${index + 2}` };
        const { event, before } = await firstRows(kingbus, request);
        const expected = await firstRows(source, request);
        assertEquals({ size: event.length, before }, {
          size,
          before: expected.before,
        });
        assertSameBytes(request.executed, event, expected.event);
      }
    });
    await context.step("to a MySQL 9.7 replica by GTID", async () => {
      const to = await replicas.asReplica();
      await to.replica.start({ port: kingbus.port });
      await assertReplicated(source, to);
    });
    await context.step("to a MySQL 9.7 replica by position", async () => {
      const to = await replicas.asReplica();
      const from = { fileName: FILE, position: 4 };
      await to.replica.start({ port: kingbus.port, from });
      await assertReplicated(source, to);
    });
  },
);

async function assertCopied(
  rig: Rig,
  kingbus: TestKingbus,
  source: LaunchedServer,
  how: string,
): Promise<void> {
  await using copy = await RawCopy.open(
    rig.program("mysqlbinlog"),
    kingbus.port,
  );
  await copy.run(`--read-from-remote-source=${how}`, FILE);
  const bytes = copy.files().get(FILE);
  assert(bytes !== undefined);
  assertSameBytes(FILE, bytes, await readSourceFile(source.onDisk, FILE));
}

await rigTest(
  "events of full packets pass through kingbus with semi-sync packets on both sides",
  ["mysql97", "mysql97-replica"],
  async () => {
    const source = await sources.asSource();
    await source.query(LARGE_TABLE);
    await using _semiSync = await makeSemiSyncSource(source);
    const to = await replicas.asReplica();
    await makeSemiSyncReplica(to.server);
    await using kingbus = await TestKingbus.following(source, {
      source: { semiSync: true },
      server: { semiSync: { replicas: 0, timeoutMs: 1000 } },
    });
    await to.replica.start({ port: kingbus.port });
    await kingbus.waitUntilDumping(1);
    // Each commit returns when kingbus has acknowledged it.
    const events = await writeRowsEvents(source, SIZES);
    assertEquals(events.map(({ size }) => size), SIZES);
    await assertReplicated(source, to);
    await assertSameFiles(kingbus, source.onDisk);
    assertEquals((await semiSyncStatus(source)).no_tx, "0");
    const [replica] = kingbus.replicas.filter(({ state }) =>
      state === "dumping"
    );
    assert(
      replica?.acks !== undefined && replica.acks.received >= SIZES.length,
    );
  },
);
