import type { BenchContext } from "./bench_context.ts";
import {
  atLeast,
  below,
  type PartResult,
  transferRate,
  type TransferRun,
} from "./measurement.ts";
import { sampleOf } from "./sample.ts";

const READERS = 20;

/** The project's targets: total rate over one reader's, and memory. */
const RATIO_TARGET = 1.5;
const MEMORY_TARGET_MB = 300;

/**
 * One reader, then twenty at once, pull the whole log from a kingbus that has
 * just started.
 */
export async function measureFanout(
  context: BenchContext,
): Promise<PartResult> {
  const alone: TransferRun[] = [];
  const together: TransferRun[] = [];
  const peaks: number[] = [];
  for (let run = 1; run <= context.runs; run++) {
    context.progress(`fanout, run ${run} of ${context.runs}`);
    await using kingbus = await context.startFilled();
    alone.push(await context.read(kingbus, "position"));
    together.push(
      await context.read(kingbus, "position", { readers: READERS }),
    );
    peaks.push((await kingbus.usage()).peakBytes / 1e6);
  }
  const one = transferRate("one reader", alone);
  const many = transferRate(`${READERS} readers, total`, together);
  const peak = sampleOf(peaks);
  return {
    title: `fanout: ${READERS} readers at once`,
    measurements: [one, many, {
      name: "kingbus's peak resident memory",
      unit: "MB",
      sample: peak,
    }],
    verdicts: [
      atLeast(
        `${READERS} readers / one`,
        many.sample.median / one.sample.median,
        RATIO_TARGET,
      ),
      below("peak resident memory", peak.max, MEMORY_TARGET_MB, "MB"),
    ],
    notes: [
      `the ${READERS} readers are one process: its cores say how far it is from being the limit`,
    ],
  };
}
