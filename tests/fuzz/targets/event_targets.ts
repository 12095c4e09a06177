import {
  type ChecksumAlgorithm,
  eventChecksumOk,
  writeEventChecksum,
} from "../../../lib/binlog/checksum.ts";
import { CRC32_RESIDUE, crc32At } from "../../../lib/binlog/crc32_at.ts";
import { EventDescriber } from "../../../lib/binlog/describe_event.ts";
import {
  decodeEventHeader,
  eventTypeAt,
  HEADER_BYTES,
} from "../../../lib/binlog/event_header.ts";
import { EventType, eventTypeName } from "../../../lib/binlog/event_type.ts";
import { decodeFormatDescription } from "../../../lib/binlog/format_description.ts";
import { decodeGtid, GtidReader } from "../../../lib/binlog/gtid_event.ts";
import {
  decodeHeartbeat,
  encodeHeartbeat,
} from "../../../lib/binlog/heartbeat.ts";
import { MalformedEventError } from "../../../lib/binlog/malformed_event_error.ts";
import { moveEvent } from "../../../lib/binlog/move_event.ts";
import { decodePreviousGtids } from "../../../lib/binlog/previous_gtids.ts";
import { decodeQuery, queryKindAt } from "../../../lib/binlog/query_event.ts";
import { ddlXid } from "../../../lib/binlog/query_xid.ts";
import {
  decodeRotate,
  encodeArtificialRotate,
} from "../../../lib/binlog/rotate.ts";
import {
  decodeRowsHead,
  decodeTableMap,
} from "../../../lib/binlog/table_map.ts";
import {
  BoundaryStep,
  TransactionBoundary,
  TransactionBoundaryError,
} from "../../../lib/binlog/transaction_boundary.ts";
import {
  decodeTransactionPayload,
  unpackTransaction,
} from "../../../lib/binlog/transaction_payload.ts";
import { describeUserVar } from "../../../lib/binlog/user_var.ts";
import { MalformedGtidSetError } from "../../../lib/gtid/gtid_set.ts";
import {
  FIXTURE_SERVERS,
  loadBinlogFixtures,
} from "../../support/binlog_fixture.ts";
import { FuzzInput, joinRuns, withChoices } from "../fuzz_input.ts";
import {
  type FuzzTarget,
  outcomeOf,
  refusal,
  require,
  wordsOf,
} from "../fuzz_target.ts";

const EVENT_BYTES_MAX = 4000;
const UNPACKED_BYTES_MAX = 64 * 1024;
const VERSIONS = ["9.7.4", "5.6.24-log", "10.11.19-MariaDB-log"];

/** One event of each kind and size of each server. */
function someEvents(): Uint8Array[] {
  const events = new Map<string, Uint8Array>();
  for (const server of FIXTURE_SERVERS) {
    for (const fixture of loadBinlogFixtures(server)) {
      for (const { bytes, type } of fixture.events) {
        if (bytes.length > EVENT_BYTES_MAX) continue;
        const size = 32 - Math.clz32(bytes.length);
        events.set(`${server} ${type} ${size} ${fixture.algorithm}`, bytes);
      }
    }
  }
  const made = { serverId: 1, fileName: "binlog.000001" } as const;
  for (const version of [1, 2] as const) {
    events.set(
      `heartbeat ${version}`,
      encodeHeartbeat({
        ...made,
        position: 7_000_000_000n,
        algorithm: "crc32",
        version,
      }),
    );
  }
  events.set(
    "rotate",
    encodeArtificialRotate({ ...made, position: 4n, algorithm: "none" }),
  );
  return [...events.values()];
}

const EVENTS = someEvents();

/** Makes its header and checksum right, so that what is in it is looked at. */
function repair(event: Uint8Array, algorithm: ChecksumAlgorithm): void {
  if (event.length < HEADER_BYTES + 4) return;
  new DataView(event.buffer, event.byteOffset).setUint32(9, event.length, true);
  if (algorithm === "crc32") writeEventChecksum(event);
}

type Decode = (event: Uint8Array, algorithm: ChecksumAlgorithm) => unknown;

/** The decoders of the types that are looked into. */
const DECODERS: ReadonlyMap<number, Decode> = new Map<number, Decode>([
  [EventType.FORMAT_DESCRIPTION, (event) => decodeFormatDescription(event)],
  [EventType.ROTATE, decodeRotate],
  [EventType.GTID, gtidOf],
  [EventType.ANONYMOUS_GTID, gtidOf],
  [EventType.GTID_TAGGED, gtidOf],
  [EventType.PREVIOUS_GTIDS, decodePreviousGtids],
  [EventType.HEARTBEAT, decodeHeartbeat],
  [EventType.HEARTBEAT_V2, decodeHeartbeat],
  [EventType.QUERY, queryOf],
  [EventType.TABLE_MAP, (event) => decodeTableMap(event)],
  [
    EventType.WRITE_ROWS,
    (event) => decodeRowsHead(event, EventType.WRITE_ROWS),
  ],
  [EventType.TRANSACTION_PAYLOAD, payloadOf],
  [
    EventType.USER_VAR,
    (event) => describeUserVar(event, { quotedHex: false, utf8mb3: true }),
  ],
]);

/** Both readers of a GTID agree, wherever the event stands. */
function gtidOf(event: Uint8Array): unknown {
  const gtid = decodeGtid(event);
  const shifted = new Uint8Array(event.length + 7);
  shifted.set(event, 5);
  const reader = new GtidReader();
  const found = reader.read(shifted, 5, event.length);
  require(found === (gtid !== null), "both find a GTID, or neither");
  if (gtid !== null) {
    const { uuid, tag, gno } = reader;
    require(
      gtid.uuid === uuid && gtid.tag === tag && gtid.gno === gno,
      "both find the same GTID",
    );
  }
  return gtid;
}

function queryOf(event: Uint8Array, algorithm: ChecksumAlgorithm): unknown {
  ddlXid(event);
  const trailer = algorithm === "crc32" ? 4 : 0;
  queryKindAt(event, 0, event.length, trailer);
  return decodeQuery(event, algorithm);
}

function payloadOf(event: Uint8Array): unknown {
  const payload = decodeTransactionPayload(event);
  const events = unpackTransaction(payload, UNPACKED_BYTES_MAX);
  require(
    (events?.length ?? 0) <= Math.max(UNPACKED_BYTES_MAX, event.length),
    "no more is unpacked than is allowed",
  );
  return events;
}

function decodeOne(event: Uint8Array, algorithm: ChecksumAlgorithm): string {
  const type = event.length < HEADER_BYTES ? -1 : eventTypeAt(event, 0);
  const decode = DECODERS.get(type) ?? (() => "");
  return `${eventTypeName(type)} ${
    outcomeOf(
      () => {
        const { eventSize } = decodeEventHeader(event);
        require(eventSize >= HEADER_BYTES, "no event is smaller than a header");
        return decode(event, algorithm);
      },
      MalformedEventError,
      MalformedGtidSetError,
    )
  }`;
}

function sequence(input: FuzzInput): string {
  const algorithm = input.flag() ? "crc32" : "none";
  const trailer = algorithm === "crc32" ? 4 : 0;
  const boundary = new TransactionBoundary();
  let words = "";
  let failed = false;
  for (const event of input.runs(40)) {
    if (event.length < HEADER_BYTES) continue;
    const type = eventTypeAt(event, 0);
    try {
      const step = boundary.step(type, event, 0, event.length, trailer);
      require(!failed, "nothing is taken after a fault");
      require(
        (step === BoundaryStep.INSIDE) === boundary.inTransaction,
        "an event is inside exactly when a transaction is open behind it",
      );
      words = `${step}`;
    } catch (error) {
      failed = true;
      words = refusal(error, [TransactionBoundaryError, MalformedEventError]);
    }
  }
  return words;
}

/** Whole transactions and files' heads, for the transaction boundaries. */
function sequences(): Uint8Array[] {
  return FIXTURE_SERVERS.flatMap((server) =>
    loadBinlogFixtures(server).flatMap(({ events, algorithm }) => {
      const small = events.map(({ bytes }) => bytes)
        .filter((event) => event.length < 500);
      const parts: Uint8Array[] = [];
      for (let at = 0; at < small.length; at += 12) {
        parts.push(
          withChoices(
            [algorithm === "crc32" ? 1 : 0],
            joinRuns(small.slice(at, at + 12)),
          ),
        );
      }
      return parts;
    })
  );
}

/** Everything that reads an event which a source has sent. */
export const EVENT_TARGETS: readonly FuzzTarget[] = [
  {
    name: "event",
    corpus: EVENTS.flatMap((event) => [
      withChoices([0, eventChecksumOk(event) ? 1 : 0], event),
    ]),
    run(bytes) {
      const input = new FuzzInput(bytes);
      const repaired = !input.flag();
      const algorithm = input.flag() ? "crc32" : "none";
      const event = input.rest();
      if (repaired) repair(event, algorithm);
      // a format description is summed as if it were not in use
      if (
        event.length >= HEADER_BYTES + 4 &&
        eventTypeAt(event, 0) !== EventType.FORMAT_DESCRIPTION
      ) {
        require(
          (crc32At(event, 0, event.length) === CRC32_RESIDUE) ===
            eventChecksumOk(event),
          "both see whether the checksum is right",
        );
      }
      if (event.length >= HEADER_BYTES + 4 && repaired) {
        const moved = event.slice();
        const trailer = algorithm === "crc32" ? 4 : 0;
        moveEvent(moved, 0, moved.length, 1234, trailer);
        require(
          algorithm === "none" ||
            crc32At(moved, 0, moved.length) === CRC32_RESIDUE,
          "a moved event has its checksum",
        );
      }
      return decodeOne(event, algorithm);
    },
  },
  {
    name: "describe-event",
    corpus: EVENTS.map((event, index) => withChoices([index % 3, 0], event)),
    // it takes compressed events out, up to 16 MiB
    allocationBytesMax: 20 * 1024 * 1024,
    run(bytes) {
      const input = new FuzzInput(bytes);
      const describer = new EventDescriber({
        serverVersion: input.pick(VERSIONS),
        algorithm: "crc32",
      });
      const repaired = !input.flag();
      const event = input.rest();
      if (repaired) repair(event, "none");
      if (event.length < HEADER_BYTES) return "short";
      const { type, info, inner } = describer.describe(event);
      return `${wordsOf(type)} ${wordsOf(info.slice(0, 60))} ${inner?.length}`;
    },
  },
  {
    name: "transaction-boundary",
    corpus: sequences(),
    run: (bytes) => sequence(new FuzzInput(bytes)),
  },
];
