/** Slices of the time that is looked back at, so that it moves on in steps. */
const STEPS = 5;

/** What a connection had been sent when it was looked at. */
interface Look {
  readonly atMs: number;
  readonly bytes: number;
}

/** A connection that is sent something. */
export interface SentBytes {
  readonly connectionId: number;
  /** Bytes it was sent since its dump began. */
  readonly bytesSent: number;
}

/**
 * How much each connection is sent a second, over about the last ten: looks at
 * all of them every two, and costs nothing between.
 */
export class ReplicaRates {
  readonly #now: () => number;
  readonly #looks = new Map<number, Look[]>();

  /** @param now milliseconds of a clock that never jumps */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Looks at all connections there are; others are forgotten. */
  look(connections: readonly SentBytes[]): void {
    const atMs = this.#now();
    const gone = new Set(this.#looks.keys());
    for (const { connectionId, bytesSent } of connections) {
      gone.delete(connectionId);
      const looks = this.#looks.get(connectionId);
      const look = { atMs, bytes: bytesSent };
      if (looks === undefined) {
        this.#looks.set(connectionId, [look]);
        continue;
      }
      if (looks.length === STEPS) looks.shift();
      looks.push(look);
    }
    for (const connectionId of gone) this.#looks.delete(connectionId);
  }

  /**
   * Bytes a second since the oldest look that is kept of the connection, or
   * since its begin while there is none.
   *
   * @param ageMs how long ago it began, in milliseconds
   */
  rateOf({ connectionId, bytesSent }: SentBytes, ageMs: number): number {
    const oldest = this.#looks.get(connectionId)?.[0];
    const bytes = bytesSent - (oldest?.bytes ?? 0);
    const ms = oldest === undefined ? ageMs : this.#now() - oldest.atMs;
    // Less than a second says nothing but how large a buffer is.
    return Math.round(Math.max(0, bytes) / Math.max(ms, 1000) * 1000);
  }
}
