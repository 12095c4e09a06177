import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { eventSizeAt, eventTypeAt } from "../../../lib/binlog/event_header.ts";
import { EventFlag, EventType } from "../../../lib/binlog/event_type.ts";
import { moveEvent } from "../../../lib/binlog/move_event.ts";
import { listBinlogPaths } from "../../../lib/import/binlog_path.ts";
import { importFiles } from "../../../lib/import/import_files.ts";
import { openMemoryStore } from "../../../lib/store/memory_store.ts";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { isArtificialRotate, isHeartbeat } from "../../support/dump_client.ts";
import { takeDump } from "../../support/dump_comparison.ts";
import { joinBytes } from "../../support/dump_packets.ts";
import type { LaunchedServer } from "../../support/launched_server.ts";
import { bareEvent } from "../../support/made_events.ts";
import { ServedStore } from "../../support/served_store.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";
import { readSourceFile } from "../../support/source_file.ts";
import { executedOf, valueOf } from "../../support/sql_server.ts";
import { TEST_TABLE } from "../../support/test_table.ts";

const sources = new SharedMysql97(9770);
const replicas = new SharedMysql97(9771);

const FILE = "binlog.000001";
/** The first type that 9.7 does not have. */
const UNKNOWN_TYPE = 43;
const MESSAGE = "disk was full";

/** The events of a file. */
function eventsOf(bytes: Uint8Array): Uint8Array[] {
  const events: Uint8Array[] = [];
  for (let at = 4; at < bytes.length; at += eventSizeAt(bytes, at)) {
    events.push(bytes.slice(at, at + eventSizeAt(bytes, at)));
  }
  return events;
}

/** LOST_EVENTS (`Incident_event` in MySQL's `control_events.h`). */
function incident(): Uint8Array {
  const message = new TextEncoder().encode(MESSAGE);
  const body = Uint8Array.of(1, 0, message.length, ...message);
  return bareEvent(EventType.INCIDENT, { body });
}

/** An event of later versions that older ones pass over. */
function unknown(): Uint8Array {
  const body = Uint8Array.from({ length: 100 }, (_, n) => n * 7 & 0xff);
  return bareEvent(UNKNOWN_TYPE, { body, flags: EventFlag.IGNORABLE });
}

/** A format description that has one type of events more. */
function withOneTypeMore(format: Uint8Array): Uint8Array {
  // the checksum's algorithm and the checksum stand behind the types
  const types = format.length - 5;
  const more = joinBytes([
    format.subarray(0, types),
    Uint8Array.of(0),
    format.subarray(types),
  ]);
  new DataView(more.buffer).setUint32(9, more.length, true);
  return more;
}

/**
 * A real file with an unknown event before and inside of a transaction, and an
 * incident with the GTID of the last transaction at its end.
 */
function withRareEvents(bytes: Uint8Array): Uint8Array[] {
  const events = eventsOf(bytes)
    .filter((event) => eventTypeAt(event, 0) !== EventType.ROTATE);
  const lastGtid = events.findLastIndex((event) =>
    eventTypeAt(event, 0) === EventType.GTID
  );
  const all = [
    withOneTypeMore(events[0]!),
    ...events.slice(1, lastGtid - 1),
    // inside of the transaction before the last, and before the last
    unknown(),
    ...events.slice(lastGtid - 1, lastGtid),
    unknown(),
    ...events.slice(lastGtid, lastGtid + 1),
    incident(),
  ];
  let position = 4;
  for (const event of all) {
    position += event.length;
    if (eventTypeAt(event, 0) === UNKNOWN_TYPE || event.length < 60) {
      event.set(all[2]!.subarray(0, 4)); // a time like the others'
      event.set(all[2]!.subarray(5, 9), 5); // and their server
    }
    moveEvent(event, 0, event.length, position, 4);
  }
  return all;
}

interface Rare extends AsyncDisposable {
  readonly source: LaunchedServer;
  readonly port: number;
  readonly events: readonly Uint8Array[];
}

/** A server of a log that has them. */
async function open(): Promise<Rare> {
  const source = await sources.asSource();
  await source.run(
    TEST_TABLE,
    "INSERT INTO test.t (data) VALUES ('one')",
    "INSERT INTO test.t (data) VALUES ('two')",
    "INSERT INTO test.t (data) VALUES ('never sent')",
    "FLUSH LOGS",
  );
  const events = withRareEvents(await readSourceFile(source.onDisk, FILE));
  const folder = await Deno.makeTempDir();
  const path = `${folder}/${FILE}`;
  await Deno.writeFile(
    path,
    joinBytes([Uint8Array.of(0xfe, 0x62, 0x69, 0x6e), ...events]),
  );
  const store = await openMemoryStore();
  await importFiles(store, await listBinlogPaths([path]), {
    serverUuid: await valueOf(source, "SELECT @@server_uuid"),
    acceptTornEnd: false,
  });
  await Deno.remove(folder, { recursive: true });
  const served = await ServedStore.start(store);
  return {
    source,
    port: served.port,
    events,
    async [Symbol.asyncDispose]() {
      await served[Symbol.asyncDispose]();
      await store.close();
    },
  };
}

await rigTest(
  "incidents and unknown events that may be ignored are passed through untouched",
  ["mysql97"],
  async (_rig, context) => {
    await using rare = await open();
    const types = rare.events.map((event) => eventTypeAt(event, 0));
    assert(types.includes(EventType.INCIDENT));
    assertEquals(types.filter((type) => type === UNKNOWN_TYPE).length, 2);
    const requests = {
      "a modern replica by GTID": { executed: "", flags: 3 },
      "a modern replica by position": { fileName: FILE, flags: 3 },
      "a 5.6 replica by GTID": { executed: "", names: "master" as const },
      "a 5.6 replica by position": { fileName: FILE, names: "master" as const },
      "a client that says NONE": { fileName: FILE, checksum: "NONE" as const },
    };
    for (const [what, request] of Object.entries(requests)) {
      await context.step(what, async () => {
        const { events, end } = await takeDump(rare, request);
        const logged = events.filter((event) =>
          !isArtificialRotate(event) && !isHeartbeat(event)
        );
        assertEquals(end, "EOF");
        assertEquals(
          logged.map((event) => event.toHex()),
          rare.events.map((event) => event.toHex()),
        );
      });
    }
  },
);

await rigTest(
  "a 9.7 replica ignores an unknown event of kingbus, and stops at an incident as MySQL has it",
  ["mysql97"],
  async () => {
    await using rare = await open();
    const { server, replica } = await replicas.asReplica();
    await replica.start({ port: rare.port });
    await waitUntil("the replica stopped at the incident", async () => {
      return (await replica.state()).Last_SQL_Errno !== "0";
    }, { deadlineMs: 30_000 });
    const state = await replica.state();
    assertEquals(state.Last_SQL_Errno, "13119");
    assertStringIncludes(state.Last_SQL_Error!, "LOST_EVENTS");
    assertStringIncludes(state.Last_SQL_Error!, MESSAGE);
    assertEquals(state.Last_IO_Errno, "0");
    assert(await replica.isConnected());
    const { rows } = await server.query("SELECT data FROM test.t ORDER BY id");
    assertEquals(rows, [["one"], ["two"]]);
    const uuid = await valueOf(rare.source, "SELECT @@server_uuid");
    assertEquals(await executedOf(server), `${uuid}:1-3`);
    await replica.stop();
  },
);
