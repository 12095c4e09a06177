import { eventSizeAt } from "../binlog/event_header.ts";
import {
  FRAME_BYTES,
  PACKET_HEADER_BYTES,
  PACKET_PAYLOAD_BYTES_MAX,
} from "./framing.ts";

/** Takes the events that an `EventScanner` finds, without their framing. */
export interface EventSink {
  /** A whole event, `bytes[start, end)`, at a position in the file. */
  event(
    bytes: Uint8Array,
    start: number,
    end: number,
    position: number,
  ): void;
  /**
   * An event larger than its slice begins: `bytes[start, end)` is what the
   * slice has of it, its header at least.
   */
  largeStart(
    bytes: Uint8Array,
    start: number,
    end: number,
    position: number,
  ): void;
  /** More of that event. */
  largePart(bytes: Uint8Array, start: number, end: number): void;
  /** That was all of it. */
  largeEnd(): void;
}

/**
 * Finds the events in slices of one stored file. Begins at the begin of an
 * event.
 */
export class EventScanner {
  readonly #sink: EventSink;
  #position: number;
  // Of the packet that the last slice ended in, if that is not an event's end.
  #rest = 0;
  #goesOn = false;
  #inside = false;

  /**
   * @param sink takes the events
   * @param position in the file of the first one
   */
  constructor(sink: EventSink, position: number) {
    this.#sink = sink;
    this.#position = position;
  }

  /** Position in the file after the last event that began. */
  get position(): number {
    return this.#position;
  }

  /** Whether the last slice ended inside an event. */
  get isInside(): boolean {
    return this.#inside;
  }

  /** Takes the next slice, in which no packet header is cut. */
  push(bytes: Uint8Array): void {
    const { length } = bytes;
    const sink = this.#sink;
    let at = this.#inside ? this.#large(bytes, 0) : 0;
    while (at < length) {
      const payload = bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16;
      const start = at + FRAME_BYTES;
      const end = at + PACKET_HEADER_BYTES + payload;
      const position = this.#position;
      if (end <= length && payload < PACKET_PAYLOAD_BYTES_MAX) {
        this.#position += payload - 1;
        sink.event(bytes, start, end, position);
        at = end;
        continue;
      }
      this.#position += eventSizeAt(bytes, start);
      this.#inside = true;
      this.#goesOn = payload === PACKET_PAYLOAD_BYTES_MAX;
      const part = Math.min(end, length);
      this.#rest = end - part;
      sink.largeStart(bytes, start, part, position);
      at = this.#large(bytes, part);
    }
  }

  /** Goes on with a large event; answers where in `bytes` it stops. */
  #large(bytes: Uint8Array, from: number): number {
    const { length } = bytes;
    let at = from;
    for (;;) {
      if (this.#rest === 0) {
        if (!this.#goesOn) {
          this.#inside = false;
          this.#sink.largeEnd();
          return at;
        }
        if (at >= length) return at;
        const payload = bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16;
        this.#rest = payload;
        this.#goesOn = payload === PACKET_PAYLOAD_BYTES_MAX;
        at += PACKET_HEADER_BYTES;
        continue;
      }
      if (at >= length) return at;
      const count = Math.min(this.#rest, length - at);
      this.#sink.largePart(bytes, at, at + count);
      this.#rest -= count;
      at += count;
    }
  }
}
