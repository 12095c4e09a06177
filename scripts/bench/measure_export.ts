import type { BenchContext } from "./bench_context.ts";
import { importFlags } from "../import_flags.ts";
import { BenchError } from "./bench_error.ts";
import {
  atLeast,
  type PartResult,
  transferRate,
  type TransferRun,
} from "./measurement.ts";

/** The project's target, in 10^6 bytes a second. */
const TARGET = 300;

/** Permissions and flags of V8 that `deno task start` gives. */
const FLAGS = [
  "-A",
  "--v8-flags=--min-semi-space-size=4,--max-semi-space-size=4",
];

/** What `kingbus export --json` says, as far as it is measured. */
interface ExportAnswer {
  readonly written: number;
  readonly seconds: number;
}

/**
 * `kingbus export` writes the whole log of a stopped kingbus and of a running
 * one, synced to disk, in turns with `dd`, which writes the same bytes and
 * syncs them once.
 */
export async function measureExport(
  context: BenchContext,
): Promise<PartResult> {
  const dataDir = await context.filledDataDir();
  const runs = {
    disk: [] as TransferRun[],
    stopped: [] as TransferRun[],
    running: [] as TransferRun[],
  };
  for (let run = 1; run <= context.runs; run++) {
    context.progress(`export, run ${run} of ${context.runs}`);
    const folder = `${context.folder}/exported`;
    runs.stopped.push(await exportTo(context, dataDir, folder));
    runs.disk.push(await copyWithDd(folder));
    await Deno.remove(folder, { recursive: true });
    await using _kingbus = await context.startFilled();
    runs.running.push(await exportTo(context, dataDir, folder));
    await Deno.remove(folder, { recursive: true });
  }
  const measurements = [
    transferRate("dd of the same files (one sync each)", runs.disk),
    transferRate("kingbus export, stopped", runs.stopped),
    transferRate("kingbus export, running", runs.running),
  ];
  return {
    title: "export: all of the log as binlog files, synced to disk",
    measurements,
    verdicts: measurements.slice(1).map(({ name, sample }) =>
      atLeast(name, sample.median, TARGET, "MB/s")
    ),
    notes: [],
  };
}

async function exportTo(
  { main }: BenchContext,
  dataDir: string,
  folder: string,
): Promise<TransferRun> {
  const kingbus = [Deno.execPath(), "run", ...await importFlags(), ...FLAGS];
  // The shell says at the end how much CPU time its child has used.
  const { success, stdout } = await new Deno.Command("sh", {
    args: [
      "-c",
      '"$@" && times',
      "sh",
      ...kingbus,
      main,
      "export",
      `--data-dir=${dataDir}`,
      `--to=${folder}`,
      "--json",
    ],
    stdin: "null",
    stderr: "inherit",
  }).output();
  if (!success) throw new BenchError("kingbus export failed");
  const [json = "", _shell, children = ""] = new TextDecoder().decode(stdout)
    .split("\n");
  const answer: ExportAnswer = JSON.parse(json);
  const { written, seconds } = answer;
  return {
    bytes: written,
    seconds,
    cpuSeconds: { "kingbus with its start": secondsOf(children) },
  };
}

/** `0m1.250s 0m0.310s` as 1.56. */
function secondsOf(times: string): number {
  let seconds = 0;
  for (const [, minutes, rest] of times.matchAll(/(\d+)m([\d.]+)s/g)) {
    seconds += Number(minutes) * 60 + Number(rest);
  }
  return seconds;
}

/** Copies what is in the folder, and removes the copies. */
async function copyWithDd(folder: string): Promise<TransferRun> {
  let bytes = 0;
  let seconds = 0;
  for await (const { name } of Deno.readDir(folder)) {
    if (name.endsWith(".json")) continue;
    const copy = `${folder}.copy`;
    const start = performance.now();
    const { success } = await new Deno.Command("dd", {
      args: [
        `if=${folder}/${name}`,
        `of=${copy}`,
        "bs=2M",
        "conv=fsync",
        "status=none",
      ],
    }).output();
    seconds += (performance.now() - start) / 1000;
    if (!success) throw new BenchError("dd failed");
    bytes += (await Deno.stat(copy)).size;
    await Deno.remove(copy);
  }
  return { bytes, seconds, cpuSeconds: {} };
}
