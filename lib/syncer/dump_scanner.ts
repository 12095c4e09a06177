import {
  PACKET_HEADER_BYTES,
  PACKET_PAYLOAD_BYTES_MAX,
} from "../store/framing.ts";
import { SourceError } from "./source_error.ts";

/**
 * What must be in one piece before an event too large to hold is handed on:
 * packet header, status byte, event header.
 */
const LARGE_START_BYTES = PACKET_HEADER_BYTES + 1 + 19;

/**
 * Takes the packets of a dump. The bytes passed to `packet` stay as they are
 * until the `push` that brought them returns or `reclaim` is called.
 */
export interface PacketSink {
  /**
   * Announces whole packets: those that begin in `bytes[start, …)` and end there
   * follow one by one. They stay as they are until then.
   */
  run(bytes: Uint8Array, start: number): void;
  /** A whole packet, header included, at `bytes[start, end)`. */
  packet(bytes: Uint8Array, start: number, end: number): void;
  /** The bytes of earlier packets are about to be overwritten. */
  reclaim(): void;
  /**
   * The begin of an event too large to hold: packet header, status byte and
   * event header at `bytes[start, end)`.
   */
  largeStart(bytes: Uint8Array, start: number, end: number): void;
  /** The header of a further packet of that event. */
  largeHeader(bytes: Uint8Array, start: number, end: number): void;
  /** More of that event. */
  largeBody(bytes: Uint8Array, start: number, end: number): void;
  /** That event is complete. */
  largeEnd(): void;
}

/**
 * Finds the packets in the bytes of a dump and checks their sequence ids. A
 * packet that is whole in a chunk is handed on where it lies; one that is cut
 * by the chunk's end waits for the rest; one larger than `heldBytesMax` is
 * handed on as it comes.
 */
export class DumpScanner {
  readonly #sink: PacketSink;
  readonly #held: Uint8Array;
  #heldUsed = 0;
  #sequenceId: number;
  // Of a large event: what is to come of the packet, and whether another follows.
  #large = false;
  #largeLeft = 0;
  #largeMore = false;

  /**
   * @param sink takes the packets
   * @param heldBytesMax the largest packet, with its header, handed on whole
   * @param sequenceId the id of the first packet
   */
  constructor(sink: PacketSink, heldBytesMax: number, sequenceId = 1) {
    this.#sink = sink;
    this.#held = new Uint8Array(heldBytesMax);
    this.#sequenceId = sequenceId;
  }

  /** True between two packets. */
  get atPacketEnd(): boolean {
    return this.#heldUsed === 0 && !this.#large;
  }

  /**
   * Takes the next bytes.
   *
   * @throws {SourceError} `stream` when a sequence id is out of order, and
   * whatever the sink throws
   */
  push(chunk: Uint8Array): void {
    let at = 0;
    const length = chunk.length;
    while (at < length) {
      if (this.#large) at = this.#pushLarge(chunk, at);
      else if (this.#heldUsed > 0) at = this.#pushHeld(chunk, at);
      else at = this.#pushWhole(chunk, at);
    }
  }

  /** Hands on the whole packets from `at` on; keeps what is left. */
  #pushWhole(chunk: Uint8Array, start: number): number {
    const sink = this.#sink;
    const heldMax = this.#held.length;
    const length = chunk.length;
    let at = start;
    sink.run(chunk, start);
    while (length - at >= PACKET_HEADER_BYTES) {
      const payload = chunk[at]! | chunk[at + 1]! << 8 | chunk[at + 2]! << 16;
      const end = at + PACKET_HEADER_BYTES + payload;
      if (end - at > heldMax) {
        if (length - at < LARGE_START_BYTES) break;
        return this.#startLarge(chunk, at, payload);
      }
      if (end > length) break;
      this.#checkSequence(chunk[at + 3]!);
      sink.packet(chunk, at, end);
      at = end;
    }
    if (at < length) {
      this.#held.set(chunk.subarray(at), 0);
      this.#heldUsed = length - at;
    }
    return length;
  }

  /** Completes what is kept, or keeps more. */
  #pushHeld(chunk: Uint8Array, at: number): number {
    const held = this.#held;
    let from = this.#fill(chunk, at, PACKET_HEADER_BYTES);
    if (this.#heldUsed < PACKET_HEADER_BYTES) return from;
    const payload = held[0]! | held[1]! << 8 | held[2]! << 16;
    const whole = PACKET_HEADER_BYTES + payload;
    if (whole > held.length) {
      from = this.#fill(chunk, from, LARGE_START_BYTES);
      if (this.#heldUsed < LARGE_START_BYTES) return from;
      const used = this.#heldUsed;
      this.#heldUsed = 0;
      const taken = this.#startLarge(held, 0, payload);
      if (taken < used) this.#pushLarge(held.subarray(0, used), taken);
      return from;
    }
    from = this.#fill(chunk, from, whole);
    if (this.#heldUsed < whole) return from;
    this.#heldUsed = 0;
    this.#checkSequence(held[3]!);
    this.#sink.packet(held, 0, whole);
    this.#sink.reclaim();
    return from;
  }

  /** Copies from the chunk until `count` bytes are kept; says how far it got. */
  #fill(chunk: Uint8Array, at: number, count: number): number {
    const missing = count - this.#heldUsed;
    if (missing <= 0) return at;
    const to = Math.min(chunk.length, at + missing);
    this.#held.set(chunk.subarray(at, to), this.#heldUsed);
    this.#heldUsed += to - at;
    return to;
  }

  #startLarge(bytes: Uint8Array, at: number, payload: number): number {
    this.#checkSequence(bytes[at + 3]!);
    const end = at + LARGE_START_BYTES;
    this.#large = true;
    this.#largeLeft = PACKET_HEADER_BYTES + payload - LARGE_START_BYTES;
    this.#largeMore = payload === PACKET_PAYLOAD_BYTES_MAX;
    this.#sink.largeStart(bytes, at, end);
    return end;
  }

  #pushLarge(chunk: Uint8Array, at: number): number {
    if (this.#largeLeft > 0) {
      const end = Math.min(chunk.length, at + this.#largeLeft);
      this.#largeLeft -= end - at;
      this.#sink.largeBody(chunk, at, end);
      if (this.#largeLeft === 0 && !this.#largeMore) this.#endLarge();
      return end;
    }
    // The header of the next packet of the same event.
    const from = this.#fill(chunk, at, PACKET_HEADER_BYTES);
    if (this.#heldUsed < PACKET_HEADER_BYTES) return from;
    const held = this.#held;
    const payload = held[0]! | held[1]! << 8 | held[2]! << 16;
    this.#heldUsed = 0;
    this.#checkSequence(held[3]!);
    this.#largeLeft = payload;
    this.#largeMore = payload === PACKET_PAYLOAD_BYTES_MAX;
    this.#sink.largeHeader(held, 0, PACKET_HEADER_BYTES);
    if (payload === 0) this.#endLarge();
    return from;
  }

  #endLarge(): void {
    this.#large = false;
    this.#sink.largeEnd();
  }

  #checkSequence(sequenceId: number): void {
    if (sequenceId !== this.#sequenceId) {
      throw new SourceError(
        "stream",
        `The source sent packet ${sequenceId} where ${this.#sequenceId} was expected`,
      );
    }
    this.#sequenceId = sequenceId + 1 & 0xff;
  }
}
