/** What is kept of one moment, each a column of the ring; NaN is not known. */
export interface RingSample {
  /** Milliseconds of a clock that never jumps. */
  readonly atMs: number;
  readonly ingestBytesPerSecond: number;
  readonly sentBytesPerSecond: number;
  readonly lagSeconds: number;
  readonly lagBytes: number;
  readonly replicaLagSeconds: number;
}

const COLUMNS = [
  "atMs",
  "ingestBytesPerSecond",
  "sentBytesPerSecond",
  "lagSeconds",
  "lagBytes",
  "replicaLagSeconds",
] as const satisfies (keyof RingSample)[];

/** The newest samples, in memory that never grows. */
export class SampleRing {
  readonly #capacity: number;
  readonly #values: Float64Array;
  #pushed = 0;

  /** @param capacity how many samples are kept */
  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#values = new Float64Array(capacity * COLUMNS.length);
  }

  /** Samples taken so far; more than are kept. */
  get pushed(): number {
    return this.#pushed;
  }

  /** Samples that are kept. */
  get length(): number {
    return Math.min(this.#pushed, this.#capacity);
  }

  /** Takes the newest sample in the place of the oldest. */
  push(sample: RingSample): void {
    const row = this.#pushed % this.#capacity * COLUMNS.length;
    COLUMNS.forEach((column, at) => this.#values[row + at] = sample[column]);
    this.#pushed++;
  }

  /** Those kept, oldest first. */
  *samples(): Generator<RingSample> {
    for (let at = this.#pushed - this.length; at < this.#pushed; at++) {
      yield this.#sample(at % this.#capacity);
    }
  }

  /** The newest one; undefined before the first. */
  get newest(): RingSample | undefined {
    return this.#pushed === 0
      ? undefined
      : this.#sample((this.#pushed - 1) % this.#capacity);
  }

  #sample(index: number): RingSample {
    const row = index * COLUMNS.length;
    const [
      atMs,
      ingestBytesPerSecond,
      sentBytesPerSecond,
      lagSeconds,
      lagBytes,
      replicaLagSeconds,
    ] = this.#values.subarray(row, row + COLUMNS.length);
    return {
      atMs: atMs!,
      ingestBytesPerSecond: ingestBytesPerSecond!,
      sentBytesPerSecond: sentBytesPerSecond!,
      lagSeconds: lagSeconds!,
      lagBytes: lagBytes!,
      replicaLagSeconds: replicaLagSeconds!,
    };
  }
}
