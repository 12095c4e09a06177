import type { BenchContext } from "./bench_context.ts";
import { BenchError } from "./bench_error.ts";
import {
  atLeast,
  type PartResult,
  transferRate,
  type TransferRun,
} from "./measurement.ts";
import { runCommand } from "./run_command.ts";

/** The project's target in 10^6 bytes a second. */
const TARGET = 150;

/**
 * `kingbus import` of the source's files into an empty store, everything on
 * disk at its end. The files come from `kingbus export`, which gives the
 * source's own, byte for byte.
 */
export async function measureImport(
  context: BenchContext,
): Promise<PartResult> {
  const { main, folder } = context;
  const files = await Deno.makeTempDir({ dir: folder });
  const filled = await context.filledDataDir();
  await runCommand(main, ["export", `--data-dir=${filled}`, `--to=${files}`]);
  const runs: TransferRun[] = [];
  for (let run = 1; run <= context.runs; run++) {
    context.progress(`import, run ${run} of ${context.runs}`);
    const dataDir = await Deno.makeTempDir({ dir: folder });
    const { seconds, output } = await runCommand(main, [
      "import",
      "--json",
      `--data-dir=${dataDir}`,
      files,
    ]);
    runs.push({ bytes: importedBytes(output), seconds, cpuSeconds: {} });
    await Deno.remove(dataDir, { recursive: true });
  }
  await Deno.remove(files, { recursive: true });
  const rate = transferRate("kingbus import, durable", runs);
  return {
    title: "import: binlog files into an empty store",
    measurements: [rate],
    verdicts: [atLeast("kingbus import", rate.sample.median, TARGET, "MB/s")],
    notes: ["from the start of the process to its end"],
  };
}

function importedBytes(json: string): number {
  const { files } = JSON.parse(json);
  let bytes = 0;
  for (const file of files) bytes += file.bytes;
  if (bytes === 0) throw new BenchError("kingbus import imported nothing");
  return bytes;
}
