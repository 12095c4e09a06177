import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { PacketWriter } from "../../../lib/connection/packet_writer.ts";
import { HEADER_BYTES } from "../../../lib/binlog/event_header.ts";
import { EventType } from "../../../lib/binlog/event_type.ts";
import { decodeHeartbeat } from "../../../lib/binlog/heartbeat.ts";
import { decodeRotate } from "../../../lib/binlog/rotate.ts";
import { GtidSet } from "../../../lib/gtid/gtid_set.ts";
import { silentLog } from "../../../lib/log/log.ts";
import { ProtocolError } from "../../../lib/protocol/protocol_error.ts";
import { LogDumpHandler } from "../../../lib/server/dump.ts";
import type {
  DumpRequest,
  DumpSession,
} from "../../../lib/server/dump_handler.ts";
import type { ReplicaSettings } from "../../../lib/server/replica_settings.ts";
import type { BinlogStore } from "../../../lib/store/binlog_store.ts";
import { UnfinishedEventError } from "../../../lib/server/unfinished_event_error.ts";
import { MemoryDisk } from "../../../lib/store/memory_engine.ts";
import { openMemoryStore } from "../../../lib/store/memory_store.ts";
import {
  type BinlogFixture,
  type FixtureServer,
  loadBinlogFixtures,
} from "../../support/binlog_fixture.ts";
import { joinBytes, splitPackets } from "../../support/dump_packets.ts";
import { LogFeeder } from "../../support/log_feeder.ts";
import { logFromFixtures } from "../../support/log_from_fixtures.ts";
import { MADE_UUID, MadeLog } from "../../support/made_log.ts";
import { PLAIN_SETTINGS } from "./plain_settings.ts";

const UUID97 = "d63952fd-e6f6-11f1-a979-02fc00000001";
const UUID56 = "5fd71d74-e6f7-11f1-af9c-02fc00000001";

/** The closed files of a captured server. */
function closedFiles(server: FixtureServer): BinlogFixture[] {
  return loadBinlogFixtures(server)
    .filter((one) => one.name.startsWith("binlog.")).slice(0, -1);
}

interface Sent {
  /** Whole events, in the order they were sent. */
  readonly events: Uint8Array[];
  readonly sequenceIds: number[];
}

/** A session that writes what it is sent down. */
function record(
  settings: Partial<ReplicaSettings> = {},
  signal = new AbortController().signal,
  beforeWrite: (chunk: Uint8Array) => Promise<void> | void = () => {},
): { session: DumpSession; sent: () => Sent } {
  const chunks: Uint8Array[] = [];
  const writer = new PacketWriter(
    new WritableStream<Uint8Array>({
      async write(chunk) {
        await beforeWrite(chunk);
        chunks.push(chunk.slice());
      },
    }),
  );
  const session: DumpSession = {
    connectionId: 1,
    log: silentLog(),
    writer,
    settings: { ...PLAIN_SETTINGS, ...settings },
    registered: undefined,
    serverId: 4242,
    writeTimeoutMs: 60_000,
    status: { file: "", position: 0, bytesSent: 0n },
    signal,
    nextSequenceId: 1,
    takeAck: () => {},
  };
  const sent = (): Sent => {
    const packets = splitPackets(joinBytes(chunks));
    return {
      events: packets.map((packet) => packet.payload.slice(1)),
      sequenceIds: packets.map((packet) => packet.sequenceId),
    };
  };
  return { session, sent };
}

function position(
  fileName: string,
  at: number,
  more: Partial<DumpRequest> = {},
): DumpRequest {
  return {
    mode: "position",
    flags: 1,
    serverId: 77,
    fileName,
    position: at,
    ...more,
  } as DumpRequest;
}

function gtid(executed: string, more: Partial<DumpRequest> = {}): DumpRequest {
  return {
    mode: "gtid",
    flags: 3,
    serverId: 77,
    fileName: "",
    position: 4n,
    executed: GtidSet.parse(executed),
    ...more,
  } as DumpRequest;
}

const typesOf = (sent: Sent) => sent.events.map((event) => event[4]!);
const isMade = (event: Uint8Array) =>
  event[4] === EventType.ROTATE && event[17] === 0x20;

async function dump(
  store: BinlogStore,
  request: DumpRequest,
  settings: Partial<ReplicaSettings> = {},
): Promise<Sent> {
  const { session, sent } = record(settings);
  await new LogDumpHandler(store).run(session, request);
  return sent();
}

for (
  const [server, uuid] of [["mysql56", UUID56], ["mysql97", UUID97]] as const
) {
  Deno.test(`a position dump sends ${server}'s files as they are, each behind a rotate`, async () => {
    const files = closedFiles(server);
    await using store = await logFromFixtures(files, uuid);
    const sent = await dump(store, position("", 4));
    assertEquals(
      sent.sequenceIds,
      sent.sequenceIds.map((_, index) => (index + 1) & 0xff),
    );
    const rotates = sent.events.filter(isMade);
    assertEquals(
      rotates.map((event, index) =>
        decodeRotate(
          event,
          index === 0 ? "crc32" : files[index - 1]!.algorithm,
        )
      ),
      files.map((file) => ({ position: 4n, fileName: file.name })),
    );
    assertEquals(
      joinBytes(sent.events.filter((event) => !isMade(event))),
      joinBytes(files.map((file) => file.bytes.subarray(4))),
    );
  });

  Deno.test(`a position dump of ${server} begins at every event of a file`, async () => {
    const file = closedFiles(server)[0]!;
    await using store = await logFromFixtures([file], uuid);
    for (const event of file.events.slice(1)) {
      const sent = await dump(store, position(file.name, event.position));
      assertEquals(
        decodeRotate(sent.events[0]!, "crc32").position,
        BigInt(event.position),
      );
      const format = sent.events[1]!;
      assertEquals(format[4], EventType.FORMAT_DESCRIPTION);
      const view = new DataView(format.buffer, format.byteOffset);
      assertEquals(view.getUint32(13, true), 0, "log_pos");
      assertEquals(view.getUint32(HEADER_BYTES + 52, true), 0, "created");
      assertEquals(
        joinBytes(sent.events.slice(2)),
        file.bytes.subarray(event.position),
      );
    }
  });
}

Deno.test("a GTID dump leaves out what the replica has and says where it stands", async () => {
  const files = closedFiles("mysql97");
  await using store = await logFromFixtures(files.slice(0, 3), UUID97);
  const gtids = files.slice(0, 3).flatMap((file) => file.truth.gtids_in_file);
  for (let has = 0; has <= gtids.length; has++) {
    const executed = gtids.slice(0, has).join(",");
    const sent = await dump(store, gtid(executed));
    const numbers = typesOf(sent).filter((type) =>
      type === EventType.GTID || type === EventType.GTID_TAGGED
    ).length;
    assertEquals(numbers, gtids.length - has, `has ${executed}`);
  }
});

Deno.test("a GTID dump sends one heartbeat for a run that is left out", async () => {
  const file = closedFiles("mysql97")[0]!;
  await using store = await logFromFixtures([file], UUID97);
  const has = `${UUID97}:1-3`;
  const sent = await dump(store, gtid(has));
  const types = typesOf(sent);
  assertEquals(types.slice(0, 5), [
    EventType.ROTATE,
    EventType.FORMAT_DESCRIPTION,
    EventType.PREVIOUS_GTIDS,
    EventType.HEARTBEAT_V2,
    EventType.GTID,
  ]);
  const fourth = file.events.filter((event) => event.type === EventType.GTID)[
    3
  ]!;
  assertEquals(decodeHeartbeat(sent.events[3]!, "crc32"), {
    fileName: file.name,
    position: BigInt(fourth.position),
  });
  // The replica has the file's begin: it must keep its temporary tables.
  const format = sent.events[1]!;
  const view = new DataView(format.buffer, format.byteOffset);
  assertEquals(view.getUint32(13, true), file.events[1]!.position);
  assertEquals(view.getUint32(HEADER_BYTES + 52, true), 0);
  assertEquals(
    joinBytes(sent.events.slice(4)),
    file.bytes.subarray(fourth.position),
  );
});

Deno.test("a GTID dump looks for the first transaction behind large previous GTIDs", async () => {
  const purged = new GtidSet();
  // More than a block: every second number of so many.
  for (let gno = 1n; gno < 12_000n; gno += 2n) {
    purged.addInterval(MADE_UUID, "", gno, gno);
  }
  const made = new MadeLog(purged);
  await using store = await openMemoryStore();
  const feeder = new LogFeeder(store.writer);
  feeder.startFile("binlog.000001");
  const begin = made.beginFile();
  const createdAt = HEADER_BYTES + 52;
  new DataView(begin[0]!.buffer).setUint32(createdAt, 1_700_000_000, true);
  feeder.push(begin);
  feeder.push(made.transaction({ gno: 20_000n }));
  const executed = made.executed.clone();
  feeder.push(made.transaction({ gno: 20_001n }));
  await store.writer.flush();
  for (const has of [executed, purged]) {
    const sent = await dump(store, gtid(has.toString()), { checksum: "none" });
    const created = new DataView(sent.events[1]!.buffer)
      .getUint32(createdAt, true);
    assertEquals(created, has === executed ? 0 : 1_700_000_000);
  }
});

Deno.test("a GTID dump that has everything ends with a heartbeat", async () => {
  const file = closedFiles("mysql56")[0]!;
  // Without the rotate, which is sent in any case.
  const open = {
    ...file,
    events: file.events.slice(0, -1),
  };
  await using store = await logFromFixtures([open], UUID56);
  const sent = await dump(store, gtid(store.head!.executed.toString()), {
    modern: false,
  });
  // Of the old kind, though asked for the new one, which 5.6 does not know: no
  // replica takes what is not in the file's format description.
  assertEquals(typesOf(sent).at(-1), EventType.HEARTBEAT);
  assertEquals(decodeHeartbeat(sent.events.at(-1)!, "crc32"), {
    fileName: file.name,
    position: BigInt(store.head!.position),
  });
});

Deno.test("a GTID dump begins in the newest file it can", async () => {
  const files = closedFiles("mysql97");
  await using store = await logFromFixtures(files, UUID97);
  for (const [index, file] of files.slice(0, 6).entries()) {
    const before = file.truth.previous_gtids ?? "";
    if (files[index + 1]?.truth.previous_gtids === before) continue;
    const sent = await dump(store, gtid(before)).catch(() => undefined);
    if (sent === undefined) continue;
    assertEquals(decodeRotate(sent.events[0]!, "crc32").fileName, file.name);
  }
});

Deno.test("a GTID dump stops at an anonymous transaction", async () => {
  const files = closedFiles("mysql97");
  await using store = await logFromFixtures(files, UUID97);
  await assertRejects(
    () => dump(store, gtid("")),
    ProtocolError,
    "Cannot replicate anonymous transaction when AUTO_POSITION = 1, at file ./binlog.000007, position ",
  );
});

Deno.test("dumps that can't begin are refused with MySQL's words", async () => {
  const files = closedFiles("mysql97").slice(1, 3);
  await using store = await logFromFixtures(files, UUID97);
  const first = files[0]!;
  const cases: [DumpRequest, Partial<ReplicaSettings>, string][] = [
    [
      position("nosuch.000001", 4),
      {},
      "Could not find first log file name in binary log index file",
    ],
    [
      position(first.name, 3),
      {},
      "Client requested source to start replication from position < 4",
    ],
    [
      position(first.name, 3),
      { modern: false },
      "Client requested master to start replication from position < 4",
    ],
    [
      position(first.name, first.bytes.length + 1),
      {},
      "Client requested source to start replication from position > file size",
    ],
    [
      position(first.name, first.events[2]!.position + 1),
      {},
      `bogus data in log event; the first event '${first.name}' at `,
    ],
    [
      gtid(""),
      {},
      "Cannot replicate because the source purged required binary logs. Replicate the missing transactions from elsewhere, or provision a new replica from backup. Consider increasing the source's binary log expiration period. The GTID set sent by the replica is '', and the missing transactions are '",
    ],
    [
      gtid(""),
      { modern: false },
      "The slave is connecting using CHANGE MASTER TO MASTER_AUTO_POSITION = 1, but the master has purged binary logs containing GTIDs that the slave requires.",
    ],
    [
      gtid(`${store.head!.executed},${UUID97}:1-9999`),
      {},
      "Replica has more GTIDs than the source has, using the source's SERVER_UUID.",
    ],
    [
      position(first.name, 4),
      { checksum: undefined },
      `Replica can not handle replication events with the checksum that source is configured to log; the first event '${first.name}' at 4, `,
    ],
  ];
  for (const [request, settings, message] of cases) {
    const error = await assertRejects(
      () => dump(store, request, settings),
      ProtocolError,
      message,
    );
    assertEquals(error.code, 1236);
  }
});

Deno.test("a dump of an empty log asks the replica to try again", async () => {
  await using store = await logFromFixtures([], UUID97);
  const error = await assertRejects(
    () => dump(store, gtid("")),
    ProtocolError,
  );
  assertEquals(error.code, 1105);
});

Deno.test("a dump with GTIDs of servers the log does not know goes on", async () => {
  const file = closedFiles("mysql56")[0]!;
  await using store = await logFromFixtures([file], UUID56);
  const sent = await dump(
    store,
    gtid("aaaaaaaa-e6f6-11f1-a4b5-02fc00000001:1-100"),
  );
  assertEquals(joinBytes(sent.events.slice(1)), file.bytes.subarray(4));
});

Deno.test("a blocking dump sends heartbeats, then what is appended, until told to end", async () => {
  const files = closedFiles("mysql97").slice(0, 2);
  await using store = await logFromFixtures(files, UUID97);
  const controller = new AbortController();
  const { session, sent } = record(
    { heartbeatPeriodNs: 5_000_000n },
    controller.signal,
  );
  const running = new LogDumpHandler(store).run(
    session,
    position(files[0]!.name, 4, { flags: 2 }),
  );
  const deadline = Date.now() + 5000;
  while (typesOf(sent()).at(-1) !== EventType.HEARTBEAT_V2) {
    if (Date.now() > deadline) throw new Error("no heartbeat");
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  assertEquals(decodeHeartbeat(sent().events.at(-1)!, "crc32"), {
    fileName: files[1]!.name,
    position: BigInt(files[1]!.bytes.length),
  });
  controller.abort();
  await running;
  assertEquals(session.status.file, files[1]!.name);
  assertEquals(session.status.position, files[1]!.bytes.length);
});

Deno.test("a dump to a MariaDB client has heartbeats of the old kind", async () => {
  const file = closedFiles("mysql56")[0]!;
  await using store = await logFromFixtures([file], UUID56);
  const controller = new AbortController();
  const { session, sent } = record(
    { heartbeatPeriodNs: 2_000_000n, mariadbCapability: 4 },
    controller.signal,
  );
  const running = new LogDumpHandler(store).run(
    session,
    position(file.name, 4, { flags: 2 }),
  );
  const deadline = Date.now() + 5000;
  while (typesOf(sent()).at(-1) !== EventType.HEARTBEAT) {
    if (Date.now() > deadline) throw new Error("no heartbeat");
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  controller.abort();
  await running;
});

Deno.test("a dump counts as reading its file before anything is sent", async () => {
  const files = closedFiles("mysql97").slice(0, 2);
  await using store = await logFromFixtures(files, UUID97);
  const stuck = Promise.withResolvers<void>();
  const { session } = record({ uuid: UUID97 }, undefined, () => stuck.promise);
  const begun: [string, string, number][] = [];
  const handler = new LogDumpHandler(store, {
    onBegin: (uuid, { file, position }) => {
      begun.push([uuid, file.name, position]);
      assertEquals(session.status.file, file.name);
    },
  });
  const running = handler.run(session, position(files[1]!.name, 4));
  // As long as nothing but promises that are settled was awaited.
  await Promise.resolve();
  await Promise.resolve();
  await Promise.resolve();
  assertEquals(begun, [[UUID97, files[1]!.name, 4]]);
  assertEquals([session.status.file, session.status.position], [
    files[1]!.name,
    4,
  ]);
  stuck.resolve();
  await running;
});

/** A log of four files of some blocks each. */
async function madeDisk(): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  await using made = await openMemoryStore(disk);
  const log = new MadeLog();
  const feeder = new LogFeeder(made.writer);
  for (let file = 1; file <= 4; file++) {
    feeder.startFile(`binlog.00000${file}`);
    feeder.push(log.beginFile());
    for (let count = 0; count < 3; count++) {
      feeder.push(log.transaction({ rows: [50_000] }));
    }
    feeder.push(log.transaction({ rows: [200_000] }));
  }
  await made.writer.flush();
  return disk;
}

/** That log with one block damaged. */
async function damagedLog(block: number): Promise<BinlogStore> {
  const disk = await madeDisk();
  disk.blocks.get(block)![7]! ^= 1;
  return await openMemoryStore(disk, { store: "/data/kingbus.db" });
}

Deno.test("a dump that comes to a damaged block ends with 1236, others go on", async () => {
  await using store = await damagedLog(1);
  const { session, sent } = record();
  const error = await assertRejects(
    () => new LogDumpHandler(store).run(session, position("", 4)),
    ProtocolError,
  );
  assertEquals(error.code, 1236);
  const at = sent().events.filter((one) => !isMade(one)).at(-1)!;
  const end = new DataView(at.buffer, at.byteOffset).getUint32(13, true);
  assertStringIncludes(
    error.message,
    `binlog.000001 can't be read from position ${end} on`,
  );
  assert(sent().events.length > 5);
  const others = await dump(store, position("binlog.000002", 4));
  assertEquals(others.events.filter(isMade).length, 3);
});

Deno.test("a dump that comes to a damaged block inside an event says nothing more", async () => {
  // The second block of the large event.
  const disk = await damagedLog(4);
  await using store = disk;
  const { session } = record();
  const error = await assertRejects(
    () => new LogDumpHandler(store).run(session, position("", 4)),
    UnfinishedEventError,
  );
  assertStringIncludes(error.message, "block 4 of the store /data/kingbus.db");
  assertStringIncludes(error.message, "binlog.000001 from position ");
});

/** Runs a dump under which files are purged as soon as it sends something. */
async function purgedUnder(
  request: DumpRequest,
  upTo: number,
  disk?: MemoryDisk,
): Promise<{ error: unknown; sent: Sent }> {
  await using store = await openMemoryStore(disk ?? await madeDisk(), {
    tailBytes: 0,
    cacheBytes: 1,
  });
  let purging: Promise<unknown> | undefined;
  const { session, sent } = record({}, undefined, async () => {
    await (purging ??= store.purge(upTo));
  });
  try {
    await new LogDumpHandler(store).run(session, request);
    return { error: undefined, sent: sent() };
  } catch (error) {
    return { error, sent: sent() };
  }
}

Deno.test("a dump whose file is purged ends with 1236", async () => {
  for (const request of [position("binlog.000001", 4), gtid("")]) {
    const { error, sent } = await purgedUnder(request, 4);
    assert(error instanceof ProtocolError, String(error));
    assertEquals(error.code, 1236);
    const name = request.fileName;
    assertStringIncludes(
      error.message,
      `could not find next log; the first event '${name}' at 4, the last event read from './binlog.00000`,
    );
    assert(sent.events.length > 0);
  }
});

Deno.test("a dump whose file is purged inside an event says nothing more", async () => {
  const disk = new MemoryDisk();
  const made = await openMemoryStore(disk);
  const log = new MadeLog();
  const feeder = new LogFeeder(made.writer);
  for (const name of ["binlog.000001", "binlog.000002"]) {
    feeder.startFile(name);
    feeder.push(log.beginFile());
    feeder.push(log.transaction({ rows: [3_000_000] }));
  }
  await made.close();
  const { error } = await purgedUnder(position("", 4), 2, disk);
  assert(error instanceof UnfinishedEventError, String(error));
  assertStringIncludes(error.message, "binlog.000001: it was purged");
});

Deno.test("a dump goes on when files before its own are purged", async () => {
  const request = position("binlog.000003", 4);
  const { error, sent } = await purgedUnder(request, 3);
  assertEquals(error, undefined);
  await using store = await openMemoryStore(await madeDisk());
  assertEquals(sent, await dump(store, request));
});

Deno.test("a dump that needs what was purged gets MySQL's 1236", async () => {
  await using store = await openMemoryStore(await madeDisk());
  await store.purge(3);
  const refused = async (
    request: DumpRequest,
    modern = true,
  ): Promise<string> => {
    const error = await assertRejects(
      () => dump(store, request, { modern }),
      ProtocolError,
    );
    assertEquals(error.code, 1236);
    return error.message;
  };
  // The source had executed 1 to 4 in the first file, 5 to 8 in the second.
  assertEquals(
    await refused(gtid(`${MADE_UUID}:1-6`)),
    `Cannot replicate because the source purged required binary logs. Replicate the missing transactions from elsewhere, or provision a new replica from backup. Consider increasing the source's binary log expiration period. The GTID set sent by the replica is '${MADE_UUID}:1-6', and the missing transactions are '${MADE_UUID}:7-8'`,
  );
  assertEquals(
    await refused(gtid(""), false),
    "The slave is connecting using CHANGE MASTER TO MASTER_AUTO_POSITION = 1, but the master has purged binary logs containing GTIDs that the slave requires.",
  );
  assertEquals(
    await refused(position("binlog.000002", 4)),
    "Could not find first log file name in binary log index file",
  );
  const { events } = await dump(store, gtid(`${MADE_UUID}:1-8`));
  assertEquals(events.filter(isMade).length, 2);
  // Without a file a dump begins with the oldest.
  assertEquals(
    (await dump(store, position("", 4))).events.length,
    events.length,
  );
});
