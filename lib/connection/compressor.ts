import type { Compression } from "../protocol/compression.ts";
import { packContent } from "../protocol/pack_content.ts";
import type { CompressionTask } from "./compression_thread.ts";
import { ConnectionError } from "./connection_error.ts";

/**
 * Shorter content is compressed on the spot: that takes a quarter of a
 * millisecond at most, and a thread's answer no less.
 */
const THREAD_BYTES_MIN = 16 * 1024;

/**
 * So is content of any length with zstd up to this level: 128 KiB take a quarter
 * of a millisecond (zlib: 2 ms), and handing them to a thread and back took more
 * than it gave where all cores are busy.
 */
const QUICK_ZSTD_LEVEL_MAX = 4;

/** Who waits for an answer. */
type Waiting = PromiseWithResolvers<Uint8Array>;

/**
 * Compresses for connections without holding the others up: what takes its time
 * in threads of their own. (Deno's asynchronous `zlib` functions do their work on
 * the event loop.) Threads are started when there is something for them.
 */
export class Compressor implements Disposable {
  readonly #threadsMax: number;
  readonly #threads: CompressionThread[] = [];
  readonly #onFail: (reason: string) => void;
  /** A thread has failed: everything is compressed on the spot from then on. */
  #failed = false;
  #disposed = false;

  /**
   * @param threadsMax how many pieces are compressed at the same time
   * @param onFail told once if threads can't do it, which is done without then
   */
  constructor(threadsMax: number, onFail: (reason: string) => void = () => {}) {
    this.#threadsMax = threadsMax;
    this.#onFail = onFail;
  }

  /** How many threads run. */
  get threads(): number {
    return this.#threads.length;
  }

  /**
   * Makes a packet of the compressed protocol. `content` may change again once
   * this has returned.
   *
   * @throws {ConnectionError} `closed` once this is disposed of
   */
  pack(
    content: Uint8Array,
    sequenceId: number,
    compression: Compression,
  ): Promise<Uint8Array> | Uint8Array {
    if (content.length < THREAD_BYTES_MIN || isQuick(compression)) {
      return packContent(content, sequenceId, compression);
    }
    if (this.#disposed) return Promise.reject(ended());
    if (this.#failed) return packContent(content, sequenceId, compression);
    // The piece alone, which the caller may change meanwhile.
    const piece = new Uint8Array(content);
    return this.#choose().run({ content: piece, sequenceId, compression });
  }

  /** Ends the threads; whoever waits for one gets a `ConnectionError`. */
  [Symbol.dispose](): void {
    this.#disposed = true;
    for (const thread of this.#threads.splice(0)) thread.end(ended());
  }

  /** A thread that has nothing to do, or a new one, or that with the least. */
  #choose(): CompressionThread {
    const idle = this.#threads.find(({ waiting }) => waiting === 0);
    if (idle !== undefined) return idle;
    if (this.#threads.length < this.#threadsMax) {
      const thread = new CompressionThread((reason) => {
        if (this.#failed) return;
        this.#failed = true;
        this.#onFail(reason);
      });
      this.#threads.push(thread);
      return thread;
    }
    return this.#threads.reduce((least, thread) =>
      thread.waiting < least.waiting ? thread : least
    );
  }
}

/** One worker; it answers in the order in which it was asked. */
class CompressionThread {
  readonly #worker: Worker;
  /** What it has not answered yet, in order. */
  readonly #waiting: (Waiting & { task: CompressionTask })[] = [];

  /** @param onFail called when it can't go on */
  constructor(onFail: (reason: string) => void) {
    this.#worker = new Worker(
      new URL("./compression_thread.ts", import.meta.url),
      { type: "module", name: "compression" },
    );
    this.#worker.onmessage = ({ data }: MessageEvent<Uint8Array>) => {
      this.#waiting.shift()?.resolve(data);
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      onFail(event.message);
      this.#worker.terminate();
      for (const { task, resolve } of this.#waiting.splice(0)) {
        resolve(packTask(task));
      }
    };
  }

  /** Pieces it has not answered yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  run(task: CompressionTask): Promise<Uint8Array> {
    const waiting: Waiting = Promise.withResolvers();
    this.#waiting.push({ ...waiting, task });
    this.#worker.postMessage(task);
    return waiting.promise;
  }

  end(reason: Error): void {
    this.#worker.terminate();
    for (const { reject } of this.#waiting.splice(0)) reject(reason);
  }
}

function packTask(task: CompressionTask): Uint8Array {
  return packContent(task.content, task.sequenceId, task.compression);
}

function isQuick({ algorithm, level }: Compression): boolean {
  return algorithm === "zstd" && level <= QUICK_ZSTD_LEVEL_MAX;
}

function ended(): ConnectionError {
  return new ConnectionError("closed", "Connection closed: the server stops");
}
