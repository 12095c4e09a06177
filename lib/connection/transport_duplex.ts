import { Duplex } from "node:stream";
import type { Transport } from "./transport.ts";

/** Encrypted bytes that may wait in it, in each direction. */
const HIGH_WATER_BYTES = 256 * 1024;

/** How often, and after how long, it is looked whether all is written. */
const LINGER_TURNS_MAX = 50;
const LINGER_TURN_MS = 20;

/**
 * A transport as a stream of Node's, for `node:tls`. Destroying it closes the
 * transport, and ending it ends what the transport sends.
 *
 * It reads while {@linkcode wanted} and one chunk further: whoever reads above
 * `node:tls` slows it down here, as pausing the socket in between makes Deno
 * 2.9 lose its end of the stream now and then.
 */
export class TransportDuplex extends Duplex {
  readonly #transport: Transport;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #wanted = true;
  /** The timer of what destroys it. */
  #lingering: ReturnType<typeof setTimeout> | undefined;
  #destroying = false;
  /** A read was asked for while none was wanted. */
  #owed = false;

  /** Locks both streams of `transport`. */
  constructor(transport: Transport) {
    super({ highWaterMark: HIGH_WATER_BYTES });
    this.#transport = transport;
    this.#reader = transport.readable.getReader();
    this.#writer = transport.writable.getWriter();
    // Each write reports its own failure; this one would come on top.
    this.#writer.closed.catch(() => {});
  }

  /** Whether to read; true at first. */
  get wanted(): boolean {
    return this.#wanted;
  }

  set wanted(wanted: boolean) {
    this.#wanted = wanted;
    if (!wanted || !this.#owed) return;
    this.#owed = false;
    this._read();
  }

  /**
   * Destroys it once what is handed to it in this turn is written, within a
   * second: `node:tls` destroys it when a handshake fails, and hands it the
   * alert that tells the peer why a moment later.
   */
  override destroy(error?: Error): this {
    if (this.#destroying) return this;
    this.#destroying = true;
    this.#linger(error, LINGER_TURNS_MAX);
    return this;
  }

  /** Destroys it at once. */
  cut(): void {
    clearTimeout(this.#lingering);
    this.#destroying = true;
    super.destroy();
  }

  #linger(error: Error | undefined, turns: number): void {
    this.#lingering = setTimeout(() => {
      if (this.writableLength === 0 || turns === 0) super.destroy(error);
      else this.#linger(error, turns - 1);
    }, turns === LINGER_TURNS_MAX ? 0 : LINGER_TURN_MS);
  }

  override _read(): void {
    if (!this.#wanted) {
      this.#owed = true;
      return;
    }
    this.#reader.read().then(
      ({ done, value }) => void this.push(done ? null : value),
      (error) => this.destroy(error),
    );
  }

  override _write(
    chunk: Uint8Array,
    _encoding: string,
    callback: (error?: Error | null) => void,
  ): void {
    this.#writer.write(chunk).then(() => callback(), callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    const ended = this.#transport.closeWrite?.() ?? Promise.resolve();
    ended.then(() => callback(), callback);
  }

  override _destroy(
    error: Error | null,
    callback: (error?: Error | null) => void,
  ): void {
    try {
      this.#transport.close();
    } catch {
      // In whatever state it is: nothing else can be done with it.
    }
    // Closed below them, both have failed; nobody else would be told.
    this.#reader.cancel().catch(() => {});
    this.#writer.abort().catch(() => {});
    callback(error);
  }
}
