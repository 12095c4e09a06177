import {
  COMPRESSED_HEADER_BYTES,
  COMPRESSED_PAYLOAD_BYTES_MAX,
  type CompressedPacket,
} from "./compressed_packet.ts";
import { ErrorCode } from "./error_code.ts";
import { ProtocolError } from "./protocol_error.ts";

/** Room a split payload gets at most before more of it than that has arrived. */
const ASSEMBLY_BYTES = 64 * 1024;

const NO_BYTES = new Uint8Array(0);

/**
 * Cuts a stream of the compressed protocol into its packets, without looking
 * into them. Feed it chunks as they arrive, and take the packets out one by
 * one: what a single one holds can be 16 MiB.
 *
 * ```text
 * stream  = packet*
 * packet  = length:u24 sequence-id:u8 content-length:u24 payload
 *           (MySQL internals: Compressed Packet; `sql-common/net_serv.cc`)
 * ```
 *
 * A packet's sequence id is the previous one's plus one modulo 256, or
 * one of {@linkcode restartIds} where the count begins anew; MySQL counts these ids
 * together with the ones of the other direction, from 0 at each command. Memory
 * held for an incomplete packet is proportional to what has arrived of it.
 *
 * After a thrown `ProtocolError` the stream is out of step: the decoder cannot
 * be used further.
 */
export class CompressedPacketDecoder {
  /**
   * Where the peer may begin to count anew: at 0 as commands do, and dumps
   * behind an event that is acknowledged; for a server's packets also at the id
   * with which its answer begins.
   */
  restartIds: readonly number[] = [0];
  #expectedId = 0;
  #lastId = 0;
  /** The current chunk and how far it is decoded. */
  #chunk: Uint8Array = NO_BYTES;
  #offset = 0;
  readonly #contentBytesMax: number;
  readonly #header = new Uint8Array(COMPRESSED_HEADER_BYTES);
  #headerBytes = 0;
  /** Payload of the current packet as far as earlier chunks carried it. */
  #assembly: Uint8Array = NO_BYTES;
  #assemblyBytes = 0;

  /** @param contentBytesMax most that a packet may hold, and have */
  constructor(contentBytesMax: number = COMPRESSED_PAYLOAD_BYTES_MAX) {
    this.#contentBytesMax = contentBytesMax;
  }

  /** Sequence id of the packet that came last. */
  get lastId(): number {
    return this.#lastId;
  }

  /** Bytes taken in that no packet has been made of yet. */
  get buffered(): number {
    return this.#headerBytes + this.#assemblyBytes + this.#chunk.length -
      this.#offset;
  }

  /**
   * Takes in a chunk once {@linkcode next} has nothing more to give. It is
   * borrowed: payloads are views into it.
   */
  feed(chunk: Uint8Array): void {
    if (this.#offset < this.#chunk.length) {
      throw new TypeError("Cannot take in a chunk before the last is used up");
    }
    this.#chunk = chunk;
    this.#offset = 0;
  }

  /**
   * The next packet, or `undefined` if what was fed does not complete one.
   * Throws a `ProtocolError` for a wrong sequence id (1156) or one that is too
   * large (1153).
   */
  next(): CompressedPacket | undefined {
    if (!this.#fillHeader()) return undefined;
    this.#checkId();
    const length = uint24(this.#header, 0);
    this.#checkSize(Math.max(length, uint24(this.#header, 4)));
    const missing = length - this.#assemblyBytes;
    const end = Math.min(this.#offset + missing, this.#chunk.length);
    let payload = this.#chunk.subarray(this.#offset, end);
    this.#offset = end;
    const isComplete = payload.length === missing;
    if (!isComplete || this.#assemblyBytes > 0) {
      this.#assemble(payload, length);
      payload = this.#assembly.subarray(0, this.#assemblyBytes);
    }
    if (!isComplete) return undefined;
    this.#lastId = this.#header[3]!;
    this.#expectedId = (this.#lastId + 1) & 0xff;
    this.#headerBytes = 0;
    this.#assembly = NO_BYTES;
    this.#assemblyBytes = 0;
    return {
      sequenceId: this.#lastId,
      announcedBytes: uint24(this.#header, 4),
      payload,
    };
  }

  #fillHeader(): boolean {
    while (
      this.#headerBytes < COMPRESSED_HEADER_BYTES &&
      this.#offset < this.#chunk.length
    ) {
      this.#header[this.#headerBytes++] = this.#chunk[this.#offset++]!;
    }
    return this.#headerBytes === COMPRESSED_HEADER_BYTES;
  }

  #checkId(): void {
    const id = this.#header[3]!;
    if (id === this.#expectedId || this.restartIds.includes(id)) return;
    throw new ProtocolError(
      ErrorCode.ER_NET_PACKETS_OUT_OF_ORDER,
      `Got packets out of order: compressed sequence id ${id}, expected ${this.#expectedId}`,
    );
  }

  #checkSize(bytes: number): void {
    if (bytes <= this.#contentBytesMax) return;
    throw new ProtocolError(
      ErrorCode.ER_NET_PACKET_TOO_LARGE,
      `Got a compressed packet bigger than ${this.#contentBytesMax} bytes`,
    );
  }

  #assemble(bytes: Uint8Array, length: number): void {
    const needed = this.#assemblyBytes + bytes.length;
    if (needed > this.#assembly.length) {
      const room = Math.max(needed, this.#assembly.length * 2, ASSEMBLY_BYTES);
      const grown = new Uint8Array(Math.min(room, length));
      grown.set(this.#assembly.subarray(0, this.#assemblyBytes));
      this.#assembly = grown;
    }
    this.#assembly.set(bytes, this.#assemblyBytes);
    this.#assemblyBytes = needed;
  }
}

function uint24(bytes: Uint8Array, at: number): number {
  return bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16;
}
