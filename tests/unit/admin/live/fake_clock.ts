import type { Every } from "../../../../lib/admin/live/every.ts";

interface Timer {
  readonly everyMs: number;
  readonly act: () => void;
  nextMs: number;
}

/** Two clocks and their timers, moved by hand. */
export class FakeClock {
  /** Of a clock that never jumps. */
  ms = 5_000;
  /** What the other clock is ahead of it. */
  wallAheadMs = 1_700_000_000_000;
  readonly #timers = new Set<Timer>();

  readonly monotonicMs = (): number => this.ms;
  readonly now = (): number => this.ms + this.wallAheadMs;

  readonly every: Every = (everyMs, act) => {
    const timer = { everyMs, act, nextMs: this.ms + everyMs };
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => void this.#timers.delete(timer) };
  };

  /** Timers that run. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Lets time go by, with all that happens in it, in order. */
  advance(ms: number): void {
    const end = this.ms + ms;
    for (;;) {
      const [next] = [...this.#timers].toSorted((one, other) =>
        one.nextMs - other.nextMs
      );
      if (next === undefined || next.nextMs > end) break;
      this.ms = Math.max(this.ms, next.nextMs);
      next.nextMs = this.ms + next.everyMs;
      next.act();
    }
    this.ms = end;
  }

  /** Time goes by and nothing gets its turn: the process had other work. */
  block(ms: number): void {
    this.ms += ms;
  }
}
