import type { Compression } from "../../lib/protocol/compression.ts";
import type { BenchContext } from "./bench_context.ts";
import {
  atLeast,
  type PartResult,
  transferRate,
  type TransferRun,
} from "./measurement.ts";

/** The project's target: so many times the source's own rate. */
const TARGET = 1;

/** The algorithms with the levels that servers use by default. */
const WAYS: readonly Compression[] = [
  { algorithm: "zstd", level: 3 },
  { algorithm: "zlib", level: 6 },
];

/**
 * One reader pulls the whole log over compressed connections from the source
 * and from kingbus, in turns, and decompresses it. Rates are of the log, not of
 * what it is compressed to.
 */
export async function measureZstd(context: BenchContext): Promise<PartResult> {
  const { source } = context;
  await using kingbus = await context.startFilled();
  const runs = WAYS.map(() => ({
    source: [] as TransferRun[],
    kingbus: [] as TransferRun[],
  }));
  for (let run = 1; run <= context.runs; run++) {
    context.progress(`compression, run ${run} of ${context.runs}`);
    for (const [way, compression] of WAYS.entries()) {
      const read = { compression };
      runs[way]!.source.push(await context.read(source, "position", read));
      runs[way]!.kingbus.push(await context.read(kingbus, "position", read));
    }
  }
  const { peakBytes } = await kingbus.usage();
  const measurements = WAYS.flatMap(({ algorithm, level }, way) => [
    transferRate(`source, ${algorithm} ${level}`, runs[way]!.source),
    transferRate(`kingbus, ${algorithm} ${level}`, runs[way]!.kingbus),
  ]);
  return {
    title: "zstd: one reader that decompresses",
    measurements,
    verdicts: WAYS.map(({ algorithm }, way) => {
      const [native, ours] = measurements.slice(2 * way, 2 * way + 2);
      return atLeast(
        `kingbus / source with ${algorithm}`,
        ours!.sample.median / native!.sample.median,
        TARGET,
      );
    }),
    notes: [
      `kingbus's peak resident memory was ${(peakBytes / 1e6).toFixed(0)} MB`,
    ],
  };
}
