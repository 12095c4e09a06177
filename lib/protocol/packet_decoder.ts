import { ErrorCode } from "./error_code.ts";
import {
  type Packet,
  PACKET_HEADER_BYTES,
  PART_PAYLOAD_BYTES_MAX,
} from "./packet.ts";
import { HeldPayload, type PayloadMemory } from "./payload_memory.ts";
import { ProtocolError } from "./protocol_error.ts";
import { isErr } from "./response.ts";

/** Limits and starting point of a `PacketDecoder`. */
export interface PacketDecoderOptions {
  /** Largest payload to accept, joined parts together, in bytes. */
  readonly maxPayloadBytes: number;
  /** Sequence id that the first part has to carry; 0 when absent. */
  readonly initialSequenceId?: number;
  /**
   * For a client: accept an ERR packet with sequence id 0 in place of any
   * other. MySQL 8 and later say with one why they hang up an idle connection.
   */
  readonly acceptsNotices?: boolean;
  /**
   * False for what comes from a server over the compressed protocol: it counts
   * the packets inside on from the compressed ones (`net_flush` of
   * `sql-common/net_serv.cc`), and no client looks at their ids. True when absent.
   */
  readonly numbered?: boolean;
  /** Where memory for an incomplete payload comes from; without a limit if absent. */
  readonly memory?: PayloadMemory | undefined;
}

/**
 * Room that a split or joined payload gets at most before more of it than that
 * has arrived; then it doubles.
 */
const ASSEMBLY_BYTES = 64 * 1024;

const NO_BYTES = new Uint8Array(0);

/**
 * Cuts a byte stream into packets. Feed it chunks as they arrive; it answers
 * the packets that are complete.
 *
 * ```text
 * stream  = packet*
 * packet  = full-part* last-part
 * part    = length:u24 sequence-id:u8 payload          (MySQL internals: Protocol::Packet)
 * full-part has length 0xffffff, last-part a smaller one (0 is possible)
 * ```
 *
 * A part's sequence id has to be the previous part's plus one modulo 256, and a
 * payload has to stay within the limit; both are checked as soon as the header
 * is there, before anything of the payload is kept. Memory held for an
 * incomplete packet is proportional to what has arrived of it, never to what
 * its header announces.
 *
 * After a thrown `ProtocolError` the stream is out of step: the decoder cannot
 * be used further.
 */
export class PacketDecoder {
  #maxPayloadBytes: number;
  readonly #acceptsNotices: boolean;
  readonly #numbered: boolean;
  /** For the assembly. */
  readonly #held: HeldPayload;
  #expectedSequenceId: number;

  /** The current chunk and how far it is decoded. */
  #chunk: Uint8Array = NO_BYTES;
  #offset = 0;

  /** Header of the current part as far as earlier chunks carried it. */
  readonly #header = new Uint8Array(PACKET_HEADER_BYTES);
  #headerBytes = 0;

  /** Payload of the current packet as far as earlier chunks or parts carried it. */
  #assembly: Uint8Array = NO_BYTES;
  #assemblyBytes = 0;
  /** Parts of the current packet that are complete, each of maximal length. */
  #fullParts = 0;

  constructor(options: PacketDecoderOptions) {
    this.#maxPayloadBytes = options.maxPayloadBytes;
    this.#acceptsNotices = options.acceptsNotices ?? false;
    this.#numbered = options.numbered ?? true;
    this.#held = new HeldPayload(options.memory);
    this.#expectedSequenceId = options.initialSequenceId ?? 0;
  }

  /** Largest payload accepted; may be raised, for instance after a login. */
  get maxPayloadBytes(): number {
    return this.#maxPayloadBytes;
  }

  set maxPayloadBytes(bytes: number) {
    this.#maxPayloadBytes = bytes;
  }

  /**
   * Bytes taken in that no packet has been made of yet: zero exactly when the
   * stream stands between two packets and nothing waits to be decoded.
   */
  get buffered(): number {
    return this.#fullParts * PACKET_HEADER_BYTES + this.#headerBytes +
      this.#assemblyBytes + this.#chunk.length - this.#offset;
  }

  /** The sequence id that the next part has to carry. */
  get expectedSequenceId(): number {
    return this.#expectedSequenceId;
  }

  /**
   * Sets the sequence id that the next part has to carry: 0 where the peer
   * begins a command, 1 where it answers ours.
   */
  expectSequence(sequenceId: number): void {
    this.#expectedSequenceId = sequenceId & 0xff;
  }

  /**
   * Takes in a chunk without decoding it. The chunk is borrowed: payloads are
   * views into it, so its bytes must not change any more.
   */
  feed(chunk: Uint8Array): void {
    if (this.#offset === this.#chunk.length) {
      this.#chunk = chunk;
    } else {
      const left = this.#chunk.subarray(this.#offset);
      const joined = new Uint8Array(left.length + chunk.length);
      joined.set(left);
      joined.set(chunk, left.length);
      this.#chunk = joined;
    }
    this.#offset = 0;
  }

  /**
   * The next packet, or `undefined` if what was fed does not complete one.
   * Throws a `ProtocolError` for a wrong sequence id (1156), a payload beyond
   * the limit (1153), or one that there is no memory for (1041).
   */
  next(): Packet | undefined {
    for (;;) {
      if (!this.#fillHeader()) return undefined;
      this.#checkHeader();
      const length = this.#partLength();
      if (!this.#partComplete(length)) return undefined;
      const packet = this.#endPart(length);
      if (packet !== undefined) return packet;
    }
  }

  /** Feeds a chunk and answers every packet that is complete with it. */
  push(chunk: Uint8Array): Packet[] {
    this.feed(chunk);
    const packets: Packet[] = [];
    for (let packet = this.next(); packet; packet = this.next()) {
      packets.push(packet);
    }
    return packets;
  }

  /**
   * Hands out everything that is {@linkcode buffered} as the raw bytes they
   * arrived as, and forgets them: for a reader that goes on by itself.
   */
  takeRest(): Uint8Array {
    const tail = this.#chunk.subarray(this.#offset);
    let rest = tail;
    if (tail.length !== this.buffered) {
      rest = new Uint8Array(this.buffered);
      const at = this.#copyAssembly(rest);
      rest.set(tail, at);
    }
    this.#chunk = NO_BYTES;
    this.#offset = 0;
    this.#headerBytes = 0;
    this.#resetAssembly();
    return rest;
  }

  /** Completes the current part's header; false if bytes are missing. */
  #fillHeader(): boolean {
    if (this.#headerBytes === PACKET_HEADER_BYTES) return true;
    const count = Math.min(
      PACKET_HEADER_BYTES - this.#headerBytes,
      this.#chunk.length - this.#offset,
    );
    for (let i = 0; i < count; i++) {
      this.#header[this.#headerBytes + i] = this.#chunk[this.#offset + i]!;
    }
    this.#offset += count;
    this.#headerBytes += count;
    return this.#headerBytes === PACKET_HEADER_BYTES;
  }

  #partLength(): number {
    return this.#header[0]! | (this.#header[1]! << 8) |
      (this.#header[2]! << 16);
  }

  /** Bytes of the current part's payload that earlier chunks carried. */
  #partBytes(): number {
    return this.#assemblyBytes - this.#fullParts * PART_PAYLOAD_BYTES_MAX;
  }

  #checkHeader(): void {
    const sequenceId = this.#header[3]!;
    if (sequenceId !== this.#expectedSequenceId && this.#numbered) {
      const mayBeNotice = this.#acceptsNotices && sequenceId === 0 &&
        this.#fullParts === 0;
      if (!mayBeNotice) throw this.#outOfOrder(sequenceId);
    }
    if (this.#announcedBytes() > this.#maxPayloadBytes) {
      throw new ProtocolError(
        ErrorCode.ER_NET_PACKET_TOO_LARGE,
        `Got a packet bigger than ${this.#maxPayloadBytes} bytes`,
      );
    }
  }

  #outOfOrder(sequenceId: number): ProtocolError {
    return new ProtocolError(
      ErrorCode.ER_NET_PACKETS_OUT_OF_ORDER,
      `Got packets out of order: sequence id ${sequenceId}, expected ${this.#expectedSequenceId}`,
    );
  }

  /**
   * True if the rest of the part lies in the chunk. Otherwise the chunk is used
   * up into the assembly.
   */
  #partComplete(length: number): boolean {
    const missing = length - this.#partBytes();
    if (missing <= this.#chunk.length - this.#offset) return true;
    this.#assemble(this.#chunk.subarray(this.#offset));
    this.#chunk = NO_BYTES;
    this.#offset = 0;
    return false;
  }

  /** Ends a part that lies complete; answers the packet if it was the last. */
  #endPart(length: number): Packet | undefined {
    const sequenceId = this.#header[3]!;
    const end = this.#offset + length - this.#partBytes();
    let payload = this.#chunk.subarray(this.#offset, end);
    this.#offset = end;
    const isFull = length === PART_PAYLOAD_BYTES_MAX;
    if (isFull || this.#assemblyBytes > 0) {
      this.#assemble(payload);
      payload = this.#assembly.subarray(0, this.#assemblyBytes);
    }
    // A wrong id has come this far only as the possible start of a notice.
    if (
      sequenceId !== this.#expectedSequenceId && this.#numbered &&
      !isErr(payload)
    ) {
      throw this.#outOfOrder(sequenceId);
    }
    this.#headerBytes = 0;
    this.#expectedSequenceId = (sequenceId + 1) & 0xff;
    if (isFull) {
      this.#fullParts++;
      return undefined;
    }
    this.#resetAssembly();
    return { sequenceId, payload };
  }

  #assemble(bytes: Uint8Array): void {
    const needed = this.#assemblyBytes + bytes.length;
    if (needed > this.#assembly.length) {
      const room = Math.max(needed, this.#assembly.length * 2, ASSEMBLY_BYTES);
      const grownBytes = Math.min(room, this.#announcedBytes());
      this.#held.set(grownBytes);
      const grown = new Uint8Array(grownBytes);
      grown.set(this.#assembly.subarray(0, this.#assemblyBytes));
      this.#assembly = grown;
    }
    this.#assembly.set(bytes, this.#assemblyBytes);
    this.#assemblyBytes = needed;
  }

  /** Length of the payload up to and with the current part. */
  #announcedBytes(): number {
    return this.#fullParts * PART_PAYLOAD_BYTES_MAX + this.#partLength();
  }

  #resetAssembly(): void {
    this.#assembly = NO_BYTES;
    this.#assemblyBytes = 0;
    this.#fullParts = 0;
    this.#held.set(0);
  }

  /** Writes what is assembled with its headers; answers where it ended. */
  #copyAssembly(target: Uint8Array): number {
    let at = 0;
    let from = 0;
    const firstId = this.#expectedSequenceId - this.#fullParts;
    for (let part = 0; part < this.#fullParts; part++) {
      target.set([0xff, 0xff, 0xff, (firstId + part) & 0xff], at);
      at += PACKET_HEADER_BYTES;
      const to = from + PART_PAYLOAD_BYTES_MAX;
      target.set(this.#assembly.subarray(from, to), at);
      at += PART_PAYLOAD_BYTES_MAX;
      from = to;
    }
    target.set(this.#header.subarray(0, this.#headerBytes), at);
    at += this.#headerBytes;
    target.set(this.#assembly.subarray(from, this.#assemblyBytes), at);
    return at + this.#assemblyBytes - from;
  }
}
