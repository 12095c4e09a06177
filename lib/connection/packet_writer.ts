import { encodePackets } from "../protocol/packet_encoder.ts";
import { abortable } from "./abortable.ts";
import { connectionErrorFrom } from "./connection_error.ts";

/** How long to wait. */
export interface WriteOptions {
  /**
   * Ends the wait with a `ConnectionError`. Part of the bytes may have been
   * sent by then, so that the connection has to be closed.
   */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes packets to a byte stream. Every write resolves when the transport took
 * the bytes, and rejects with a `ConnectionError`; whoever awaits each one
 * before the next has nothing queued here.
 */
export class PacketWriter {
  readonly #writable: WritableStream<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;

  /** Locks `writable` until {@linkcode takeStream}. */
  constructor(writable: WritableStream<Uint8Array>) {
    this.#writable = writable;
    this.#writer = writable.getWriter();
    // Each write reports its own failure; this one would come on top.
    this.#writer.closed.catch(() => {});
  }

  /**
   * Writes one payload as a packet, in parts where it is large, the first with
   * `sequenceId`. Answers the sequence id that follows.
   */
  async write(
    payload: Uint8Array,
    sequenceId: number,
    options: WriteOptions = {},
  ): Promise<number> {
    const { bytes, nextSequenceId } = encodePackets(payload, sequenceId);
    await this.writeRaw(bytes, options);
    return nextSequenceId;
  }

  /** Writes bytes that are framed already. They must not change meanwhile. */
  async writeRaw(
    bytes: Uint8Array,
    options: WriteOptions = {},
  ): Promise<void> {
    try {
      await abortable(this.#writer.write(bytes), options.signal);
    } catch (cause) {
      throw connectionErrorFrom(cause);
    }
  }

  /**
   * Hands the stream on to another layer, such as TLS. Nothing can be written
   * here any more; what is being written still goes out first.
   */
  takeStream(): WritableStream<Uint8Array> {
    this.#writer.releaseLock();
    return this.#writable;
  }

  /** Closes the stream after what is being written. */
  async close(): Promise<void> {
    try {
      await this.#writer.close();
    } catch (cause) {
      throw connectionErrorFrom(cause);
    }
  }

  /** Gives the stream up with whatever is not written yet. */
  async abort(): Promise<void> {
    try {
      await this.#writer.abort();
    } catch {
      // The stream had failed before; whoever wrote to it has been told.
    }
  }
}
