import { Rig, type RigProgram } from "../test_servers/rig.ts";
import type { BenchContext } from "./bench_context.ts";
import { BenchError } from "./bench_error.ts";
import { REPLICATION } from "./bench_source.ts";
import {
  atLeast,
  type Measurement,
  type PartResult,
  transferRate,
  type TransferRun,
  type Verdict,
} from "./measurement.ts";
import { sampleOf } from "./sample.ts";

/** The project's target: so many times the rate of `mysqlbinlog --raw`. */
const TARGET = 1.5;

/**
 * kingbus with an empty store catches up with the source, and everything is on
 * disk; `mysqlbinlog --raw`, which syncs nothing, and the discarding reader do
 * as much of it as they do, in turns, all without TLS. Then kingbus does it as
 * it does by default, over TLS where the source has it.
 */
export async function measureIngest(
  context: BenchContext,
): Promise<PartResult> {
  const rig = await Rig.find(["mysqlbinlog"]);
  const mysqlbinlog = rig.missing.length === 0
    ? rig.program("mysqlbinlog")
    : undefined;
  const reads: TransferRun[] = [];
  const copies: TransferRun[] = [];
  const ingests: TransferRun[] = [];
  const defaults: TransferRun[] = [];
  const footprints: IngestRun[] = [];
  for (let run = 1; run <= context.runs; run++) {
    context.progress(`ingest, run ${run} of ${context.runs}`);
    const read = await context.read(context.source, "position");
    reads.push({ ...read, bytes: context.log.bytes });
    if (mysqlbinlog !== undefined) {
      copies.push(await copyRaw(context, mysqlbinlog));
    }
    defaults.push(await catchUp(context, false));
    const ingest = await catchUp(context, true);
    ingests.push(ingest);
    footprints.push(ingest);
  }
  const read = transferRate("discarding reader", reads);
  const ours = transferRate("kingbus, durable", ingests);
  const byDefault = transferRate("kingbus, durable, TLS if offered", defaults);
  const raw = copies.length > 0
    ? transferRate("mysqlbinlog --raw", copies)
    : undefined;
  return {
    title: "ingest: an empty kingbus catches up",
    measurements: [
      read,
      ...(raw ? [raw] : []),
      ours,
      byDefault,
      ...footprint(footprints),
    ],
    verdicts: raw ? [againstRaw(ours, raw)] : [],
    notes: [
      ...rig.missing.map((what) => `not compared with ${what}`),
      `kingbus / discarding reader: ${
        (ours.sample.median / read.sample.median).toFixed(2)
      } ×`,
    ],
  };
}

function againstRaw(ours: Measurement, raw: Measurement): Verdict {
  const ratio = ours.sample.median / raw.sample.median;
  return atLeast("kingbus / mysqlbinlog --raw", ratio, TARGET);
}

/** What a log costs besides time. */
function footprint(runs: readonly IngestRun[]): Measurement[] {
  const row = (
    name: string,
    unit: string,
    of: (run: IngestRun) => number,
  ): Measurement => ({ name, unit, sample: sampleOf(runs.map(of)) });
  return [
    row("peak resident memory", "MB", ({ peakBytes }) => peakBytes / 1e6),
    row(
      "processor time for a MB of log",
      "ms",
      ({ cpuSeconds, bytes }) => (cpuSeconds["kingbus"] ?? NaN) * 1e9 / bytes,
    ),
    row(
      "bytes written for one of the log",
      "×",
      ({ writtenBytes, bytes }) => writtenBytes / bytes,
    ),
    row(
      "bytes on disk for one of the log",
      "×",
      ({ storedBytes, bytes }) => storedBytes / bytes,
    ),
  ];
}

/** One run of kingbus's, and what it left. */
interface IngestRun extends TransferRun {
  readonly peakBytes: number;
  readonly writtenBytes: number;
  /** Size of the closed store. */
  readonly storedBytes: number;
}

async function catchUp(
  context: BenchContext,
  plain: boolean,
): Promise<IngestRun> {
  const { kingbus, dataDir } = await context.startEmpty();
  let result: Omit<IngestRun, "storedBytes">;
  {
    await using _ = kingbus;
    const before = await kingbus.usage();
    const start = performance.now();
    if (plain) await kingbus.followPlain(context.source);
    else await kingbus.follow(context.source);
    await kingbus.caughtUp(context.log);
    const seconds = (performance.now() - start) / 1000;
    const after = await kingbus.usage();
    result = {
      bytes: context.log.bytes,
      seconds,
      cpuSeconds: { kingbus: after.cpuSeconds - before.cpuSeconds },
      peakBytes: after.peakBytes,
      writtenBytes: after.writtenBytes - before.writtenBytes,
    };
  }
  const storedBytes = await folderBytes(`${dataDir}/data`);
  await context.keepFilled(dataDir);
  return { ...result, storedBytes };
}

async function copyRaw(
  context: BenchContext,
  mysqlbinlog: RigProgram,
): Promise<TransferRun> {
  const { source, log } = context;
  const folder = await mysqlbinlog.makeFolder();
  try {
    const start = performance.now();
    const { success, stderr } = await mysqlbinlog.run([
      "--read-from-remote-server",
      `--host=${source.hostname}`,
      `--port=${source.port}`,
      `--user=${REPLICATION.user}`,
      `--password=${REPLICATION.password}`,
      "--ssl-mode=DISABLED",
      "--get-server-public-key",
      "--raw",
      `--result-file=${folder.itsPath}/`,
      "--to-last-log",
      log.firstFile,
    ]);
    const seconds = (performance.now() - start) / 1000;
    if (!success) {
      throw new BenchError(
        `mysqlbinlog failed: ${new TextDecoder().decode(stderr)}`,
      );
    }
    return { bytes: await folderBytes(folder.path), seconds, cpuSeconds: {} };
  } finally {
    await Deno.remove(folder.path, { recursive: true });
  }
}

async function folderBytes(path: string): Promise<number> {
  let bytes = 0;
  for await (const { name, isFile } of Deno.readDir(path)) {
    if (isFile) bytes += (await Deno.stat(`${path}/${name}`)).size;
  }
  return bytes;
}
