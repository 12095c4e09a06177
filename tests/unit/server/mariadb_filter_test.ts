import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  eventChecksumOk,
  writeEventChecksum,
} from "../../../lib/binlog/checksum.ts";
import { eventTypeAt, logPosAt } from "../../../lib/binlog/event_header.ts";
import { EventType } from "../../../lib/binlog/event_type.ts";
import { decodeFormatDescription } from "../../../lib/binlog/format_description.ts";
import { MariadbGtidReader } from "../../../lib/binlog/mariadb_gtid_event.ts";
import { decodeMariadbGtidList } from "../../../lib/binlog/mariadb_gtid_list.ts";
import { decodeQuery } from "../../../lib/binlog/query_event.ts";
import {
  formatMariadbGtid,
  type MariadbGtid,
} from "../../../lib/gtid/mariadb_gtid.ts";
import { formatMariadbGtidPosition } from "../../../lib/gtid/mariadb_gtid_position.ts";
import { ProtocolError } from "../../../lib/protocol/protocol_error.ts";
import type { FilterSink } from "../../../lib/server/dump_filter.ts";
import type { MariadbGtidDumpRequest } from "../../../lib/server/dump_handler.ts";
import { MariadbFilter } from "../../../lib/server/mariadb_filter.ts";
import { MariadbGroups } from "../../../lib/server/mariadb_groups.ts";
import {
  findMariadbStart,
  MariadbGtidNotFoundError,
  type MariadbStart,
} from "../../../lib/server/mariadb_start.ts";
import {
  type BinlogStore,
  FIRST_POSITION,
} from "../../../lib/store/binlog_store.ts";
import {
  type BinlogFixture,
  loadBinlogFixtures,
} from "../../support/binlog_fixture.ts";
import {
  dumpPackets,
  joinBytes,
  splitPackets,
} from "../../support/dump_packets.ts";
import { logFromFixtures } from "../../support/log_from_fixtures.ts";

/** Captured files: two domains, three servers, gaps, XA, without checksums. */
const FIXTURES: readonly BinlogFixture[] = loadBinlogFixtures("mariadb1011")
  .filter((one) => one.name.startsWith("binlog.")).slice(0, -1);

/** The GTIDs of the captured log, in order. */
const GTIDS: readonly MariadbGtid[] = FIXTURES.flatMap((fixture) =>
  fixture.events
    .filter(({ type }) => type === EventType.MARIADB_GTID)
    .map(({ bytes }) => gtidOf(bytes))
);

/** The GTID of such an event. */
function gtidOf(event: Uint8Array): MariadbGtid {
  const reader = new MariadbGtidReader();
  reader.read(event, 0, event.length);
  return reader.gtid;
}

/** Where a replica is that has the first `count` transactions. */
function positionAfter(count: number): string {
  const last = new Map<number, MariadbGtid>();
  for (const gtid of GTIDS.slice(0, count)) last.set(gtid.domain, gtid);
  return formatMariadbGtidPosition([...last.values()]);
}

function startOf(
  store: BinlogStore,
  connectState: string,
  more: Partial<MariadbGtidDumpRequest> = {},
): MariadbStart {
  return findMariadbStart(store, store.head!.mariadb!, {
    mode: "mariadb-gtid",
    flags: 3,
    serverId: 77,
    fileName: "",
    position: 4,
    connectState,
    strict: false,
    ignoreDuplicates: false,
    untilGtid: undefined,
    ...more,
  });
}

/** How runs are cut: whole files, or wherever a stored run may end. */
type Cut = "files" | "events" | "inside";

/** A sink that writes down what it is sent. */
class Recorder implements FilterSink {
  position = FIRST_POSITION;
  finished = false;
  readonly #parts: Uint8Array[] = [];

  send(run: Uint8Array, start: number, end: number): void {
    this.#parts.push(run.slice(start, end));
  }

  leaveOut(): void {}

  insert(event: Uint8Array): Promise<void> {
    this.#parts.push(dumpPackets([event]));
    return Promise.resolve();
  }

  anonymous(): never {
    throw new TypeError("Nothing is anonymous");
  }

  finish(): void {
    this.finished = true;
  }

  /** What was sent, as events. */
  get events(): Uint8Array[] {
    return splitPackets(joinBytes(this.#parts))
      .map(({ payload }) => payload.slice(1));
  }
}

/** Sends the files from one on through a filter. */
async function filterFiles(
  store: BinlogStore,
  filter: MariadbFilter,
  from = 1,
  cut: Cut = "files",
): Promise<Recorder> {
  const sink = new Recorder();
  for (const file of store.files.slice(from - 1)) {
    filter.startFile(file);
    const fixture = FIXTURES[file.number - 1]!;
    const events = fixture.events.map(({ bytes }) => bytes);
    const runs = cut === "files" ? [events] : events.map((event) => [event]);
    for (const run of runs) {
      if (sink.finished) return sink;
      await filter.take(dumpPackets(run), sink);
    }
  }
  return sink;
}

function filterWith(
  store: BinlogStore,
  start: MariadbStart | undefined,
  options: Partial<ConstructorParameters<typeof MariadbFilter>[0]> = {},
): MariadbFilter {
  return new MariadbFilter({
    capability: 4,
    annotations: true,
    skipReplication: false,
    serverId: 4242,
    groups: start && new MariadbGroups(start, {
      strict: false,
      logState: () => store.head?.mariadb,
    }),
    ...options,
  });
}

function gtidsOf(events: readonly Uint8Array[]): string[] {
  return events
    .filter((event) => eventTypeAt(event, 0) === EventType.MARIADB_GTID)
    .map((event) => formatMariadbGtid(gtidOf(event)));
}

const isMadeList = (event: Uint8Array): boolean =>
  event[4] === EventType.MARIADB_GTID_LIST && event[17] === 0x20;

Deno.test("MariadbFilter sends what a replica lacks, wherever it is, and nothing else", async () => {
  await using store = await logFromFixtures(FIXTURES, "");
  assert(GTIDS.length > 30);
  for (let count = 0; count <= GTIDS.length; count++) {
    const start = startOf(store, positionAfter(count));
    const filter = filterWith(store, start);
    const { events } = await filterFiles(store, filter, start.file.number);
    assertEquals(
      gtidsOf(events),
      GTIDS.slice(count).map(formatMariadbGtid),
      `after ${count}`,
    );
    // groups come whole: with each GTID all that is behind it
    const behind = FIXTURES.flatMap((fixture) => fixture.events)
      .filter(({ type }) =>
        type === EventType.XID || type === EventType.TABLE_MAP
      ).length;
    const sent = events.filter((event) =>
      [EventType.XID, EventType.TABLE_MAP].includes(event[4] as 16)
    ).length;
    if (count === 0) {
      assertEquals(sent, behind);
    }
    if (count === GTIDS.length) {
      assertEquals(sent, 0);
    }
  }
});

Deno.test("MariadbFilter decides the same however runs are cut", async () => {
  await using store = await logFromFixtures(FIXTURES, "");
  for (const capability of [0, 2, 4]) {
    for (let count = 0; count <= GTIDS.length; count += 5) {
      const sent = [];
      for (const cut of ["files", "events"] as const) {
        const start = startOf(store, positionAfter(count));
        const filter = filterWith(store, start, {
          capability,
          annotations: false,
        });
        const { events } = await filterFiles(
          store,
          filter,
          start.file.number,
          cut,
        );
        sent.push(events.map((event) => event.toHex()));
      }
      assertEquals(sent[0], sent[1]);
    }
  }
});

Deno.test("MariadbFilter tells a replica how far it is once it has reached its position", async () => {
  await using store = await logFromFixtures(FIXTURES, "");
  const start = startOf(store, "0-8001-3");
  const { events } = await filterFiles(store, filterWith(store, start));
  const made = events.filter(isMadeList);
  assertEquals(made.length, 1);
  const { state } = decodeMariadbGtidList(made[0]!, "crc32");
  assertEquals(state.toString(), "0-8001-3");
  // the next event is the next group's first
  const next = events[events.indexOf(made[0]!) + 1]!;
  assertEquals(gtidsOf([next]), ["0-8001-4"]);
});

Deno.test("MariadbFilter hides a server's start from a replica that is behind it", async () => {
  await using store = await logFromFixtures(FIXTURES, "");
  const createdOf = async (connectState: string): Promise<number[]> => {
    const start = startOf(store, connectState);
    const filter = filterWith(store, start);
    const { events } = await filterFiles(store, filter, start.file.number);
    return events
      .filter(({ 4: type }) => type === EventType.FORMAT_DESCRIPTION)
      .map((event) => decodeFormatDescription(event).createdAt);
  };
  const first = FIXTURES[0]!.truth.event_list.length > 0 &&
    decodeFormatDescription(FIXTURES[0]!.events[0]!.bytes).createdAt;
  assert(first !== 0);
  assertEquals((await createdOf(""))[0], first);
  assertEquals((await createdOf("0-8001-3"))[0], 0);
  // a domain of another source says nothing of this one
  assertEquals((await createdOf("9-9-9"))[0], first);
});

Deno.test("MariadbFilter becomes passive once everything is sent as it is", async () => {
  await using store = await logFromFixtures(FIXTURES, "");
  const start = startOf(store, "0-8001-3");
  const filter = filterWith(store, start);
  assertEquals(filter.isPassive, false);
  await filterFiles(store, filter);
  assertEquals(filter.isPassive, true);
  assertEquals(filterWith(store, undefined).isPassive, true);
  const lessAble = [
    { capability: 3 },
    { annotations: false },
    { skipReplication: true },
  ];
  for (const options of lessAble) {
    const some = filterWith(store, undefined, options);
    await filterFiles(store, some);
    assertEquals(some.isPassive, false);
  }
});

Deno.test("MariadbFilter ends behind the transaction that a replica wants to end with", async () => {
  await using store = await logFromFixtures(FIXTURES, "");
  for (let count = 1; count < 20; count++) {
    const start = startOf(store, "", { untilGtid: positionAfter(count) });
    const filter = filterWith(store, start);
    const { events, finished } = await filterFiles(store, filter);
    assertEquals(finished, true);
    assertEquals(gtidsOf(events), GTIDS.slice(0, count).map(formatMariadbGtid));
    const last = events.at(-1)!;
    assert(isMadeList(last));
    const { flags, state } = decodeMariadbGtidList(last, "crc32");
    assertEquals(flags, 0x1000_0000);
    assertEquals(
      formatMariadbGtidPosition(state.position()),
      positionAfter(count),
    );
  }
});

Deno.test("MariadbFilter leaves marked events out for who does not want them", async () => {
  await using store = await logFromFixtures(FIXTURES, "");
  const isMarked = (event: Uint8Array) => (event[18]! & 0x80) !== 0;
  const all = await filterFiles(store, filterWith(store, undefined));
  assert(all.events.some(isMarked));
  const some = await filterFiles(
    store,
    filterWith(store, undefined, { skipReplication: true }),
  );
  assertEquals(
    some.events.map((event) => event.toHex()),
    all.events.filter((event) => !isMarked(event))
      .map((event) => event.toHex()),
  );
});

Deno.test("MariadbFilter replaces an annotation larger than a run piece by piece", async () => {
  await using store = await logFromFixtures(FIXTURES, "");
  // more than a packet holds, too
  const size = 0xff_ffff + 100_000;
  const event = new Uint8Array(size).fill(0x61);
  event.set(FIXTURES[0]!.events[3]!.bytes.subarray(0, 19));
  event[4] = EventType.MARIADB_ANNOTATE_ROWS;
  new DataView(event.buffer).setUint32(9, size, true);
  writeEventChecksum(event);
  const stream = dumpPackets([event]);
  const filter = filterWith(store, undefined, {
    capability: 0,
    annotations: false,
  });
  filter.startFile(store.files[0]!);
  const sent: Uint8Array[] = [];
  const sink = new Recorder();
  sink.send = (run, start, end) => void sent.push(run.slice(start, end));
  // no packet header is ever cut
  const second = 4 + 0xff_ffff;
  for (const [from, to] of [[0, 64_000], [64_000, second], [second, 1e9]]) {
    await filter.take(stream.subarray(from, to), sink);
  }
  const joined = joinBytes(sent);
  assertEquals(joined.length, stream.length);
  const parts = splitPackets(joined).map(({ payload }) => payload);
  const made = joinBytes(parts).subarray(1);
  assertEquals(eventChecksumOk(made), true);
  assertEquals(made[4], EventType.QUERY);
  assertEquals(logPosAt(made, 0), logPosAt(event, 0));
  const { statement } = decodeQuery(made, "crc32");
  assert(/^# Dummy event replacing event type 160.* +$/.test(statement));
});

Deno.test("MariadbFilter refuses to begin in a hole in strict mode, and sends what comes before", async () => {
  await using store = await logFromFixtures(FIXTURES, "");
  const groups = new MariadbGroups(
    startOf(store, "0-8001-100", { ignoreDuplicates: false }),
    { strict: true, logState: () => store.head?.mariadb },
  );
  const sink = new Recorder();
  let fault: unknown;
  try {
    const filter = filterWith(store, undefined, { groups });
    for (const file of store.files) {
      filter.startFile(file);
      const events = FIXTURES[file.number - 1]!.events;
      await filter.take(dumpPackets(events.map(({ bytes }) => bytes)), sink);
    }
  } catch (error) {
    fault = error;
  }
  assert(fault instanceof ProtocolError);
  assertEquals(fault.code, 1236);
  assert(fault.message.includes("missing the GTID 0-8001-100 requested"));
  assertEquals(sink.events[0]![4], EventType.FORMAT_DESCRIPTION);
});

Deno.test("findMariadbStart() begins in the newest file that has all a replica lacks", async () => {
  await using store = await logFromFixtures(FIXTURES, "");
  const fileFor = (state: string) => startOf(store, state).file.name;
  assertEquals(fileFor(""), "binlog.000001");
  // the last of the first file: the next one begins just there
  assertEquals(fileFor("0-8001-21"), "binlog.000002");
  assertEquals(startOf(store, "0-8001-21").from.size, 0);
  assertEquals(fileFor("0-8001-20"), "binlog.000001");
  // a domain that the replica does not have began in the second file
  assertEquals(fileFor("0-8001-1005"), "binlog.000002");
  assertEquals(fileFor("0-8001-1005,3-77-2"), "binlog.000004");
  // not the last of its domain
  assertEquals(fileFor("0-8001-1005,3-8001-1"), "binlog.000002");
});

Deno.test("findMariadbStart() refuses what the log does not have", async () => {
  await using store = await logFromFixtures(FIXTURES, "");
  const ahead = assertThrows(
    () => startOf(store, "0-8001-999999"),
    MariadbGtidNotFoundError,
    "requested to start from GTID 0-8001-999999, which is not in the master's binlog",
  );
  assertEquals(ahead.diverged, false);
  const diverged = assertThrows(
    () => startOf(store, "0-5-7"),
    MariadbGtidNotFoundError,
    "it probably means that the slave has diverged",
  );
  assertEquals(diverged.diverged, true);
  startOf(store, "0-8001-999999", { ignoreDuplicates: true });
  const unparsed = assertThrows(() => startOf(store, "0-1"), ProtocolError);
  assertEquals(
    [unparsed.code, unparsed.message],
    [1941, "Could not parse GTID list"],
  );
  const twice = assertThrows(
    () => startOf(store, "0-1-1,0-1-2"),
    ProtocolError,
  );
  assertEquals(
    [twice.code, twice.message],
    [1943, "GTID 0-1-2 and 0-1-1 conflict (duplicate domain id 0)"],
  );
});

Deno.test("findMariadbStart() refuses a replica whose position was purged", async () => {
  await using store = await logFromFixtures(FIXTURES, "");
  await store.purge(3);
  assertThrows(
    () => startOf(store, "0-8001-21"),
    ProtocolError,
    "Could not find GTID state requested by slave in any binlog files.",
  );
  assertEquals(
    startOf(store, "0-8001-1001,3-77-2").file.name,
    "binlog.000003",
  );
});
