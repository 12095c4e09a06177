import type { BenchContext } from "./bench_context.ts";
import {
  atLeast,
  type PartResult,
  transferRate,
  type TransferRun,
} from "./measurement.ts";

/** The project's target: so many times the source's own rate. */
const TARGET = 2;

const MODES = ["position", "gtid"] as const;

/**
 * One discarding reader pulls the whole log from the source and from kingbus,
 * in turns.
 */
export async function measureDump(context: BenchContext): Promise<PartResult> {
  const { source } = context;
  await using kingbus = await context.startFilled();
  const runs = {
    position: { source: [] as TransferRun[], kingbus: [] as TransferRun[] },
    gtid: { source: [] as TransferRun[], kingbus: [] as TransferRun[] },
  };
  for (let run = 1; run <= context.runs; run++) {
    context.progress(`dump, run ${run} of ${context.runs}`);
    for (const mode of MODES) {
      runs[mode].source.push(await context.read(source, mode));
      runs[mode].kingbus.push(await context.read(kingbus, mode));
    }
  }
  const { peakBytes } = await kingbus.usage();
  const measurements = MODES.flatMap((mode) => [
    transferRate(`source by ${mode}`, runs[mode].source),
    transferRate(`kingbus by ${mode}`, runs[mode].kingbus),
  ]);
  return {
    title: "dump: one discarding reader",
    measurements,
    verdicts: MODES.map((mode, index) => {
      const [native, ours] = measurements.slice(2 * index, 2 * index + 2);
      return atLeast(
        `kingbus / source by ${mode}`,
        ours!.sample.median / native!.sample.median,
        TARGET,
      );
    }),
    notes: [
      ...MODES.map((mode) => sameBytes(mode, runs[mode])),
      `kingbus's peak resident memory was ${(peakBytes / 1e6).toFixed(0)} MB`,
    ],
  };
}

/** Whether source and kingbus sent the same number of bytes. */
function sameBytes(
  mode: string,
  runs: { source: TransferRun[]; kingbus: TransferRun[] },
): string {
  const counts = (all: TransferRun[]) =>
    [
      ...new Set(all.map(({ bytes }) => bytes)),
    ].join(", ");
  return `bytes by ${mode}: source ${counts(runs.source)}; kingbus ${
    counts(runs.kingbus)
  }`;
}
