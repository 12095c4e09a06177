import process from "node:process";

/** What the process takes of the machine. */
export interface ProcessUse {
  /** Seconds on any core since it began. */
  readonly userCpuSeconds: number;
  readonly systemCpuSeconds: number;
  readonly residentBytes: number;
  /** Of JavaScript's heap, what is in use. */
  readonly heapBytes: number;
  /** Buffers outside of it. */
  readonly externalBytes: number;
  /** When it began, in Unix seconds. */
  readonly startedAt: number;
}

/**
 * What the process takes. All of it can be had without a permission, other than
 * what prom-client's own process metrics read from `/proc`, which Deno opens to
 * nobody but those who may do everything.
 */
export function readProcessUse(): ProcessUse {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, external } = Deno.memoryUsage();
  return {
    userCpuSeconds: user / 1e6,
    systemCpuSeconds: system / 1e6,
    residentBytes: rss,
    heapBytes: heapUsed,
    externalBytes: external,
    startedAt: performance.timeOrigin / 1000,
  };
}
