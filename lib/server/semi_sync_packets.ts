import { eventSizeAt, eventTypeAt, flagsAt } from "../binlog/event_header.ts";
import {
  BoundaryStep,
  TransactionBoundary,
} from "../binlog/transaction_boundary.ts";
import {
  SEMI_SYNC_ACK_WANTED,
  SEMI_SYNC_MAGIC,
} from "../protocol/semi_sync.ts";
import {
  FRAME_BYTES,
  PACKET_HEADER_BYTES,
  PACKET_PAYLOAD_BYTES_MAX,
} from "../store/framing.ts";
import type { PacketForm } from "./packet_form.ts";

/** Status byte, magic number, flags: what stands before an event. */
const PREFIX_BYTES = 3;
const MADE_PREFIX = Uint8Array.of(0, SEMI_SYNC_MAGIC, 0);

/** The shortest event there can be, with its frame. */
const FRAMED_BYTES_MIN = FRAME_BYTES + 19;

/** Shorter ones are copied faster byte by byte than by a call. */
const LOOP_BYTES_MAX = 64;

/**
 * Packets of a semi-synchronous dump: behind its status byte each event has a
 * magic number and flags (`ReplSemiSyncMaster::reserveSyncHeader`). Where a
 * reply is asked for, the replica answers with sequence id 0, and the packet
 * after that one has sequence id 1 again (`readSlaveReply`).
 *
 * An event near 16 MiB or larger is cut into packets anew: the two bytes move
 * the places where they end.
 */
export class SemiSyncPackets implements PacketForm {
  sequenceId: number;
  position = 0;
  readonly madePrefix = MADE_PREFIX;
  readonly restarts: number[] = [];
  /** Transactions that end at this position of the file or later are asked for. */
  askFrom = Infinity;
  /** How often a reply was asked for. */
  asked = 0;
  /** Position in the file of the newest event a reply was asked for. */
  askedPosition = 0;
  /** Bytes of the checksum at the end of the file's events. */
  trailerBytes = 0;
  readonly #boundary = new TransactionBoundary();
  // Of the event under way: what is left of it; of the packet it came in, and
  // whether that is followed by another one; and of the packet it goes out in.
  #eventLeft = 0;
  #storedLeft = 0;
  #storedMore = false;
  #payloadLeft = 0;
  #packetLeft = 0;
  #packetFull = false;
  #asks = false;

  /** @param sequenceId of the first packet */
  constructor(sequenceId: number) {
    this.sequenceId = sequenceId;
  }

  get atEventEnd(): boolean {
    return this.#eventLeft === 0 && !this.#storedMore;
  }

  bytesFor(runBytes: number): number {
    // Two bytes for each event, and a packet header that was not there before.
    return runBytes + 2 * Math.ceil(runBytes / FRAMED_BYTES_MIN) +
      2 * PACKET_HEADER_BYTES;
  }

  copyRun(run: Uint8Array, buffer: Uint8Array, start: number): number {
    let from = 0;
    let to = start;
    while (from < run.length) {
      if (this.atEventEnd) {
        const payload = payloadAt(run, from);
        const end = from + PACKET_HEADER_BYTES + payload;
        if (
          end > run.length ||
          payload + PREFIX_BYTES - 1 >= PACKET_PAYLOAD_BYTES_MAX
        ) {
          to = this.#beginLarge(run, from, payload, buffer, to);
          from += FRAME_BYTES;
        } else {
          to = this.#copyWhole(run, from, end, buffer, to);
          from = end;
        }
      } else if (this.#storedLeft === 0) {
        const payload = payloadAt(run, from);
        this.#storedLeft = payload;
        this.#storedMore = payload === PACKET_PAYLOAD_BYTES_MAX;
        from += PACKET_HEADER_BYTES;
      } else {
        if (this.#packetLeft === 0) to = this.#beginPacket(buffer, to);
        const count = Math.min(
          run.length - from,
          this.#storedLeft,
          this.#packetLeft,
        );
        buffer.set(run.subarray(from, from + count), to);
        from += count;
        to += count;
        this.position += count;
        this.#eventLeft -= count;
        this.#storedLeft -= count;
        this.#packetLeft -= count;
        this.#payloadLeft -= count;
      }
      if (this.#asks || this.#packetFull) to = this.#endLarge(buffer, to);
    }
    return to;
  }

  /** An event that is in one packet before and after. */
  #copyWhole(
    run: Uint8Array,
    start: number,
    end: number,
    buffer: Uint8Array,
    at: number,
  ): number {
    const event = start + FRAME_BYTES;
    const size = end - event;
    this.position += size;
    const ends = this.#endsTransaction(run, event, size);
    const asks = ends && this.position >= this.askFrom;
    const payload = size + PREFIX_BYTES;
    buffer[at] = payload & 0xff;
    buffer[at + 1] = payload >>> 8 & 0xff;
    buffer[at + 2] = payload >>> 16;
    buffer[at + 3] = this.sequenceId;
    buffer[at + 4] = 0;
    buffer[at + 5] = SEMI_SYNC_MAGIC;
    buffer[at + 6] = asks ? SEMI_SYNC_ACK_WANTED : 0;
    const to = at + PACKET_HEADER_BYTES + PREFIX_BYTES;
    if (size > LOOP_BYTES_MAX) buffer.set(run.subarray(event, end), to);
    else for (let i = 0; i < size; i++) buffer[to + i] = run[event + i]!;
    if (asks) this.#noteAsked(to + size);
    else this.sequenceId = this.sequenceId + 1 & 0xff;
    return to + size;
  }

  /** Begins an event that is in several packets or runs. */
  #beginLarge(
    run: Uint8Array,
    start: number,
    payload: number,
    buffer: Uint8Array,
    at: number,
  ): number {
    const event = start + FRAME_BYTES;
    const size = eventSizeAt(run, event);
    this.#eventLeft = size;
    this.#storedLeft = payload - 1;
    this.#storedMore = payload === PACKET_PAYLOAD_BYTES_MAX;
    this.#payloadLeft = size + PREFIX_BYTES;
    const ends = this.#endsTransactionLarge(run, event);
    this.#asks = ends && this.position + size >= this.askFrom;
    const to = this.#beginPacket(buffer, at);
    buffer[to] = 0;
    buffer[to + 1] = SEMI_SYNC_MAGIC;
    buffer[to + 2] = this.#asks ? SEMI_SYNC_ACK_WANTED : 0;
    this.#payloadLeft -= PREFIX_BYTES;
    this.#packetLeft -= PREFIX_BYTES;
    return to + PREFIX_BYTES;
  }

  #beginPacket(buffer: Uint8Array, at: number): number {
    const payload = Math.min(this.#payloadLeft, PACKET_PAYLOAD_BYTES_MAX);
    buffer[at] = payload & 0xff;
    buffer[at + 1] = payload >>> 8 & 0xff;
    buffer[at + 2] = payload >>> 16;
    buffer[at + 3] = this.sequenceId;
    this.sequenceId = this.sequenceId + 1 & 0xff;
    this.#packetLeft = payload;
    this.#packetFull = payload === PACKET_PAYLOAD_BYTES_MAX;
    return at + PACKET_HEADER_BYTES;
  }

  /** What comes behind the last byte of an event in several packets or runs. */
  #endLarge(buffer: Uint8Array, at: number): number {
    if (this.#eventLeft > 0) return at;
    // A full packet is always followed by another one, if by an empty one.
    const to = this.#packetFull ? this.#beginPacket(buffer, at) : at;
    if (this.#asks) this.#noteAsked(to);
    this.#asks = false;
    return to;
  }

  /** @param end where the event ends in the buffer */
  #noteAsked(end: number): void {
    this.restarts.push(end);
    this.asked++;
    this.askedPosition = this.position;
    this.sequenceId = 1;
  }

  #endsTransaction(run: Uint8Array, event: number, size: number): boolean {
    try {
      const type = eventTypeAt(run, event);
      return this.#boundary.step(type, run, event, size, this.trailerBytes) ===
        BoundaryStep.ENDS;
    } catch {
      // Only where a dump began inside a transaction: this was its end.
      this.#boundary.reset();
      return true;
    }
  }

  #endsTransactionLarge(run: Uint8Array, event: number): boolean {
    try {
      const step = this.#boundary.stepLarge(
        eventTypeAt(run, event),
        flagsAt(run, event),
      );
      return step === BoundaryStep.ENDS;
    } catch {
      this.#boundary.reset();
      return true;
    }
  }
}

/** Payload length in the packet header at `at`. */
function payloadAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16;
}
