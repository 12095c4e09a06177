import { type Sample, sampleOf } from "./sample.ts";

/** One row of the table. */
export interface Measurement {
  /** What was measured, in words; the key in the JSON with its group. */
  readonly name: string;
  readonly unit: string;
  readonly sample: Sample;
  /**
   * Cores that kingbus, or the reader, kept busy meanwhile, in the median: 1 is
   * one core all the time.
   */
  readonly cores?: { readonly [process: string]: number };
}

/** A number that the project has set itself a target for. */
export interface Verdict {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly target: string;
  readonly met: boolean;
}

/** What one part of the benchmark found. */
export interface PartResult {
  readonly title: string;
  readonly measurements: readonly Measurement[];
  readonly verdicts: readonly Verdict[];
  readonly notes: readonly string[];
}

/** One run of something that moves bytes. */
export interface TransferRun {
  readonly bytes: number;
  readonly seconds: number;
  /** CPU time that a process used for it, by process. */
  readonly cpuSeconds: { readonly [process: string]: number };
}

/** Runs of one transfer as 10^6 bytes a second. */
export function transferRate(
  name: string,
  runs: readonly TransferRun[],
): Measurement {
  const processes = Object.keys(runs[0]?.cpuSeconds ?? {});
  return {
    name,
    unit: "MB/s",
    sample: sampleOf(runs.map(({ bytes, seconds }) => bytes / 1e6 / seconds)),
    cores: Object.fromEntries(processes.map((process) => [
      process,
      sampleOf(
        runs.map(({ cpuSeconds, seconds }) =>
          (cpuSeconds[process] ?? NaN) / seconds
        ),
      ).median,
    ])),
  };
}

/** Judges a number that should be at least so large. */
export function atLeast(
  name: string,
  value: number,
  target: number,
  unit = "×",
): Verdict {
  const met = value >= target;
  return { name, value, unit, target: `≥ ${target} ${unit}`, met };
}

/** Judges a number that should not be above another that was measured too. */
export function noMoreThan(
  name: string,
  value: number,
  limit: number,
  unit: string,
): Verdict {
  const target = `≤ ${limit.toFixed(2)} ${unit}`;
  return { name, value, unit, target, met: value <= limit };
}

/** Judges a number that should stay below another. */
export function below(
  name: string,
  value: number,
  target: number,
  unit: string,
): Verdict {
  const met = value < target;
  return { name, value, unit, target: `< ${target} ${unit}`, met };
}
