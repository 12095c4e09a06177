import {
  eventSizeAt,
  eventTypeAt,
  timestampAt,
} from "../binlog/event_header.ts";
import { EventType } from "../binlog/event_type.ts";
import { decodeGtid } from "../binlog/gtid_event.ts";
import type { Gtid } from "../gtid/gtid.ts";
import { PACKET_HEADER_BYTES, PACKET_PAYLOAD_BYTES_MAX } from "./framing.ts";

/**
 * Walks the events of a run of framed stream, from one that begins in it.
 * Knows packets only as far as the stored framing goes: no packet header is
 * cut by the end of the run, and an event's own header is in it whole.
 */
export class EventWalk {
  readonly #bytes: Uint8Array;
  #next: number;
  #nextPosition: number;
  /** Offset of the current event's packet header. */
  offset: number = -1;
  /** Position in the file of the current event. */
  position = 0;
  /** Offset after the part of the current event that is in the run. */
  end = 0;
  /** Whether the current event goes on behind the end of the run. */
  isCut = false;

  /**
   * Stands before the first event: `next` steps to it.
   *
   * @param bytes the run
   * @param offset where an event's packet begins in it
   * @param position the position in the file of that event
   */
  constructor(bytes: Uint8Array, offset: number, position: number) {
    this.#bytes = bytes;
    this.#next = offset;
    this.#nextPosition = position;
  }

  /** Steps to the next event; false when none begins in the run any more. */
  next(): boolean {
    const bytes = this.#bytes;
    if (this.#next >= bytes.length) return false;
    this.offset = this.#next;
    this.position = this.#nextPosition;
    let at = this.#next;
    let raw = -1;
    let payload: number;
    do {
      payload = bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16;
      raw += payload;
      at += PACKET_HEADER_BYTES + payload;
    } while (payload === PACKET_PAYLOAD_BYTES_MAX && at < bytes.length);
    this.#next = at;
    this.isCut = at > bytes.length || payload === PACKET_PAYLOAD_BYTES_MAX;
    this.end = Math.min(at, bytes.length);
    this.#nextPosition = this.position + raw;
    return true;
  }

  /**
   * The position in the file after the last event `next` stepped to; of an
   * event that is cut, after the packets whose headers are in the run.
   */
  get endPosition(): number {
    return this.#nextPosition;
  }

  /** The current event's timestamp in Unix seconds. */
  get timestamp(): number {
    return timestampAt(this.#bytes, this.offset + PACKET_HEADER_BYTES + 1);
  }

  /** Bytes of the current event as its header has it, also when it is cut. */
  get size(): number {
    return eventSizeAt(this.#bytes, this.offset + PACKET_HEADER_BYTES + 1);
  }

  /** The current event's type. */
  get type(): number {
    return eventTypeAt(this.#bytes, this.offset + PACKET_HEADER_BYTES + 1);
  }

  /**
   * The GTID the current event announces; null if it announces none.
   *
   * @throws {MalformedEventError} when it can't be read, so when it is cut
   */
  gtid(): Gtid | null {
    const type = this.type;
    if (type !== EventType.GTID && type !== EventType.GTID_TAGGED) return null;
    return decodeGtid(
      this.#bytes.subarray(this.offset + PACKET_HEADER_BYTES + 1, this.end),
    );
  }
}
