/**
 * An input read from its front: first what decides how the rest is used, then
 * the rest. An input that is too short decides for zeros.
 */
export class FuzzInput {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** True when nothing is left. */
  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** A number from 0 to 255. */
  byte(): number {
    return this.#bytes[this.#at++] ?? 0;
  }

  /** True for every other value of a byte. */
  flag(): boolean {
    return (this.byte() & 1) !== 0;
  }

  /** One of the items. */
  pick<Item>(items: readonly Item[]): Item {
    return items[this.byte() % items.length]!;
  }

  /** At most so many bytes; a copy of its own, with nothing around it. */
  bytes(count: number): Uint8Array {
    const from = Math.min(this.#at, this.#bytes.length);
    this.#at = from + count;
    return this.#bytes.slice(from, from + count);
  }

  /** All that is left. */
  rest(): Uint8Array {
    return this.bytes(this.#bytes.length);
  }

  /** What is left as runs of bytes, each behind its length in two bytes. */
  runs(runsMax: number): Uint8Array[] {
    const runs: Uint8Array[] = [];
    while (!this.atEnd && runs.length < runsMax) {
      const length = this.byte() | this.byte() << 8;
      runs.push(this.bytes(length));
    }
    return runs;
  }
}

/** The counterpart of `runs`. */
export function joinRuns(runs: readonly Uint8Array[]): Uint8Array {
  const bytes: number[] = [];
  for (const run of runs) {
    bytes.push(run.length & 0xff, run.length >> 8 & 0xff, ...run);
  }
  return Uint8Array.from(bytes);
}

/** Bytes that decide something in front of others. */
export function withChoices(
  choices: readonly number[],
  bytes: Uint8Array,
): Uint8Array {
  const input = new Uint8Array(choices.length + bytes.length);
  input.set(choices);
  input.set(bytes, choices.length);
  return input;
}
