import { EventType } from "../../lib/binlog/event_type.ts";
import { encodePreviousGtids } from "../../lib/binlog/previous_gtids.ts";
import { GtidSet } from "../../lib/gtid/gtid_set.ts";
import { parseUuid } from "../../lib/gtid/uuid.ts";
import { loadBinlogFixture } from "./binlog_fixture.ts";
import { bareEvent, queryEvent } from "./made_events.ts";

/** UUID of the server whose log is made. */
export const MADE_UUID = "3e11fa47-71ca-11e1-9e33-c80aa9429562";

/** A UUID for each number. */
export function numberedUuid(number: number): string {
  return `${number.toString(16).padStart(8, "0")}-71ca-11e1-9e33-c80aa9429562`;
}

/** What a made transaction is like. */
export interface MadeTransaction {
  /** Bytes of its rows events; one small one if absent. */
  readonly rows?: readonly number[];
  /** UUID of its GTID. */
  readonly uuid?: string;
  /** Number of its GTID; the next one of that UUID if absent. */
  readonly gno?: bigint;
  /** True for one without GTID. */
  readonly anonymous?: boolean;
}

/**
 * Makes the events of a server's binlog files, without checksums: real format
 * descriptions, previous GTIDs, and transactions of any size.
 */
export class MadeLog {
  /** GTIDs of all transactions made, and those from before. */
  executed: GtidSet;
  /** Where in the current file the next event begins. */
  position = 4;
  /** Timestamp of the next event. */
  timestamp = 1_700_000_000;
  readonly #next = new Map<string, bigint>();
  readonly #format: Uint8Array;
  // Files begun: they are called binlog.000001 and so on.
  #files = 0;

  /** @param purged GTIDs from before the first file */
  constructor(purged: GtidSet = new GtidSet()) {
    this.executed = purged.clone();
    this.#format = loadBinlogFixture("mysql97", "binlog.000004").events[0]!
      .bytes;
  }

  /** Goes back to where the log was, as a source that sends something again. */
  goBackTo(position: number, executed: GtidSet): void {
    this.position = position;
    this.executed = executed.clone();
    this.#next.clear();
  }

  /** The begin of a file: its format description and previous GTIDs. */
  beginFile(): Uint8Array[] {
    this.#files++;
    this.position = 4;
    const format = this.#place(this.#format.slice());
    const previous = encodePreviousGtids(this.executed, {
      timestamp: this.timestamp,
      serverId: 1,
      position: this.position,
      algorithm: "none",
    });
    return [format, this.#place(previous)];
  }

  /** The events of a transaction. */
  transaction(made: MadeTransaction = {}): Uint8Array[] {
    const events = [this.#gtidEvent(made), queryEvent("BEGIN", NO_CHECKSUM)];
    for (const bytes of made.rows ?? [40]) {
      events.push(tableMap(), rowsEvent(bytes, this.timestamp));
    }
    events.push(
      bareEvent(EventType.XID, { body: new Uint8Array(8), ...NO_CHECKSUM }),
    );
    return this.#placeAll(events);
  }

  /** A transaction of which one event is the end, as a compressed one is. */
  payloadTransaction(bytes: number): Uint8Array[] {
    const events = [
      this.#gtidEvent({}),
      filledEvent(EventType.TRANSACTION_PAYLOAD, bytes, this.timestamp),
    ];
    return this.#placeAll(events);
  }

  /** The end of a file, in an event that belongs to no transaction. */
  rotate(): Uint8Array {
    const number = String(this.#files + 1).padStart(6, "0");
    const body = Uint8Array.of(
      ...[4, 0, 0, 0, 0, 0, 0, 0],
      ...new TextEncoder().encode(`binlog.${number}`),
    );
    return this.#place(bareEvent(EventType.ROTATE, { body, ...NO_CHECKSUM }));
  }

  #gtidEvent(made: MadeTransaction): Uint8Array {
    const body = new Uint8Array(25);
    if (made.anonymous) {
      return bareEvent(EventType.ANONYMOUS_GTID, { body, ...NO_CHECKSUM });
    }
    const uuid = made.uuid ?? MADE_UUID;
    const gno = made.gno ?? this.#next.get(uuid) ?? this.#lastOf(uuid) + 1n;
    this.#next.set(uuid, gno + 1n);
    this.executed.add(uuid, "", gno);
    body.set(parseUuid(uuid), 1);
    new DataView(body.buffer).setBigUint64(17, gno, true);
    return bareEvent(EventType.GTID, { body, ...NO_CHECKSUM });
  }

  #lastOf(uuid: string): bigint {
    let last = 0n;
    for (const interval of this.executed.restrictedTo(uuid).intervals()) {
      last = interval.last;
    }
    return last;
  }

  #placeAll(events: readonly Uint8Array[]): Uint8Array[] {
    const placed = events.map((event) => this.#place(event));
    this.timestamp++;
    return placed;
  }

  /** Gives an event its timestamp and the position it ends at. */
  #place(event: Uint8Array): Uint8Array {
    this.position += event.length;
    const view = new DataView(event.buffer, event.byteOffset);
    view.setUint32(0, this.timestamp, true);
    view.setUint32(13, this.position % 0x1_0000_0000, true);
    return event;
  }
}

const NO_CHECKSUM = { trailerBytes: 0 } as const;

function tableMap(): Uint8Array {
  return bareEvent(EventType.TABLE_MAP, {
    body: new Uint8Array(20),
    ...NO_CHECKSUM,
  });
}

function rowsEvent(bytes: number, seed: number): Uint8Array {
  return filledEvent(EventType.WRITE_ROWS, bytes, seed);
}

/** An event of `bytes` bytes with content that tells a shifted copy. */
function filledEvent(type: number, bytes: number, seed: number): Uint8Array {
  const body = new Uint8Array(bytes - 19);
  const words = new Uint32Array(body.buffer, 0, body.length >>> 2);
  for (let at = 0; at < words.length; at++) {
    words[at] = Math.imul(at + seed, 0x9e37_79b1);
  }
  return bareEvent(type, { body, ...NO_CHECKSUM });
}
