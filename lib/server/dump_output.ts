import { Deadline } from "../connection/deadline.ts";
import type { PacketWriter } from "../connection/packet_writer.ts";
import { encodePackets } from "../protocol/packet_encoder.ts";

/** Bytes of one write to a replica: large enough that calls cost little. */
const BUFFER_BYTES = 256 * 1024;

/**
 * A replica that takes nothing for so long is given up, as MySQL's
 * `net_write_timeout` has it by default.
 */
const WRITE_TIMEOUT_MS = 60_000;

/** Buffers kept for the next dump that needs one. */
const SPARE_BUFFERS_MAX = 16;

const PACKET_HEADER_BYTES = 4;
const PACKET_PAYLOAD_BYTES_MAX = 0xff_ffff;

/** Buffers that dumps share: a dump has two while it sends, none while it waits. */
export class BufferPool {
  readonly #spare: Uint8Array<ArrayBuffer>[] = [];

  /** A buffer of `BUFFER_BYTES`; what it holds is of no meaning. */
  take(): Uint8Array<ArrayBuffer> {
    return this.#spare.pop() ?? new Uint8Array(BUFFER_BYTES);
  }

  /** Takes back a buffer nobody uses any more. */
  give(buffer: Uint8Array<ArrayBuffer>): void {
    if (this.#spare.length < SPARE_BUFFERS_MAX) this.#spare.push(buffer);
  }
}

/**
 * What goes to one replica: runs of framed stream, copied, numbered and
 * written a buffer at a time. One buffer is filled while the other is on its
 * way; no more than these two ever wait for a slow replica.
 */
export class DumpOutput {
  readonly #writer: PacketWriter;
  readonly #pool: BufferPool;
  readonly #writeTimeoutMs: number;
  #buffer: Uint8Array<ArrayBuffer> | undefined;
  #used = 0;
  #writing: Uint8Array<ArrayBuffer> | undefined;
  #written: Promise<void> | undefined;
  #bytesSent = 0;
  /** Sequence id of the next packet. */
  sequenceId: number;
  /** Position in the file after what was added last. */
  position = 0;
  // What is left of the packet at the end of the last run, and whether the
  // packet after it belongs to the same event.
  #packetLeft = 0;
  #eventGoesOn = false;

  /**
   * @param writer the way to the replica
   * @param pool where buffers come from
   * @param sequenceId of the first packet
   * @param writeTimeoutMs how long the replica may take for one buffer
   */
  constructor(
    writer: PacketWriter,
    pool: BufferPool,
    sequenceId: number,
    writeTimeoutMs = WRITE_TIMEOUT_MS,
  ) {
    this.#writer = writer;
    this.#pool = pool;
    this.sequenceId = sequenceId;
    this.#writeTimeoutMs = writeTimeoutMs;
  }

  /** Bytes handed to the transport so far. */
  get bytesSent(): number {
    return this.#bytesSent;
  }

  /** True where an event may begin. */
  get atEventEnd(): boolean {
    return this.#packetLeft === 0 && !this.#eventGoesOn;
  }

  /** True when there is something that `flush` would send. */
  get hasPending(): boolean {
    return this.#used > 0;
  }

  /** True when `addRun` takes that many bytes without a `flush`. */
  hasRoom(bytes: number): boolean {
    return BUFFER_BYTES - this.#used >= bytes;
  }

  /** Adds a run of framed stream that fits; it may end inside an event. */
  addRun(run: Uint8Array): void {
    const start = this.#used;
    const buffer = this.#buffer ??= this.#pool.take();
    buffer.set(run, start);
    this.#used = start + run.length;
    this.#number(buffer, start, this.#used);
  }

  /** Numbers the packets in `buffer[start, end)`, and counts what they carry. */
  #number(buffer: Uint8Array, start: number, end: number): void {
    let at = start + this.#packetLeft;
    let carried = this.#packetLeft;
    let goesOn = this.#eventGoesOn;
    let sequenceId = this.sequenceId;
    while (at < end) {
      const payload = buffer[at]! | buffer[at + 1]! << 8 |
        buffer[at + 2]! << 16;
      buffer[at + 3] = sequenceId;
      sequenceId = sequenceId + 1 & 0xff;
      at += PACKET_HEADER_BYTES + payload;
      // The first packet of an event begins with a status byte, not of the file.
      carried += goesOn ? payload : payload - 1;
      goesOn = payload === PACKET_PAYLOAD_BYTES_MAX;
    }
    this.sequenceId = sequenceId;
    this.#packetLeft = at - end;
    this.#eventGoesOn = goesOn;
    this.position += carried - this.#packetLeft;
  }

  /** Adds one event that is not of the log; makes room by sending. */
  async addEvent(event: Uint8Array): Promise<void> {
    const payload = new Uint8Array(event.length + 1);
    payload.set(event, 1);
    const { bytes, nextSequenceId } = encodePackets(payload, this.sequenceId);
    if (!this.hasRoom(bytes.length)) await this.flush();
    const buffer = this.#buffer ??= this.#pool.take();
    if (bytes.length > buffer.length) {
      throw new RangeError(
        `Cannot send an event of ${event.length} bytes that is not of the log`,
      );
    }
    buffer.set(bytes, this.#used);
    this.#used += bytes.length;
    this.sequenceId = nextSequenceId;
  }

  /**
   * Begins to send what was added; resolves when there is an empty buffer
   * again, which is before all of it is sent.
   */
  async flush(): Promise<void> {
    await this.#written;
    this.#release();
    if (this.#used === 0) return;
    const buffer = this.#buffer!;
    const bytes = buffer.subarray(0, this.#used);
    this.#writing = buffer;
    this.#written = this.#send(bytes);
    // Whoever flushes next is told; until then nobody listens.
    this.#written.catch(() => {});
    this.#bytesSent += bytes.length;
    this.#buffer = undefined;
    this.#used = 0;
  }

  async #send(bytes: Uint8Array): Promise<void> {
    using deadline = new Deadline(
      this.#writeTimeoutMs,
      "waiting for the replica to take what it asked for",
    );
    await this.#writer.writeRaw(bytes, { signal: deadline.signal });
  }

  /** Sends all of it, and gives the buffers back. */
  async drain(): Promise<void> {
    await this.flush();
    await this.#written;
    this.#release();
  }

  #release(): void {
    if (this.#writing !== undefined) this.#pool.give(this.#writing);
    this.#writing = undefined;
    this.#written = undefined;
  }
}
