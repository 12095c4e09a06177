import type { ServerProgress } from "../../server/dump_progress.ts";
import type { SyncerProgress } from "../../syncer/syncer_status.ts";
import { lagSeconds } from "./lag_seconds.ts";
import type { LiveHistory, LiveSample } from "./live_sample.ts";
import type { ReplicaRates } from "./replica_rates.ts";
import { type RingSample, SampleRing } from "./sample_ring.ts";
import type { Every } from "./every.ts";

/** How far samples are apart. */
const SAMPLE_INTERVAL_MS = 2_000;

/** Ten minutes of them. */
const SAMPLES_MAX = 600_000 / SAMPLE_INTERVAL_MS;

/** What is sampled, and by which clocks. */
export interface SamplerParts {
  readonly source: () => SyncerProgress;
  readonly server: () => ServerProgress;
  /** Told of the replicas at every sample. */
  readonly rates: Pick<ReplicaRates, "look">;
  /** Milliseconds of a clock that never jumps: rates and ages are by it. */
  readonly monotonicMs: () => number;
  /** Milliseconds since 1970: events' times are by such a clock. */
  readonly now: () => number;
  readonly every: Every;
}

/** What the counters said at the last sample. */
interface Counted {
  readonly atMs: number;
  readonly received: number;
  readonly sent: number;
}

/**
 * Keeps the last ten minutes of how fast kingbus receives and sends, and of how
 * far it and its replicas are behind: one timer, and a look at some counters
 * and at one number of each replica.
 */
export class Sampler implements Disposable {
  readonly #parts: SamplerParts;
  readonly #ring = new SampleRing(SAMPLES_MAX);
  readonly #timer: Disposable;
  #counted: Counted;

  /** Begins to sample, until it is disposed of. */
  constructor(parts: SamplerParts) {
    this.#parts = parts;
    this.#counted = this.#count(parts.source(), parts.server());
    this.#timer = parts.every(SAMPLE_INTERVAL_MS, () => this.#take());
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
  }

  /** Samples taken so far: it tells whether there is a new one. */
  get taken(): number {
    return this.#ring.pushed;
  }

  /** The newest sample; undefined before the first. */
  get newest(): LiveSample | undefined {
    const sample = this.#ring.newest;
    return sample && this.#shown(sample);
  }

  /** All that are kept. */
  history(): LiveHistory {
    return {
      interval_ms: SAMPLE_INTERVAL_MS,
      samples: Array.from(
        this.#ring.samples(),
        (sample) => this.#shown(sample),
      ),
    };
  }

  #count(source: SyncerProgress, server: ServerProgress): Counted {
    return {
      atMs: this.#parts.monotonicMs(),
      received: source.bytesReceived,
      sent: server.bytesSent,
    };
  }

  #take(): void {
    const { rates, now } = this.#parts;
    const source = this.#parts.source();
    const server = this.#parts.server();
    const before = this.#counted;
    const counted = this.#count(source, server);
    this.#counted = counted;
    rates.look(server.dumps);
    // The timer is late when there is much to do.
    const seconds = Math.max(counted.atMs - before.atMs, 1) / 1000;
    const nowMs = now();
    const lags = server.dumps.map((dump) => lagSeconds(dump, nowMs))
      .filter((lag) => lag !== undefined);
    this.#ring.push({
      atMs: counted.atMs,
      ingestBytesPerSecond: rate(counted.received - before.received, seconds),
      sentBytesPerSecond: rate(counted.sent - before.sent, seconds),
      lagSeconds: source.secondsBehind ?? NaN,
      lagBytes: source.bytesBehind ?? NaN,
      replicaLagSeconds: lags.reduce(
        (most, lag) => Math.max(most, lag),
        lags.length === 0 ? NaN : 0,
      ),
    });
  }

  #shown(sample: RingSample): LiveSample {
    const { monotonicMs, now } = this.#parts;
    return {
      // So all times agree with one clock, even if that was set meanwhile.
      at: new Date(now() - (monotonicMs() - sample.atMs)).toISOString(),
      ingest_bytes_per_second: sample.ingestBytesPerSecond,
      sent_bytes_per_second: sample.sentBytesPerSecond,
      lag_seconds: known(sample.lagSeconds),
      lag_bytes: known(sample.lagBytes),
      replica_lag_seconds: known(sample.replicaLagSeconds),
    };
  }
}

/** A counter that begins anew counts as one that stood still. */
function rate(bytes: number, seconds: number): number {
  return Math.round(Math.max(0, bytes) / seconds);
}

function known(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
