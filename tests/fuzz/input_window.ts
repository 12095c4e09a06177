const HEADER_WORDS = 2;
const COUNT = 0;
const LENGTH = 1;
const INPUT_BYTES_MAX = 1024 * 1024;

/** The input that is being tried, in memory that another thread sees. */
export class InputWindow {
  readonly #header: Int32Array;
  readonly #bytes: Uint8Array;

  /** @param shared as `newMemory` makes it */
  constructor(shared: SharedArrayBuffer) {
    this.#header = new Int32Array(shared, 0, HEADER_WORDS);
    this.#bytes = new Uint8Array(shared, HEADER_WORDS * 4);
  }

  /** Memory for a window. */
  static newMemory(): SharedArrayBuffer {
    return new SharedArrayBuffer(HEADER_WORDS * 4 + INPUT_BYTES_MAX);
  }

  /** Shows an input that is about to be tried. */
  put(input: Uint8Array): void {
    const length = Math.min(input.length, INPUT_BYTES_MAX);
    this.#bytes.set(input.subarray(0, length));
    this.#header[LENGTH] = length;
    Atomics.add(this.#header, COUNT, 1);
  }

  /** How many were shown. */
  get count(): number {
    return Atomics.load(this.#header, COUNT);
  }

  /** The one shown last. */
  get input(): Uint8Array {
    return this.#bytes.slice(0, this.#header[LENGTH]);
  }
}
