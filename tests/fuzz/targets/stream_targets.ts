import { MalformedEventError } from "../../../lib/binlog/malformed_event_error.ts";
import { TransactionBoundaryError } from "../../../lib/binlog/transaction_boundary.ts";
import { eventTypeAt } from "../../../lib/binlog/event_header.ts";
import { EventType } from "../../../lib/binlog/event_type.ts";
import { decodeGtid } from "../../../lib/binlog/gtid_event.ts";
import { GtidSet, MalformedGtidSetError } from "../../../lib/gtid/gtid_set.ts";
import { equalBytes } from "../../../lib/protocol/auth.ts";
import { ProtocolError } from "../../../lib/protocol/protocol_error.ts";
import { ServerError } from "../../../lib/protocol/server_error.ts";
import { GtidFilter } from "../../../lib/server/gtid_filter.ts";
import { openMemoryStore } from "../../../lib/store/memory_store.ts";
import { StoreError } from "../../../lib/store/binlog_store.ts";
import {
  DumpScanner,
  type PacketSink,
} from "../../../lib/syncer/dump_scanner.ts";
import { LogFollower } from "../../../lib/syncer/log_follower.ts";
import { SourceError } from "../../../lib/syncer/source_error.ts";
import {
  FIXTURE_SERVERS,
  loadBinlogFixture,
  loadBinlogFixtures,
} from "../../support/binlog_fixture.ts";
import { hex } from "../../support/byte_table.ts";
import {
  dumpPackets,
  joinBytes,
  splitPackets,
} from "../../support/dump_packets.ts";
import { dumpOfFiles } from "../../support/log_from_fixtures.ts";
import { readFile } from "../../support/read_stored_file.ts";
import { FuzzInput, joinRuns, withChoices } from "../fuzz_input.ts";
import { type FuzzTarget, refusal, require } from "../fuzz_target.ts";

const encoder = new TextEncoder();
const HELD_BYTES_MAX = 300;
const UUID = "d63952fd-e6f6-11f1-a979-02fc00000001";

/** Bytes that grow at their end. */
class Notes {
  #bytes = new Uint8Array(4096);
  #length = 0;

  add(...parts: readonly (string | Uint8Array)[]): void {
    for (const part of parts) {
      const bytes = typeof part === "string" ? encoder.encode(part) : part;
      if (this.#length + bytes.length > this.#bytes.length) {
        const grown = new Uint8Array(2 * (this.#length + bytes.length));
        grown.set(this.#bytes);
        this.#bytes = grown;
      }
      this.#bytes.set(bytes, this.#length);
      this.#length += bytes.length;
    }
  }

  beginsWith(other: Notes): boolean {
    const begin = this.#view.subarray(0, other.#length);
    return equalBytes(begin, other.#view);
  }

  get #view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}

/** Notes what it is given, so that two ways of giving it can be compared. */
class NotingSink implements PacketSink {
  readonly notes = new Notes();
  large = false;
  #open: { view: Uint8Array; seen: Uint8Array }[] = [];

  run(): void {}
  packet(bytes: Uint8Array, start: number, end: number): void {
    const view = bytes.subarray(start + 4, end);
    const seen = view.slice();
    this.#open.push({ view, seen });
    this.notes.add("packet", seen);
  }
  reclaim(): void {
    for (const { view, seen } of this.#open.splice(0)) {
      require(
        equalBytes(view, seen),
        "a packet stays as it is until its push returns",
      );
    }
  }
  largeStart(bytes: Uint8Array, start: number, end: number): void {
    this.large = true;
    this.notes.add("large", bytes.subarray(start + 4, end));
  }
  largeHeader(): void {}
  largeBody(bytes: Uint8Array, start: number, end: number): void {
    this.notes.add(bytes.subarray(start, end));
  }
  largeEnd(): void {
    this.notes.add("end");
  }
  replyWanted(): void {
    this.notes.add("reply");
  }
}

function scanned(
  stream: Uint8Array,
  semiSync: boolean,
  piece: number,
): { notes: Notes; large: boolean; fault: string } {
  const sink = new NotingSink();
  const scanner = new DumpScanner(sink, HELD_BYTES_MAX, { semiSync });
  let fault = "";
  try {
    for (let at = 0; at < stream.length; at += piece) {
      scanner.push(stream.slice(at, at + piece));
      sink.reclaim();
    }
  } catch (error) {
    fault = refusal(error, [SourceError]);
  }
  const { notes, large } = sink;
  return { notes, large, fault: `${fault} ${scanner.atPacketEnd}` };
}

/** Puts the two bytes of semi-synchronous replication before each event. */
function wrapped(stream: Uint8Array): Uint8Array {
  const payloads = splitPackets(stream).map(({ payload }, index) =>
    Uint8Array.of(0xef, index % 4 === 3 ? 1 : 0, ...payload.subarray(1))
  );
  return dumpPackets(payloads);
}

function smallDumps(): Uint8Array[] {
  return FIXTURE_SERVERS.map((server) => {
    const fixture = loadBinlogFixtures(server)
      .filter(({ name }) => name.startsWith("binlog."))
      .toSorted((a, b) => a.bytes.length - b.bytes.length)[1]!;
    return dumpOfFiles([fixture]);
  });
}

/** Whole files as a source dumps them, with a rotate between two. */
function wholeDumps(): Uint8Array[] {
  const names = ["binlog.000001", "binlog.000002"];
  return (["mysql56", "mysql97"] as const).flatMap((server) => [
    dumpOfFiles(names.map((name) => loadBinlogFixture(server, name))),
    dumpOfFiles([loadBinlogFixture(server, "binlog.000003")]),
  ]);
}

const FOLLOW_ERRORS = [
  SourceError,
  ServerError,
  ProtocolError,
  MalformedEventError,
  MalformedGtidSetError,
  TransactionBoundaryError,
  StoreError,
];

async function follow(bytes: Uint8Array): Promise<string> {
  const input = new FuzzInput(bytes);
  const piece = [1 << 20, 700, 37][input.byte() % 3]!;
  const resequenced = !input.flag();
  const stream = input.rest();
  if (resequenced) renumber(stream);
  await using store = await openMemoryStore();
  const follower = new LogFollower(store.writer, UUID, { fileStarted() {} });
  let words = "";
  try {
    for (let at = 0; at < stream.length; at += piece) {
      follower.push(stream.slice(at, at + piece));
    }
    await store.writer.flush();
    words = `${follower.atPacketEnd}`;
  } catch (error) {
    words = refusal(error, FOLLOW_ERRORS);
    await store.writer.rollback();
  }
  const { head } = store;
  if (head === undefined) return words;
  const last = store.files.at(-1)!;
  const stored = await readFile(store, last);
  require(
    last.name === head.fileName && stored.length + 4 === head.position,
    "what can be read ends at the head",
  );
  require(
    head.executed.containsSet(head.purged),
    "what was executed contains what was purged",
  );
  return `${words} ${store.files.length}`;
}

/** Gives each packet the sequence id it should have, as far as they go. */
function renumber(stream: Uint8Array): void {
  let id = 1;
  for (let at = 0; at + 4 <= stream.length;) {
    stream[at + 3] = id++ & 0xff;
    at += 4 + (stream[at]! | stream[at + 1]! << 8 | stream[at + 2]! << 16);
  }
}

/** Events of a log as it is stored, which the filter may rely on. */
const LOG_EVENTS = loadBinlogFixtures("mysql97").flatMap(({ events }) =>
  events.map(({ bytes }) => bytes).filter((event) => event.length < 300)
);
const LOG_SETS = [
  "",
  `${UUID}:1-3`,
  ...loadBinlogFixtures("mysql97").flatMap(({ truth }) => [
    truth.executed_after ?? "",
    truth.previous_gtids ?? "",
    ...truth.gtids_in_file.slice(0, 2),
  ]),
].map((text) => GtidSet.parse(text));

/** What the filter sends and leaves out when the run comes in such pieces. */
async function filtered(
  stream: Uint8Array,
  executed: GtidSet,
  piece: number,
): Promise<{ sent: string; left: number; fault: string }> {
  const filter = new GtidFilter(executed);
  filter.startFile();
  let sent = "";
  let left = 0;
  const sink = {
    send: (run: Uint8Array, start: number, end: number) => {
      sent += hex(run.subarray(start, end));
    },
    leaveOut: (bytes: number) => {
      left += bytes;
    },
    anonymous: (): never => {
      throw new ServerError(1236, "HY000", "anonymous");
    },
  };
  let fault = "";
  try {
    // headers and GTID events are never cut in a stored run
    const cuts: number[] = [];
    for (let at = 0; at < stream.length;) {
      const size = stream[at]! | stream[at + 1]! << 8 | stream[at + 2]! << 16;
      const type = eventTypeAt(stream, at + 5);
      const isGtid = type === EventType.GTID || type === EventType.GTID_TAGGED;
      if (piece > 80 || isGtid || size < 70) cuts.push(at);
      else cuts.push(at, at + 70);
      at += 4 + size;
    }
    let from = 0;
    for (const cut of [...cuts, stream.length]) {
      if (cut - from < piece && cut < stream.length) continue;
      if (cut > stream.length || cut <= from) continue;
      await filter.take(stream.subarray(from, cut), sink);
      from = cut;
    }
  } catch (error) {
    fault = refusal(error, [ServerError]);
  }
  return { sent, left, fault };
}

/** Event by event, by what a GTID dump is defined to leave out. */
function filteredByDefinition(
  events: readonly Uint8Array[],
  executed: GtidSet,
): { sent: number; fault: boolean } {
  let sent = 0;
  let leaving = false;
  for (const event of events) {
    const type = eventTypeAt(event, 0);
    if (type === EventType.ANONYMOUS_GTID) return { sent, fault: true };
    if (type === EventType.GTID || type === EventType.GTID_TAGGED) {
      leaving = executed.hasGtid(decodeGtid(event)!);
    }
    if (type === EventType.ROTATE) leaving = false;
    if (!leaving) sent += event.length;
  }
  return { sent, fault: false };
}

/** What comes from a source as a stream, and goes to replicas as one. */
export const STREAM_TARGETS: readonly FuzzTarget[] = [
  {
    name: "dump-scanner",
    corpus: smallDumps().flatMap((dump) => [
      withChoices([0], dump.slice(0, 3000)),
      withChoices([1], wrapped(dump).slice(0, 3000)),
    ]),
    run(bytes) {
      const input = new FuzzInput(bytes);
      const semiSync = input.flag();
      const stream = input.rest();
      const whole = scanned(stream, semiSync, stream.length + 1);
      const cut = scanned(stream, semiSync, 13);
      const single = scanned(stream, semiSync, 1);
      require(
        single.notes.beginsWith(cut.notes) && cut.notes.beginsWith(whole.notes),
        "pieces change nothing",
      );
      require(cut.fault === single.fault, "single bytes change no fault");
      // what came before a fault in the same chunk may go with it
      if (!whole.fault.startsWith("SourceError")) {
        require(
          whole.notes.beginsWith(single.notes) && whole.fault === cut.fault,
          "pieces change nothing that is without fault",
        );
      }
      return `${whole.large} ${whole.fault}`;
    },
  },
  {
    name: "log-follower",
    corpus: wholeDumps().map((dump) => withChoices([0, 0], dump)),
    // a store in memory has buffers of its own
    allocationBytesMax: 4 * 1024 * 1024,
    run: follow,
  },
  {
    name: "gtid-filter",
    corpus: [
      withChoices([1, 90], Uint8Array.from({ length: 60 }, (_, n) => n)),
      withChoices([2, 1], Uint8Array.from({ length: 90 }, (_, n) => n + 60)),
      withChoices([5, 200], joinRuns([Uint8Array.of(9, 8, 7)])),
    ],
    async run(bytes) {
      const input = new FuzzInput(bytes);
      const executed = input.pick(LOG_SETS);
      const piece = 1 + input.byte();
      const events = Array.from(
        input.bytes(300),
        (choice, index) =>
          LOG_EVENTS[(choice + 7 * index) % LOG_EVENTS.length]!,
      );
      const stream = dumpPackets(events);
      const whole = await filtered(stream, executed, stream.length + 1);
      const cut = await filtered(stream, executed, piece);
      const expected = filteredByDefinition(events, executed);
      require(whole.fault === cut.fault, "cuts change no fault");
      require(
        (whole.fault !== "") === expected.fault,
        "it stops where it has to",
      );
      if (whole.fault !== "") return whole.fault;
      require(whole.sent === cut.sent, "cuts change nothing that is sent");
      require(whole.left === cut.left, "cuts change nothing that is left out");
      const total = joinBytes(events).length;
      require(
        total - whole.left === expected.sent,
        `${total - whole.left} bytes are sent, not ${expected.sent}`,
      );
      return `${whole.left > 0} ${whole.sent.length > 0}`;
    },
  },
];
