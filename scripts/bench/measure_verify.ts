import type { BenchContext } from "./bench_context.ts";
import { BenchError } from "./bench_error.ts";
import { atLeast, type PartResult, transferRate } from "./measurement.ts";
import { runCommand } from "./run_command.ts";

/** The project's target, in 10^6 bytes a second. */
const TARGET = 300;

/** What `kingbus verify --json` says, as far as it is measured. */
interface VerifyAnswer {
  readonly sound: boolean;
  readonly bytes: number;
  readonly events: number;
  readonly seconds: number;
}

/** `kingbus verify` checks all of the log, event by event. */
export async function measureVerify(
  context: BenchContext,
): Promise<PartResult> {
  const dataDir = await context.filledDataDir();
  const answers: VerifyAnswer[] = [];
  for (let run = 1; run <= context.runs; run++) {
    context.progress(`verify, run ${run} of ${context.runs}`);
    const { output } = await runCommand(context.main, [
      "verify",
      `--data-dir=${dataDir}`,
      "--json",
    ]);
    const answer: VerifyAnswer = JSON.parse(output);
    if (!answer.sound) throw new BenchError("The store is not sound");
    answers.push(answer);
  }
  const measurement = transferRate(
    "kingbus verify",
    answers.map(({ bytes, seconds }) => ({ bytes, seconds, cpuSeconds: {} })),
  );
  const { bytes, events } = answers[0]!;
  return {
    title: "verify: every event of the log",
    measurements: [measurement],
    verdicts: [
      atLeast(measurement.name, measurement.sample.median, TARGET, "MB/s"),
    ],
    notes: [`${events} events of ${(bytes / events).toFixed(0)} bytes`],
  };
}
