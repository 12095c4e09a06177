import type { Packet } from "../protocol/packet.ts";
import {
  PacketDecoder,
  type PacketDecoderOptions,
} from "../protocol/packet_decoder.ts";
import { ProtocolError } from "../protocol/protocol_error.ts";
import { abortable } from "./abortable.ts";
import { ConnectionError, connectionErrorFrom } from "./connection_error.ts";
import { Deadline } from "./deadline.ts";

/** How long to wait. */
export interface ReadOptions {
  /** Ends the wait with a `ConnectionError`; nothing that arrives is lost. */
  readonly signal?: AbortSignal | undefined;
  /**
   * How long a packet that has begun may take to be complete, in ms, whatever
   * the signal allows for it to begin; without a limit of its own if absent.
   */
  readonly unfinishedTimeoutMs?: number | undefined;
}

/**
 * Reads packets from a byte stream, one promise for each chunk. One reading
 * call may be under way at a time.
 *
 * Every call answers `null` when the peer has closed the connection between two
 * packets, and throws a `ConnectionError` when it broke: `truncated` if the
 * stream ended inside a packet, `reset`, `closed`, `timeout` or `aborted`. A
 * `ProtocolError` says that the stream is out of step; nothing can be read
 * after one.
 */
export class PacketReader {
  readonly #readable: ReadableStream<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder: PacketDecoder;
  /** The stream's read under way: it outlives a call that was aborted. */
  #pending: Promise<Uint8Array | null> | undefined;
  #busy = false;
  #taken = false;

  /**
   * Locks `readable` until {@linkcode cancel} or {@linkcode takeStream}. The default reader is used for
   * every stream: over TCP it gives a buffer of its own for each chunk of up to
   * 64 KiB, and a BYOB reader measured no faster, with larger buffers either.
   */
  constructor(
    readable: ReadableStream<Uint8Array>,
    options: PacketDecoderOptions,
  ) {
    this.#readable = readable;
    this.#reader = readable.getReader();
    this.#decoder = new PacketDecoder(options);
  }

  /** Largest payload accepted; may be raised, for instance after a login. */
  get maxPayloadBytes(): number {
    return this.#decoder.maxPayloadBytes;
  }

  set maxPayloadBytes(bytes: number) {
    this.#decoder.maxPayloadBytes = bytes;
  }

  /**
   * Sets the sequence id that the next part has to carry: 0 where the peer
   * begins a command, 1 where it answers ours. It holds for what is buffered
   * too.
   */
  expectSequence(sequenceId: number): void {
    this.#decoder.expectSequence(sequenceId);
  }

  /** The sequence id that the next part has to carry. */
  get expectedSequenceId(): number {
    return this.#decoder.expectedSequenceId;
  }

  /** The next packet. */
  read(options: ReadOptions = {}): Promise<Packet | null> {
    return this.#exclusively(async () => {
      const { signal, unfinishedTimeoutMs } = options;
      let deadline: Deadline | undefined;
      try {
        let packet = this.#decoder.next();
        while (packet === undefined) {
          if (unfinishedTimeoutMs !== undefined && this.#decoder.buffered > 0) {
            deadline ??= new Deadline(
              unfinishedTimeoutMs,
              "waiting for the rest of a packet",
              signal,
            );
          }
          const chunk = await this.#pull(deadline?.signal ?? signal);
          if (chunk === null) return this.#end();
          this.#decoder.feed(chunk);
          packet = this.#decoder.next();
        }
        return packet;
      } finally {
        deadline?.[Symbol.dispose]();
      }
    });
  }

  /** The next packet if it lies in what was read before, without waiting. */
  readBuffered(): Packet | undefined {
    this.#checkIdle();
    return this.#decoder.next();
  }

  /** All packets that the next chunk completes, at least one. */
  readBatch(options: ReadOptions = {}): Promise<Packet[] | null> {
    return this.#exclusively(async () => {
      let packets = this.#decoder.push(NO_BYTES);
      while (packets.length === 0) {
        const chunk = await this.#pull(options.signal);
        if (chunk === null) return this.#end();
        packets = this.#decoder.push(chunk);
      }
      return packets;
    });
  }

  /**
   * Raw bytes for a caller that finds the packets itself: first what was read
   * and not decoded yet, then chunk after chunk. A truncated last packet is the
   * caller's to notice.
   */
  readChunk(options: ReadOptions = {}): Promise<Uint8Array | null> {
    return this.#exclusively(async () => {
      if (this.#decoder.buffered > 0) return this.#decoder.takeRest();
      return await this.#pull(options.signal);
    });
  }

  /**
   * Hands the stream on to another layer, such as TLS: first what was read and
   * not decoded yet, then the rest. Nothing can be read here any more. Throws a
   * `TypeError` while a read is under way.
   */
  takeStream(): ReadableStream<Uint8Array> {
    this.#checkIdle();
    this.#taken = true;
    if (this.#decoder.buffered === 0 && this.#pending === undefined) {
      this.#reader.releaseLock();
      return this.#readable;
    }
    const chunks = [this.#decoder.takeRest()].filter(({ length }) =>
      length > 0
    );
    return new ReadableStream({
      pull: async (controller) => {
        const chunk = chunks.shift() ?? await this.#pull(undefined);
        if (chunk === null) controller.close();
        else controller.enqueue(chunk);
      },
      cancel: (reason) => this.#reader.cancel(reason),
      // Nothing is read ahead of whoever reads this.
    }, { highWaterMark: 0 });
  }

  /**
   * Gives the stream up: a read under way answers `null`, and the transport may
   * close. Does nothing the second time.
   */
  async cancel(): Promise<void> {
    if (this.#taken) return;
    try {
      await this.#reader.cancel();
    } catch {
      // The stream had failed before; whoever read it has been told.
    }
  }

  async #exclusively<T>(read: () => Promise<T>): Promise<T> {
    this.#checkIdle();
    this.#busy = true;
    try {
      return await read();
    } finally {
      this.#busy = false;
    }
  }

  #checkIdle(): void {
    if (this.#busy) throw new TypeError("Cannot read twice at the same time");
    if (this.#taken) {
      throw new TypeError("Cannot read from a stream given away");
    }
  }

  async #pull(signal: AbortSignal | undefined): Promise<Uint8Array | null> {
    this.#pending ??= this.#readStream();
    const chunk = await abortable(this.#pending, signal);
    this.#pending = undefined;
    return chunk;
  }

  async #readStream(): Promise<Uint8Array | null> {
    try {
      const result = await this.#reader.read();
      return result.done ? null : result.value;
    } catch (cause) {
      // From a layer below that has packets of its own.
      if (cause instanceof ProtocolError) throw cause;
      throw connectionErrorFrom(cause);
    }
  }

  #end(): null {
    if (this.#decoder.buffered === 0) return null;
    throw new ConnectionError(
      "truncated",
      `Connection closed inside a packet, after ${this.#decoder.buffered} bytes of it`,
    );
  }
}

const NO_BYTES = new Uint8Array(0);
