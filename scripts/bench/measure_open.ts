import { fillAndKill } from "./fill_and_kill.ts";
import { KingbusProcess } from "./kingbus_process.ts";
import { below, type PartResult } from "./measurement.ts";
import { runCommand } from "./run_command.ts";
import { sampleOf } from "./sample.ts";

/** The project's target, in ms. */
const TARGET_MS = 1_000;

/** Size of the files of a large store, as MySQL's default has it or smaller. */
const FILE_BYTES = 100e6;

/** How many files the store of small files has, and their size. */
const SMALL_FILES = 2_000;
const SMALL_FILE_BYTES = 64_000;

/** What the measurement needs. */
export interface OpenMeasure {
  readonly runs: number;
  /** Entry point of kingbus. */
  readonly main: string;
  /** Folder for the stores. */
  readonly folder: string;
  /** Size of the large store in bytes. */
  readonly bytes: number;
  readonly progress: (what: string) => void;
}

/**
 * A process that fills a store is killed with SIGKILL while it writes; then
 * kingbus starts on it. Measured is how long that takes, from the start of the
 * process to the first statement it answers.
 */
export async function measureOpen(
  measure: OpenMeasure,
): Promise<PartResult> {
  const { bytes, runs, main } = measure;
  const large = await openingTimes(measure, "large", {
    bytes,
    fileBytes: Math.min(FILE_BYTES, bytes / 4),
  });
  const small = await openingTimes(measure, "small", {
    bytes: SMALL_FILES * SMALL_FILE_BYTES,
    fileBytes: SMALL_FILE_BYTES,
  });
  const starts: number[] = [];
  for (let run = 0; run < runs; run++) {
    starts.push((await runCommand(main, ["version"])).seconds * 1000);
  }
  const size = `${(bytes / 1e9).toFixed(1)} GB`;
  const measurements = [
    { name: `${size}, after kill -9`, unit: "ms", sample: sampleOf(large) },
    {
      name: `${SMALL_FILES} small files`,
      unit: "ms",
      sample: sampleOf(small),
    },
    {
      name: "kingbus version (Deno's own start)",
      unit: "ms",
      sample: sampleOf(starts),
    },
  ];
  return {
    title: "open: from process start to serving",
    measurements,
    verdicts: measurements.slice(0, 2).map(({ name, sample }) =>
      below(name, sample.median, TARGET_MS, "ms")
    ),
    notes: [],
  };
}

async function openingTimes(
  { runs, main, folder, progress }: OpenMeasure,
  name: string,
  shape: { bytes: number; fileBytes: number },
): Promise<number[]> {
  const dataDir = `${folder}/${name}`;
  const times: number[] = [];
  await Deno.mkdir(`${dataDir}/data`, { recursive: true });
  for (let run = 1; run <= runs; run++) {
    progress(`open a store of ${name} files, run ${run} of ${runs}`);
    await fillAndKill({ folder: `${dataDir}/data`, ...shape });
    const start = performance.now();
    await using _ = await KingbusProcess.start({ main, dataDir });
    times.push(performance.now() - start);
  }
  // It is gone before the other one comes.
  await Deno.remove(dataDir, { recursive: true });
  return times;
}
