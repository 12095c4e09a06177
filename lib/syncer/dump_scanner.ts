import { HEADER_BYTES } from "../binlog/event_header.ts";
import {
  SEMI_SYNC_ACK_WANTED,
  SEMI_SYNC_MAGIC,
} from "../protocol/semi_sync.ts";
import {
  FRAME_BYTES,
  PACKET_HEADER_BYTES,
  PACKET_PAYLOAD_BYTES_MAX,
} from "../store/framing.ts";
import { SourceError } from "./source_error.ts";

/**
 * What must be in one piece before an event too large to hold is handed on:
 * packet header, status byte, event header.
 */
const LARGE_START_BYTES = FRAME_BYTES + HEADER_BYTES;

/** What semi-sync puts between status byte and event: magic number and flags. */
const SEMI_SYNC_BYTES = 2;

/** First byte of a payload that carries an event. */
const STATUS_EVENT = 0x00;

/** Shorter runs are moved faster byte by byte than by a call. */
const LOOP_BYTES_MAX = 64;

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
  /** The source waits until the event handed on last is acknowledged. */
  replyWanted(): void;
}

/** How the packets of a dump look. */
export interface DumpScannerOptions {
  /** The id of the first packet; 1 if absent. */
  readonly sequenceId?: number;
  /** Whether they are those of a semi-synchronous dump. */
  readonly semiSync?: boolean;
  /** False where their ids count nothing; see `PacketDecoderOptions`. */
  readonly numbered?: boolean;
}

/**
 * Finds the packets in the bytes of a dump and checks their sequence ids. A
 * packet that is whole in a chunk is handed on where it lies; one that is cut
 * by the chunk's end waits for the rest; one larger than `heldBytesMax` is
 * handed on as it comes.
 *
 * In a semi-synchronous dump two bytes stand between an event's status byte
 * and the event; they are taken out, so that the sink sees the packets of any
 * other dump. After an event that the source wants acknowledged it numbers its
 * packets from 1 on again (`ReplSemiSyncMaster::readSlaveReply`).
 */
export class DumpScanner {
  readonly #sink: PacketSink;
  readonly #held: Uint8Array;
  #heldUsed = 0;
  #sequenceId: number;
  readonly #numbered: boolean;
  // Of a large event: what is to come of the packet, and whether another follows.
  #large = false;
  #largeLeft = 0;
  #largeMore = false;
  #largeReply = false;
  /** What is between status byte and event. */
  readonly #extraBytes: number;

  /**
   * @param sink takes the packets
   * @param heldBytesMax the largest packet, with its header, handed on whole
   * @param options how they look
   */
  constructor(
    sink: PacketSink,
    heldBytesMax: number,
    options: DumpScannerOptions = {},
  ) {
    this.#sink = sink;
    this.#extraBytes = options.semiSync === true ? SEMI_SYNC_BYTES : 0;
    this.#held = new Uint8Array(heldBytesMax + this.#extraBytes);
    this.#sequenceId = options.sequenceId ?? 1;
    this.#numbered = options.numbered ?? true;
  }

  /** True between two packets. */
  get atPacketEnd(): boolean {
    return this.#heldUsed === 0 && !this.#large;
  }

  /**
   * Takes the next bytes; those of a semi-synchronous dump are changed.
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
      else if (this.#extraBytes > 0) at = this.#pushWrapped(chunk, at);
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
    return this.#hold(chunk, at);
  }

  /** Does so for a semi-synchronous dump. */
  #pushWrapped(chunk: Uint8Array, start: number): number {
    const { from, to } = this.#unwrap(chunk, start);
    this.#handOn(chunk.subarray(0, to), start);
    if (chunk.length - from >= LARGE_START_BYTES + this.#extraBytes) {
      const payload = chunk[from]! | chunk[from + 1]! << 8 |
        chunk[from + 2]! << 16;
      if (PACKET_HEADER_BYTES + payload > this.#held.length) {
        return this.#startLarge(chunk, from, payload);
      }
    }
    return this.#hold(chunk, from);
  }

  /**
   * Takes the two bytes out of the whole packets from `start` on and closes the
   * gaps, so that frames follow each other as they do in other dumps. In place
   * of a sequence id, which is checked here, stands whether the source wants a
   * reply. Answers where the frames end, and where what comes behind begins.
   */
  #unwrap(bytes: Uint8Array, start: number): { from: number; to: number } {
    let from = start;
    let to = start;
    while (bytes.length - from >= PACKET_HEADER_BYTES) {
      const payload = bytes[from]! | bytes[from + 1]! << 8 |
        bytes[from + 2]! << 16;
      const end = from + PACKET_HEADER_BYTES + payload;
      if (end - from > this.#held.length || end > bytes.length) break;
      this.#checkSequence(bytes[from + 3]!);
      let left = payload;
      let wanted = false;
      from += PACKET_HEADER_BYTES;
      if (bytes[from] === STATUS_EVENT && payload > 0) {
        wanted = this.#replyWantedAt(bytes, from, end);
        if (wanted) this.#sequenceId = 1;
        from += SEMI_SYNC_BYTES;
        left -= SEMI_SYNC_BYTES;
        bytes[from] = STATUS_EVENT;
      }
      bytes[to] = left & 0xff;
      bytes[to + 1] = left >>> 8 & 0xff;
      bytes[to + 2] = left >>> 16;
      bytes[to + 3] = wanted ? 1 : 0;
      to += PACKET_HEADER_BYTES;
      if (left > LOOP_BYTES_MAX) bytes.copyWithin(to, from, end);
      else for (let i = 0; i < left; i++) bytes[to + i] = bytes[from + i]!;
      to += left;
      from = end;
    }
    return { from, to };
  }

  /** Hands on frames that `unwrap` has made. */
  #handOn(frames: Uint8Array, start: number): void {
    if (start === frames.length) return;
    const sink = this.#sink;
    sink.run(frames, start);
    let at = start;
    while (at < frames.length) {
      const end = at + PACKET_HEADER_BYTES +
        (frames[at]! | frames[at + 1]! << 8 | frames[at + 2]! << 16);
      const wanted = frames[at + 3] !== 0;
      sink.packet(frames, at, end);
      if (wanted) sink.replyWanted();
      at = end;
    }
  }

  /** Whether the source wants a reply to the event at `status`. */
  #replyWantedAt(bytes: Uint8Array, status: number, end: number): boolean {
    if (
      end - status <= SEMI_SYNC_BYTES || bytes[status + 1] !== SEMI_SYNC_MAGIC
    ) {
      throw new SourceError(
        "stream",
        "The source sent an event without the magic number of semi-synchronous replication, which was agreed on",
      );
    }
    return (bytes[status + 2]! & SEMI_SYNC_ACK_WANTED) !== 0;
  }

  /** Keeps what is left of the chunk. */
  #hold(chunk: Uint8Array, at: number): number {
    if (at < chunk.length) {
      this.#held.set(chunk.subarray(at), 0);
      this.#heldUsed = chunk.length - at;
    }
    return chunk.length;
  }

  /** Completes what is kept, or keeps more. */
  #pushHeld(chunk: Uint8Array, at: number): number {
    const held = this.#held;
    let from = this.#fill(chunk, at, PACKET_HEADER_BYTES);
    if (this.#heldUsed < PACKET_HEADER_BYTES) return from;
    const payload = held[0]! | held[1]! << 8 | held[2]! << 16;
    const whole = PACKET_HEADER_BYTES + payload;
    if (whole > held.length) {
      const startBytes = LARGE_START_BYTES + this.#extraBytes;
      from = this.#fill(chunk, from, startBytes);
      if (this.#heldUsed < startBytes) return from;
      const used = this.#heldUsed;
      this.#heldUsed = 0;
      const taken = this.#startLarge(held, 0, payload);
      if (taken < used) this.#pushLarge(held.subarray(0, used), taken);
      return from;
    }
    from = this.#fill(chunk, from, whole);
    if (this.#heldUsed < whole) return from;
    this.#heldUsed = 0;
    if (this.#extraBytes > 0) {
      const { to } = this.#unwrap(held.subarray(0, whole), 0);
      this.#handOn(held.subarray(0, to), 0);
    } else {
      this.#checkSequence(held[3]!);
      this.#sink.packet(held, 0, whole);
    }
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
    const start = at + this.#extraBytes;
    const end = start + LARGE_START_BYTES;
    this.#large = true;
    this.#largeLeft = PACKET_HEADER_BYTES + payload - (end - at);
    this.#largeMore = payload === PACKET_PAYLOAD_BYTES_MAX;
    this.#largeReply = false;
    if (this.#extraBytes > 0) {
      const status = at + PACKET_HEADER_BYTES;
      this.#largeReply = this.#replyWantedAt(bytes, status, end);
      bytes[status + SEMI_SYNC_BYTES] = bytes[status]!;
    }
    this.#sink.largeStart(bytes, start, end);
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
    if (!this.#largeReply) return;
    this.#sequenceId = 1;
    this.#sink.replyWanted();
  }

  #checkSequence(sequenceId: number): void {
    if (sequenceId !== this.#sequenceId && this.#numbered) {
      throw new SourceError(
        "stream",
        `The source sent packet ${sequenceId} where ${this.#sequenceId} was expected`,
      );
    }
    this.#sequenceId = sequenceId + 1 & 0xff;
  }
}
