import { eventSizeAt, HEADER_BYTES } from "../../binlog/event_header.ts";
import type { AppendFaultKind, EventAppender } from "../event_appender.ts";
import {
  FRAME_BYTES,
  PACKET_HEADER_BYTES,
  PACKET_PAYLOAD_BYTES_MAX,
} from "../framing.ts";

/** First byte of a payload that carries an event. */
const STATUS_EVENT = 0x00;

/**
 * Takes the framed stream of a file, block by block, apart again and has an
 * `EventAppender` check it event by event. The framing itself has to be what
 * the appender would make.
 */
export class FramedEvents {
  readonly #appender: EventAppender;
  readonly #fault: (kind: AppendFaultKind, message: string) => Error;
  // Of the event under way, if it goes on in the next block: what is to come of
  // its packet, and of the packets behind that, their headers not counted.
  #packetLeft = 0;
  #laterLeft = 0;
  // A full packet has another one behind it, if an empty one.
  #hasMore = false;
  #isInside = false;
  /** Offset in the block after what was checked. */
  offset = 0;

  /**
   * Stands between two events.
   *
   * @param appender checks the events
   * @param fault makes what is thrown when the framing is wrong
   */
  constructor(
    appender: EventAppender,
    fault: (kind: AppendFaultKind, message: string) => Error,
  ) {
    this.#appender = appender;
    this.#fault = fault;
  }

  /** True where a block ends whose last event goes on in the next one. */
  get isInside(): boolean {
    return this.#isInside;
  }

  /**
   * Takes the next block's bytes, which must stay as they are until the block
   * after that.
   *
   * @throws what `fault` makes
   */
  take(bytes: Uint8Array): void {
    const appender = this.#appender;
    this.offset = 0;
    if (this.#isInside) this.#goOn(bytes);
    let at = this.offset;
    appender.run(bytes, at);
    while (at < bytes.length) {
      const payload = this.#payloadAt(bytes, at);
      const end = at + PACKET_HEADER_BYTES + payload;
      if (bytes[at + PACKET_HEADER_BYTES] !== STATUS_EVENT) {
        throw this.#fault("stream", "A packet that carries no event is stored");
      }
      if (payload < PACKET_PAYLOAD_BYTES_MAX && end <= bytes.length) {
        this.offset = end;
        appender.event(bytes, at, end);
        at = end;
      } else {
        this.#beginLarge(bytes, at, payload);
        at = this.offset;
      }
    }
  }

  #beginLarge(bytes: Uint8Array, at: number, payload: number): void {
    const event = at + FRAME_BYTES;
    if (bytes.length < event + HEADER_BYTES) {
      throw this.#fault("stream", "An event is cut inside its header");
    }
    const framed = eventSizeAt(bytes, event) + 1;
    if (payload !== Math.min(framed, PACKET_PAYLOAD_BYTES_MAX)) {
      throw this.#fault(
        "stream",
        `An event of ${framed - 1} bytes begins with a packet of ${payload}`,
      );
    }
    const end = Math.min(at + PACKET_HEADER_BYTES + payload, bytes.length);
    this.#packetLeft = payload - (end - at - PACKET_HEADER_BYTES);
    this.#laterLeft = framed - payload;
    this.#hasMore = payload === PACKET_PAYLOAD_BYTES_MAX;
    this.#isInside = true;
    this.offset = at;
    this.#appender.beginLarge(bytes, event, end);
    this.offset = end;
    this.#goOn(bytes);
  }

  /** Goes on with the large event, from `offset` on. */
  #goOn(bytes: Uint8Array): void {
    for (;;) {
      const end = Math.min(this.offset + this.#packetLeft, bytes.length);
      if (end > this.offset) {
        this.#appender.largeBody(bytes, this.offset, end);
        this.#packetLeft -= end - this.offset;
        this.offset = end;
      }
      if (this.#packetLeft > 0) return;
      if (!this.#hasMore) {
        this.#isInside = false;
        this.#appender.endLarge();
        return;
      }
      if (this.offset === bytes.length) return;
      const payload = this.#payloadAt(bytes, this.offset);
      const expected = Math.min(this.#laterLeft, PACKET_PAYLOAD_BYTES_MAX);
      if (payload !== expected) {
        throw this.#fault(
          "stream",
          `A packet in the middle of an event has ${payload} bytes, expected ${expected}`,
        );
      }
      this.offset += PACKET_HEADER_BYTES;
      this.#packetLeft = payload;
      this.#laterLeft -= payload;
      this.#hasMore = payload === PACKET_PAYLOAD_BYTES_MAX;
    }
  }

  #payloadAt(bytes: Uint8Array, at: number): number {
    if (at + PACKET_HEADER_BYTES > bytes.length) {
      throw this.#fault("stream", "A packet is cut inside its header");
    }
    return bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16;
  }
}
