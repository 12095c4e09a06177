import { eventSizeAt, HEADER_BYTES } from "../binlog/event_header.ts";
import { BLOCK_BYTES_MAX } from "../store/binlog_store.ts";
import type { EventAppender } from "../store/event_appender.ts";
import { FRAME_BYTES } from "../store/framing.ts";

/** Bytes of a file that are taken at once: few, so that commits start in time. */
const CHUNK_BYTES = 256 * 1024;

/** The largest event that is appended as a whole. */
const WHOLE_BYTES_MAX = BLOCK_BYTES_MAX - FRAME_BYTES;

/**
 * Where in the buffer the file's bytes lie: so far behind the begin that their
 * events can be moved there, each with a frame before it, without overwriting
 * any that is still to come.
 */
const RAW_OFFSET = Math.ceil(CHUNK_BYTES / HEADER_BYTES) * FRAME_BYTES;

/**
 * Hands the events of raw binlog files to an `EventAppender`: puts the frame
 * before each that it has in a dump. The bytes are read into the feeder's own
 * buffer and moved there once, so that no event costs an object.
 */
export class RawEventFeeder {
  readonly #appender: EventAppender;
  readonly #buffer = new Uint8Array(RAW_OFFSET + CHUNK_BYTES);
  /** Bytes from `RAW_OFFSET` on: an event whose end has not come yet. */
  #kept = 0;
  /** What is to come of a large event. */
  #largeLeft = 0;

  /** @param appender takes the events */
  constructor(appender: EventAppender) {
    this.#appender = appender;
  }

  /** Where to read the next bytes of the file to; then call `taken`. */
  get room(): Uint8Array {
    return this.#buffer.subarray(RAW_OFFSET + this.#kept);
  }

  /** True between two events. */
  get atEventEnd(): boolean {
    return this.#kept === 0 && this.#largeLeft === 0;
  }

  /**
   * Takes the bytes that were read to `room`. What became of earlier ones must
   * be copied: `LogWriter.endOfInput` or `copyPending` does that.
   *
   * @param count how many
   * @throws what the appender throws
   */
  taken(count: number): void {
    const bytes = this.#buffer;
    const end = RAW_OFFSET + this.#kept + count;
    let at = RAW_OFFSET;
    if (this.#largeLeft > 0) at = this.#largeBody(at, end);
    while (end - at >= HEADER_BYTES) {
      const framed = this.#frame(at, end);
      if (framed > at) {
        at = framed;
        continue;
      }
      const size = eventSizeAt(bytes, at);
      if (size <= WHOLE_BYTES_MAX) break;
      const part = Math.min(end - at, size);
      this.#appender.beginLarge(bytes, at, at + part);
      this.#largeLeft = size - part;
      at += part;
      if (this.#largeLeft === 0) this.#appender.endLarge();
    }
    bytes.copyWithin(RAW_OFFSET, at, end);
    this.#kept = end - at;
  }

  /** More of a large event; says how far it goes. */
  #largeBody(at: number, end: number): number {
    const to = Math.min(end, at + this.#largeLeft);
    this.#appender.largeBody(this.#buffer, at, to);
    this.#largeLeft -= to - at;
    if (this.#largeLeft === 0) this.#appender.endLarge();
    return to;
  }

  /**
   * Frames and appends the whole events in `[from, end)`, up to one that is
   * large or cut; says how far it got.
   */
  #frame(from: number, end: number): number {
    const bytes = this.#buffer;
    // All that was framed before a large event was copied with it.
    let to = 0;
    let at = from;
    while (end - at >= HEADER_BYTES) {
      const size = eventSizeAt(bytes, at);
      // A size that is none is for the appender to refuse.
      const whole = size < HEADER_BYTES ? HEADER_BYTES : size;
      if (whole > WHOLE_BYTES_MAX || whole > end - at) break;
      const payload = whole + 1;
      bytes[to] = payload & 0xff;
      bytes[to + 1] = payload >>> 8 & 0xff;
      bytes[to + 2] = payload >>> 16;
      bytes[to + 3] = 0;
      bytes[to + 4] = 0;
      bytes.copyWithin(to + FRAME_BYTES, at, at + whole);
      to += FRAME_BYTES + whole;
      at += whole;
      if (size < HEADER_BYTES) break;
    }
    if (to > 0) this.#append(bytes.subarray(0, to));
    return at;
  }

  #append(framed: Uint8Array): void {
    const appender = this.#appender;
    appender.run(framed, 0);
    let at = 0;
    while (at < framed.length) {
      const payload = framed[at]! | framed[at + 1]! << 8 |
        framed[at + 2]! << 16;
      const end = at + FRAME_BYTES - 1 + payload;
      appender.event(framed, at, end);
      at = end;
    }
  }
}
