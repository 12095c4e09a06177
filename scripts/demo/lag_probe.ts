import type { ClientConnection } from "../../lib/connection/client_connection.ts";
import { LagTracker } from "./lag_tracker.ts";
import type { Pacer } from "./pacer.ts";
import { pause } from "./pause.ts";
import { DATABASE, HEARTBEAT_ID } from "./schema.ts";

/** Time between two looks at the replica while a beat is on its way. */
const LOOK_MS = 1;

/** What a {@linkcode LagProbe} measures with. */
export interface LagProbeOptions {
  /** To the source, for the probe alone. */
  readonly source: ClientConnection;
  /** To the replica, for the probe alone. */
  readonly replica: ClientConnection;
  /** Beats are transactions too. */
  readonly pacer: Pacer;
  /** Milliseconds between two beats. */
  readonly intervalMs: number;
}

/**
 * The period of beats beside so many transactions a second: ten a second, but
 * not more than a fifth of all that is written.
 *
 * @returns Milliseconds.
 */
export function beatIntervalMs(rate: number): number {
  return Math.min(Math.max(5_000 / rate, 100), 5_000);
}

/**
 * Measures how far the replica is behind: writes a growing number to a table of
 * the source, and looks how long it takes until the replica's table shows it.
 */
export class LagProbe {
  /** What was measured. */
  readonly tracker = new LagTracker();
  readonly #options: LagProbeOptions;

  constructor(options: LagProbeOptions) {
    this.#options = options;
  }

  /**
   * Sends beats until `stop` aborts, then waits for those on their way.
   *
   * @param giveUp Ends that as well, and statements under way.
   */
  async run(stop: AbortSignal, giveUp: AbortSignal): Promise<void> {
    const beating = this.#beat(AbortSignal.any([stop, giveUp]), giveUp);
    await Promise.all([beating, this.#look(beating, giveUp)]);
  }

  async #beat(end: AbortSignal, giveUp: AbortSignal): Promise<void> {
    const { source, pacer, intervalMs } = this.#options;
    for (let beat = 1; !end.aborted; beat++) {
      pacer.reserve(performance.now());
      await source.query(
        `UPDATE ${DATABASE}.heartbeat SET beat = ${beat}, written_at = NOW(6) WHERE id = ${HEARTBEAT_ID}`,
        { signal: giveUp },
      );
      this.tracker.sent(beat, performance.now());
      await pause(intervalMs, end).catch(() => {
        // the loop sees that it is the end
      });
    }
  }

  async #look(beating: Promise<void>, giveUp: AbortSignal): Promise<void> {
    let beats = true;
    const done = (): void => void (beats = false);
    beating.then(done, done);
    while ((beats || this.tracker.waiting) && !giveUp.aborted) {
      if (this.tracker.waiting) {
        const { rows } = await this.#options.replica.query(
          `SELECT beat FROM ${DATABASE}.heartbeat WHERE id = ${HEARTBEAT_ID}`,
          { signal: giveUp },
        );
        this.tracker.seen(Number(rows[0]?.[0] ?? 0), performance.now());
      }
      await pause(LOOK_MS, giveUp).catch(() => {
        // the loop sees that it is the end
      });
    }
  }
}
