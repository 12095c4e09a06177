import { inflateSync } from "node:zlib";
import { formatGtid } from "../gtid/gtid.ts";
import { GtidSet, MalformedGtidSetError } from "../gtid/gtid_set.ts";
import { u16At, u32At, u64At } from "./_little_endian.ts";
import {
  CHECKSUM_BYTES,
  type ChecksumAlgorithm,
  checksumBytes,
} from "./checksum.ts";
import {
  eventSizeAt,
  eventTypeAt,
  flagsAt,
  HEADER_BYTES,
  serverIdAt,
  timestampAt,
} from "./event_header.ts";
import { EventFlag, EventType, eventTypeName } from "./event_type.ts";
import { decodeFormatDescription } from "./format_description.ts";
import { GtidReader } from "./gtid_event.ts";
import { MalformedEventError } from "./malformed_event_error.ts";
import { ddlXid } from "./query_xid.ts";
import { decodeRowsHead, decodeTableMap, RowsFlag } from "./table_map.ts";
import {
  decodeTransactionPayload,
  unpackTransaction,
} from "./transaction_payload.ts";
import { describeUserVar } from "./user_var.ts";

/** An event in words. */
export interface EventDescription {
  /** Its type, as the Event_type column of SHOW BINLOG EVENTS has it. */
  readonly type: string;
  /** What the Info column says. */
  readonly info: string;
  /** The GTID it announces. */
  readonly gtid?: string;
  /** The database it says it is about. */
  readonly database?: string;
  /** The table, likewise. */
  readonly table?: string;
  /** The events that are compressed in it. */
  readonly inner?: readonly InnerEvent[];
}

/** An event that is compressed in another one. */
export interface InnerEvent extends EventDescription {
  /** Seconds since 1970. */
  readonly timestamp: number;
  /** Server id of the server that first wrote it. */
  readonly serverId: number;
  /** Bytes of it. */
  readonly size: number;
}

/** What of a file its events are read by. */
export interface DescribedFormat {
  /** Version of the server that wrote the file. */
  readonly serverVersion: string;
  /** How its events end. */
  readonly algorithm: ChecksumAlgorithm;
}

/** The most bytes of compressed events that are taken out of one. */
const UNPACKED_BYTES_MAX = 16 * 1024 * 1024;

/** Tables that are remembered; more are mapped by no transaction. */
const TABLES_MAX = 10_000;

/** Flags of rows events as they are named, in order. */
const ROWS_FLAG_NAMES = [
  [RowsFlag.STMT_END, "STMT_END_F"],
  [RowsFlag.NO_FOREIGN_KEY_CHECKS, "NO_FOREIGN_KEY_CHECKS_F"],
  [RowsFlag.RELAXED_UNIQUE_CHECKS, "RELAXED_UNIQUE_CHECKS_F"],
  [RowsFlag.COMPLETE_ROWS, "COMPLETE_ROWS_F"],
  [RowsFlag.USE_SQL_FOREIGN_KEY, "USE_SQL_FOREIGN_KEY_F"],
] as const;

/** Since this version all flags of rows events are shown. */
const ALL_FLAGS_MAJOR = 9;

const ROWS_TYPES: ReadonlySet<number> = new Set([
  EventType.WRITE_ROWS_V1,
  EventType.UPDATE_ROWS_V1,
  EventType.DELETE_ROWS_V1,
  EventType.WRITE_ROWS,
  EventType.UPDATE_ROWS,
  EventType.DELETE_ROWS,
  EventType.PARTIAL_UPDATE_ROWS,
  EventType.MARIADB_WRITE_ROWS_COMPRESSED_V1,
  EventType.MARIADB_UPDATE_ROWS_COMPRESSED_V1,
  EventType.MARIADB_DELETE_ROWS_COMPRESSED_V1,
  EventType.MARIADB_WRITE_ROWS_COMPRESSED,
  EventType.MARIADB_UPDATE_ROWS_COMPRESSED,
  EventType.MARIADB_DELETE_ROWS_COMPRESSED,
]);

// Bits of a MariaDB GTID's flags.
const STANDALONE = 0x1;
const GROUP_COMMIT_ID = 0x2;
const PREPARED_XA = 0x40;
const COMPLETED_XA = 0x80;

/**
 * Says of the events of one file what SHOW BINLOG EVENTS says
 * (`pack_info` of each event in MySQL's `sql/log_event.cc`). Takes them in
 * order, because rows events name their table by a number that an event before
 * them gave it.
 */
export class EventDescriber {
  readonly #format: DescribedFormat;
  readonly #isMariadb: boolean;
  readonly #major: number;
  readonly #gtid = new GtidReader();
  readonly #tables = new Map<number, { database: string; table: string }>();

  /** @param format of the file */
  constructor(format: DescribedFormat) {
    this.#format = format;
    this.#isMariadb = format.serverVersion.includes("MariaDB");
    this.#major = Number.parseInt(format.serverVersion, 10);
  }

  /**
   * Describes the next event. One that can't be read is described by why.
   *
   * @param event The whole event, or its begin if it is too large: the header
   *   at least.
   */
  describe(event: Uint8Array): EventDescription {
    const type = eventTypeAt(event, 0);
    const size = eventSizeAt(event, 0);
    const end = event.length < size
      ? event.length
      : size - checksumBytes(this.#format.algorithm);
    const name = eventTypeName(type);
    try {
      if (end < HEADER_BYTES) throw tooShort(type);
      const described = this.#describe(type, event.subarray(0, end));
      const cut = event.length < size && described.isCut === true ? "…" : "";
      const { info, ...rest } = described;
      const { isCut: _, ...fields } = rest;
      return { type: name, info: `${info}${cut}`, ...fields };
    } catch (error) {
      if (
        !(error instanceof MalformedEventError) &&
        !(error instanceof MalformedGtidSetError)
      ) throw error;
      return { type: name, info: `(${error.message})` };
    }
  }

  /** @param event without its checksum */
  #describe(type: number, event: Uint8Array): Described {
    if (ROWS_TYPES.has(type)) return this.#rows(type, event);
    switch (type) {
      case EventType.QUERY:
        return this.#query(event, bodyText);
      case EventType.MARIADB_QUERY_COMPRESSED:
        return this.#query(event, inflatedText);
      case EventType.TABLE_MAP:
        return this.#tableMap(event);
      case EventType.GTID:
      case EventType.GTID_TAGGED:
        return this.#gtidOf(event);
      case EventType.ANONYMOUS_GTID:
        return { info: "SET @@SESSION.GTID_NEXT= 'ANONYMOUS'" };
      case EventType.PREVIOUS_GTIDS: {
        const set = GtidSet.decode(event.subarray(HEADER_BYTES));
        return { info: set.toLines() };
      }
      case EventType.FORMAT_DESCRIPTION:
        return formatDescription(event);
      case EventType.USER_VAR:
        return {
          info: describeUserVar(event, {
            quotedHex: this.#isMariadb,
            utf8mb3: this.#isMariadb || this.#major >= 8,
          }),
        };
      case EventType.TRANSACTION_PAYLOAD:
        return this.#payload(event);
      case EventType.MARIADB_GTID:
        return mariadbGtid(event);
      default:
        return simple(type, event);
    }
  }

  #query(
    event: Uint8Array,
    text: (bytes: Uint8Array, at: number) => string,
  ): Described {
    const at = HEADER_BYTES + 13;
    requireBytes(event, at, EventType.QUERY);
    const schemaStart = at + u16At(event, HEADER_BYTES + 11);
    const schemaEnd = schemaStart + event[HEADER_BYTES + 8]!;
    requireBytes(event, schemaEnd + 1, EventType.QUERY);
    const database = decode(event, schemaStart, schemaEnd);
    const statement = text(event, schemaEnd + 1);
    const suppress = (flagsAt(event, 0) & EventFlag.SUPPRESS_USE) !== 0;
    const use = suppress || database === "" ? "" : `use ${quoted(database)}; `;
    const xid = ddlXid(event);
    const comment = xid === undefined ? "" : ` /* xid=${xid} */`;
    return {
      info: `${use}${statement}${comment}`,
      isCut: true,
      ...(database === "" ? {} : { database }),
    };
  }

  #tableMap(event: Uint8Array): Described {
    const { tableId, database, table } = decodeTableMap(event);
    if (this.#tables.size >= TABLES_MAX) this.#tables.clear();
    this.#tables.set(tableId, { database, table });
    return {
      info: `table_id: ${tableId} (${database}.${table})`,
      database,
      table,
    };
  }

  #rows(type: number, event: Uint8Array): Described {
    const { tableId, flags } = decodeRowsHead(event, type);
    const shown = this.#major >= ALL_FLAGS_MAJOR && !this.#isMariadb
      ? ROWS_FLAG_NAMES
      : ROWS_FLAG_NAMES.slice(0, 1);
    const names = shown.filter(([bit]) => (flags & bit) !== 0)
      .map(([, name]) => name);
    const text = names.length === 0 ? "" : ` flags: ${names.join(" ")}`;
    return {
      info: `table_id: ${tableId}${text}`,
      ...this.#tables.get(tableId),
    };
  }

  #gtidOf(event: Uint8Array): Described {
    this.#gtid.read(event, 0, event.length);
    const { uuid, tag, gno } = this.#gtid;
    const gtid = formatGtid({ uuid, tag, gno });
    return { info: `SET @@SESSION.GTID_NEXT= '${gtid}'`, gtid };
  }

  #payload(event: Uint8Array): Described {
    const payload = decodeTransactionPayload(event);
    const { compression, uncompressedSize, payloadSize } = payload;
    const size = compression === "NONE" ? payloadSize : uncompressedSize;
    const info = `compression='${compression}', decompressed_size=${
      size ?? "?"
    } bytes`;
    const events = unpackTransaction(payload, UNPACKED_BYTES_MAX);
    if (events === undefined) return { info };
    const inside = new EventDescriber({ ...this.#format, algorithm: "none" });
    const inner: InnerEvent[] = [];
    for (let at = 0; at < events.length;) {
      const size = at + HEADER_BYTES <= events.length
        ? eventSizeAt(events, at)
        : 0;
      if (size < HEADER_BYTES || at + size > events.length) {
        throw tooShort(EventType.TRANSACTION_PAYLOAD);
      }
      const one = events.subarray(at, at + size);
      inner.push({
        ...inside.describe(one),
        timestamp: timestampAt(one, 0),
        serverId: serverIdAt(one, 0),
        size,
      });
      at += size;
    }
    return { info, inner };
  }
}

/** What is said of one event; `isCut`: of a begin, more would be said of all. */
interface Described extends Omit<EventDescription, "type"> {
  readonly isCut?: boolean;
}

function simple(type: number, event: Uint8Array): Described {
  const at = HEADER_BYTES;
  switch (type) {
    case EventType.XID:
      requireBytes(event, at + 8, type);
      return { info: `COMMIT /* xid=${u64At(event, at)} */` };
    case EventType.ROTATE:
      requireBytes(event, at + 8, type);
      return { info: `${bodyText(event, at + 8)};pos=${u64At(event, at)}` };
    case EventType.INTVAR: {
      requireBytes(event, at + 9, type);
      const name = event[at] === 1 ? "LAST_INSERT_ID" : "INSERT_ID";
      return { info: `${name}=${u64At(event, at + 1)}` };
    }
    case EventType.RAND:
      requireBytes(event, at + 16, type);
      return {
        info: `rand_seed1=${u64At(event, at)},rand_seed2=${
          u64At(event, at + 8)
        }`,
      };
    case EventType.ROWS_QUERY:
      // One byte of length, which is wrong for long statements.
      return { info: `# ${bodyText(event, at + 1)}`, isCut: true };
    case EventType.MARIADB_ANNOTATE_ROWS:
      return { info: bodyText(event, at), isCut: true };
    case EventType.INCIDENT: {
      requireBytes(event, at + 3, type);
      const number = u16At(event, at);
      const name = number === 1 ? "LOST_EVENTS" : "NOTHING";
      const message = bodyText(event, at + 3);
      const tail = message === "" ? "" : `: ${message}`;
      return { info: `#${number} (${name})${tail}` };
    }
    case EventType.BEGIN_LOAD_QUERY:
    case EventType.APPEND_BLOCK: {
      requireBytes(event, at + 4, type);
      const bytes = eventSizeAt(event, 0) - at - 4;
      return {
        info: `;file_id=${u32At(event, at)};block_len=${
          Math.min(bytes, event.length - at - 4)
        }`,
      };
    }
    case EventType.DELETE_FILE:
      requireBytes(event, at + 4, type);
      return { info: `;file_id=${u32At(event, at)}` };
    case EventType.EXECUTE_LOAD_QUERY:
      return executeLoadQuery(event);
    case EventType.XA_PREPARE:
      return xaPrepare(event);
    case EventType.MARIADB_BINLOG_CHECKPOINT: {
      requireBytes(event, at + 4, type);
      return { info: decode(event, at + 4, at + 4 + u32At(event, at)) };
    }
    case EventType.MARIADB_GTID_LIST:
      return mariadbGtidList(event);
    case EventType.TRANSACTION_CONTEXT:
    case EventType.VIEW_CHANGE:
    default:
      return { info: "" };
  }
}

function formatDescription(event: Uint8Array): Described {
  // Its decoder wants the whole event, whose end was taken for a checksum.
  const size = eventSizeAt(event, 0);
  // One that is too large to be held is none, whatever its size says.
  if (event.length + CHECKSUM_BYTES < size) {
    throw tooShort(EventType.FORMAT_DESCRIPTION);
  }
  const whole = new Uint8Array(size);
  whole.set(event);
  const { serverVersion, binlogVersion } = decodeFormatDescription(whole);
  return { info: `Server ver: ${serverVersion}, Binlog ver: ${binlogVersion}` };
}

function executeLoadQuery(event: Uint8Array): Described {
  const type = EventType.EXECUTE_LOAD_QUERY;
  // The post-header of a query, then: file id 4, two offsets 4 each, how 1.
  const at = HEADER_BYTES + 13;
  requireBytes(event, at + 13, type);
  const schemaStart = at + 13 + u16At(event, HEADER_BYTES + 11);
  const schemaEnd = schemaStart + event[HEADER_BYTES + 8]!;
  requireBytes(event, schemaEnd + 1, type);
  const database = decode(event, schemaStart, schemaEnd);
  const use = database === "" ? "" : `use ${quoted(database)}; `;
  return {
    info: `${use}${bodyText(event, schemaEnd + 1)} ;file_id=${
      u32At(event, at)
    }`,
    ...(database === "" ? {} : { database }),
  };
}

function xaPrepare(event: Uint8Array): Described {
  const at = HEADER_BYTES;
  requireBytes(event, at + 13, EventType.XA_PREPARE);
  const isOnePhase = event[at] !== 0;
  const gtrid = u32At(event, at + 5);
  const bqual = u32At(event, at + 9);
  requireBytes(event, at + 13 + gtrid + bqual, EventType.XA_PREPARE);
  const xid = xidText(event, at + 13, gtrid, bqual, u32At(event, at + 1));
  return {
    info: isOnePhase ? `XA COMMIT ${xid} ONE PHASE` : `XA PREPARE ${xid}`,
  };
}

function xidText(
  event: Uint8Array,
  at: number,
  gtrid: number,
  bqual: number,
  format: number,
): string {
  const first = event.subarray(at, at + gtrid).toHex();
  const second = event.subarray(at + gtrid, at + gtrid + bqual).toHex();
  return `X'${first}',X'${second}',${format}`;
}

/** `Gtid_log_event::pack_info` in MariaDB's `sql/log_event_server.cc`. */
function mariadbGtid(event: Uint8Array): Described {
  const type = EventType.MARIADB_GTID;
  let at = HEADER_BYTES;
  requireBytes(event, at + 13, type);
  const sequence = u64At(event, at);
  const domain = u32At(event, at + 8);
  const flags = event[at + 12]!;
  at += 13;
  let cid = "";
  if ((flags & GROUP_COMMIT_ID) !== 0) {
    requireBytes(event, at + 8, type);
    cid = ` cid=${u64At(event, at)}`;
    at += 8;
  } else if ((flags & (PREPARED_XA | COMPLETED_XA)) === 0) {
    // Up to the length that every such event has at least.
    at += 6;
  }
  let begin = (flags & STANDALONE) !== 0 ? "" : "BEGIN ";
  if ((flags & PREPARED_XA) !== 0) {
    requireBytes(event, at + 6, type);
    const gtrid = event[at + 4]!;
    const bqual = event[at + 5]!;
    requireBytes(event, at + 6 + gtrid + bqual, type);
    const xid = xidText(event, at + 6, gtrid, bqual, u32At(event, at));
    begin = `XA START ${xid} `;
  }
  const gtid = `${domain}-${serverIdAt(event, 0)}-${sequence}`;
  return { info: `${begin}GTID ${gtid}${cid}`, gtid };
}

function mariadbGtidList(event: Uint8Array): Described {
  const at = HEADER_BYTES;
  requireBytes(event, at + 4, EventType.MARIADB_GTID_LIST);
  // The highest four bits are flags.
  const count = u32At(event, at) % 0x1000_0000;
  requireBytes(event, at + 4 + 16 * count, EventType.MARIADB_GTID_LIST);
  const list = Array.from({ length: count }, (_, index) => {
    const one = at + 4 + 16 * index;
    const domain = u32At(event, one);
    const gtid = `${domain}-${u32At(event, one + 4)}-${u64At(event, one + 8)}`;
    return { domain, gtid };
  });
  list.sort((one, other) => one.domain - other.domain);
  return { info: `[${list.map(({ gtid }) => gtid).join(",")}]` };
}

/** The statement of a MariaDB QUERY_COMPRESSED_EVENT, as far as it is there. */
function inflatedText(event: Uint8Array, at: number): string {
  // One byte: bit 7 set, kind of compression 4 bits, bytes of the length 3.
  const lengthBytes = (event[at] ?? 0) & 7;
  let length = 0;
  for (let index = 1; index <= lengthBytes; index++) {
    length = length * 256 + (event[at + index] ?? 0);
  }
  try {
    const bytes = inflateSync(event.subarray(at + 1 + lengthBytes), {
      maxOutputLength: Math.max(1, Math.min(length, UNPACKED_BYTES_MAX)),
    });
    return new TextDecoder().decode(bytes);
  } catch (cause) {
    throw new MalformedEventError(
      "Cannot decode Query_compressed event: it can't be decompressed",
      EventType.MARIADB_QUERY_COMPRESSED,
      { cause },
    );
  }
}

function bodyText(event: Uint8Array, at: number): string {
  return decode(event, at, event.length);
}

function decode(event: Uint8Array, start: number, end: number): string {
  return new TextDecoder().decode(event.subarray(start, end));
}

function quoted(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}

function requireBytes(event: Uint8Array, end: number, type: number): void {
  if (end > event.length) throw tooShort(type);
}

function tooShort(type: number): MalformedEventError {
  return new MalformedEventError(
    `Cannot decode ${eventTypeName(type)} event: it is too short`,
    type,
  );
}
