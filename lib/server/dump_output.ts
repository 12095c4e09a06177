import { Deadline } from "../connection/deadline.ts";
import type { PacketWriter } from "../connection/packet_writer.ts";
import { encodePackets } from "../protocol/packet_encoder.ts";
import type { PacketForm } from "./packet_form.ts";

/** Bytes of one write to a replica: large enough that calls cost little. */
const BUFFER_BYTES = 256 * 1024;

/** The way to a replica. */
export interface DumpLine {
  readonly writer: PacketWriter;
  /**
   * Told between two writes that sequence ids begin at 1 again; absent where
   * that makes no difference to how packets are sent.
   */
  readonly restart?: (() => void) | undefined;
}

/** Buffers kept for the next dump that needs one. */
const SPARE_BUFFERS_MAX = 16;

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
  readonly #line: DumpLine;
  readonly #pool: BufferPool;
  readonly #writeTimeoutMs: number;
  #buffer: Uint8Array<ArrayBuffer> | undefined;
  /**
   * A packet that is all there is to send, in place of a buffer: a thousand idle
   * replicas that get their heartbeats at once must not have a buffer each.
   */
  #only: Uint8Array | undefined;
  #used = 0;
  #writing: Uint8Array<ArrayBuffer> | undefined;
  #written: Promise<void> | undefined;
  readonly #packets: PacketForm;
  #bytesSent = 0;

  /**
   * @param line the way to the replica
   * @param pool where buffers come from
   * @param packets how they look
   * @param writeTimeoutMs how long the replica may take for one buffer before
   * it is given up, as with MySQL's `net_write_timeout`
   */
  constructor(
    line: DumpLine,
    pool: BufferPool,
    packets: PacketForm,
    writeTimeoutMs: number,
  ) {
    this.#line = line;
    this.#pool = pool;
    this.#packets = packets;
    this.#writeTimeoutMs = writeTimeoutMs;
  }

  /** Bytes handed to the transport so far. */
  get bytesSent(): number {
    return this.#bytesSent;
  }

  /** Sequence id of the next packet. */
  get sequenceId(): number {
    return this.#packets.sequenceId;
  }

  /** Position in the file after what was added last. */
  get position(): number {
    return this.#packets.position;
  }

  set position(position: number) {
    this.#packets.position = position;
  }

  /** True where an event may begin. */
  get atEventEnd(): boolean {
    return this.#packets.atEventEnd;
  }

  /** True when there is something that `flush` would send. */
  get hasPending(): boolean {
    return this.#used > 0;
  }

  /** True when `addRun` takes a run of that many bytes without a `flush`. */
  hasRoom(runBytes: number): boolean {
    return BUFFER_BYTES - this.#used >= this.#packets.bytesFor(runBytes);
  }

  /** Adds a run of framed stream that fits; it may end inside an event. */
  addRun(run: Uint8Array): void {
    this.#used = this.#packets.copyRun(run, this.#open(), this.#used);
  }

  /** Adds one event that is not of the log; makes room by sending. */
  async addEvent(event: Uint8Array): Promise<void> {
    const packets = this.#packets;
    const { madePrefix } = packets;
    const payload = new Uint8Array(madePrefix.length + event.length);
    payload.set(madePrefix);
    payload.set(event, madePrefix.length);
    const { bytes, nextSequenceId } = encodePackets(
      payload,
      packets.sequenceId,
    );
    if (bytes.length > BUFFER_BYTES) {
      throw new RangeError(
        `Cannot send an event of ${event.length} bytes that is not of the log`,
      );
    }
    if (BUFFER_BYTES - this.#used < bytes.length) await this.flush();
    if (this.#used === 0) this.#only = bytes;
    else this.#open().set(bytes, this.#used);
    this.#used += bytes.length;
    packets.sequenceId = nextSequenceId;
  }

  /**
   * Begins to send what was added; resolves when there is an empty buffer
   * again, which is before all of it is sent.
   */
  async flush(): Promise<void> {
    await this.#written;
    this.#release();
    if (this.#used === 0) return;
    const bytes = this.#only ?? this.#buffer!.subarray(0, this.#used);
    this.#writing = this.#buffer;
    this.#written = this.#send(bytes, this.#packets.restarts.splice(0));
    // Whoever flushes next is told; until then nobody listens.
    this.#written.catch(() => {});
    this.#bytesSent += bytes.length;
    this.#buffer = undefined;
    this.#only = undefined;
    this.#used = 0;
  }

  /** The buffer that is being filled, with what is to be sent before. */
  #open(): Uint8Array<ArrayBuffer> {
    const buffer = this.#buffer ??= this.#pool.take();
    if (this.#only !== undefined) buffer.set(this.#only);
    this.#only = undefined;
    return buffer;
  }

  async #send(
    bytes: Uint8Array,
    restarts: readonly number[],
  ): Promise<void> {
    using deadline = new Deadline(
      this.#writeTimeoutMs,
      "waiting for the replica to take what it asked for",
    );
    const { signal } = deadline;
    const { writer, restart } = this.#line;
    let from = 0;
    // Compressed packets are then counted anew, too, and end there: a replica
    // puts its acknowledgement where the rest of the packet would be.
    for (const at of restart === undefined ? [] : restarts) {
      await writer.writeRaw(bytes.subarray(from, at), { signal });
      restart?.();
      from = at;
    }
    if (from < bytes.length) {
      await writer.writeRaw(from === 0 ? bytes : bytes.subarray(from), {
        signal,
      });
    }
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
