import type { BenchContext } from "./bench_context.ts";
import {
  atLeast,
  type PartResult,
  transferRate,
  type TransferRun,
} from "./measurement.ts";

/** The project's target, in MB/s. */
const TARGET = 200;

/**
 * One discarding reader pulls the whole log over TLS 1.3 from the source and
 * from kingbus, and from kingbus without TLS, in turns.
 */
export async function measureTls(context: BenchContext): Promise<PartResult> {
  const { source } = context;
  await using kingbus = await context.startFilled({
    tls: { mode: "optional" },
  });
  const ways = [
    { name: "source, TLS", server: source, tls: true },
    { name: "kingbus, TLS", server: kingbus, tls: true },
    { name: "kingbus, no TLS", server: kingbus, tls: false },
  ];
  const runs = ways.map((): TransferRun[] => []);
  for (let run = 1; run <= context.runs; run++) {
    context.progress(`TLS, run ${run} of ${context.runs}`);
    for (const [index, { server, tls }] of ways.entries()) {
      runs[index]!.push(await context.read(server, "position", { tls }));
    }
  }
  const measurements = ways.map(({ name }, index) =>
    transferRate(name, runs[index]!)
  );
  return {
    title: "tls: one discarding reader",
    measurements,
    verdicts: [
      atLeast("kingbus, TLS", measurements[1]!.sample.median, TARGET, "MB/s"),
    ],
    notes: [],
  };
}
