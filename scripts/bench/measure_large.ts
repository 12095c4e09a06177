import { startMysql97 } from "../../tests/support/mysql97.ts";
import type { LaunchedServer } from "../../tests/support/launched_server.ts";
import { Rig } from "../test_servers/rig.ts";
import { BenchError } from "./bench_error.ts";
import { runBenchProgram } from "./bench_process.ts";
import type { SourceLog } from "./bench_source.ts";
import type { ReaderInput, ReaderResult } from "./discarding_reader.ts";
import { KingbusProcess } from "./kingbus_process.ts";
import { below, type Measurement, type PartResult } from "./measurement.ts";
import { sampleOf } from "./sample.ts";

/** The project's target: so much more memory for each replica that reads it. */
const TARGET_MB = 64;

/** An event before that one, after which kingbus's caches are full. */
const WARM_UP_BYTES = 200e6;

/** What a slow replica takes in a second. */
const SLOW_BYTES_PER_SECOND = 60e6;

/** What the measurement needs. */
export interface LargeMeasure {
  readonly runs: number;
  /** Entry point of kingbus. */
  readonly main: string;
  /** Folder for the store. */
  readonly folder: string;
  /** Size of the event in bytes; a rows event has at most 1 GiB. */
  readonly eventBytes: number;
  readonly progress: (what: string) => void;
}

/** A way to read the event. */
interface Reading {
  readonly name: string;
  readonly readers: number;
  readonly bytesPerSecond?: number;
}

const READINGS: readonly Reading[] = [
  { name: "1 reader", readers: 1 },
  { name: "4 readers", readers: 4 },
  {
    name: "4 slow readers",
    readers: 4,
    bytesPerSecond: SLOW_BYTES_PER_SECOND,
  },
];

/** What one way through kingbus took. */
interface Passage {
  readonly seconds: number;
  /** The most memory meanwhile, over what kingbus had before, in MB. */
  readonly extraMegabytes: number;
  /** Memory afterwards, over what it had before, in MB. */
  readonly leftMegabytes: number;
}

/**
 * A source writes a transaction with one rows event of up to 1 GB; kingbus
 * takes it in, then one reader and four take it at once. Its memory is compared
 * with what it was just before.
 */
export async function measureLarge(
  measure: LargeMeasure,
): Promise<PartResult> {
  const rig = await Rig.find(["mysql97"]);
  if (rig.missing.length > 0) throw new BenchError(rig.missing.join("; "));
  const { progress, eventBytes } = measure;
  progress("starting a source of its own");
  await using source = await startMysql97(9783, [
    "--max-allowed-packet=1G",
    "--max-binlog-size=1G",
  ]);
  progress(`writing an event of ${eventBytes / 1e6} MB`);
  const logs = await writeEvents(source, eventBytes);
  const ingest: Passage[] = [];
  const read = READINGS.map((): Passage[] => []);
  for (let run = 1; run <= measure.runs; run++) {
    progress(`large, run ${run} of ${measure.runs}`);
    const dataDir = await Deno.makeTempDir({ dir: measure.folder });
    ingest.push(await takeIn(measure.main, dataDir, source, logs));
    for (const [index, reading] of READINGS.entries()) {
      read[index]!.push(
        await readOut(measure.main, dataDir, logs.event, reading),
      );
    }
    await Deno.remove(dataDir, { recursive: true });
  }
  return {
    title: `large: one event of ${(eventBytes / 1e6).toFixed(0)} MB`,
    measurements: [
      ...ofPassages("into kingbus", logs.event.bytes, ingest),
      ...READINGS.flatMap(({ name, readers }, index) =>
        ofPassages(`out, ${name}`, readers * logs.event.bytes, read[index]!)
      ),
    ],
    verdicts: [
      verdict("extra memory, in", ingest, 1),
      ...READINGS.map(({ name, readers }, index) =>
        verdict(`extra a reader, ${name}`, read[index]!, readers)
      ),
    ],
    notes: [
      "extra memory is the most that was resident, over what was just before",
      `kingbus takes it in after an event of ${
        WARM_UP_BYTES / 1e6
      } MB that fills its caches; it has read nothing before readers come, and what they share counts, too`,
    ],
  };
}

function ofPassages(
  name: string,
  bytes: number,
  passages: readonly Passage[],
): Measurement[] {
  return [
    {
      name,
      unit: "MB/s",
      sample: sampleOf(passages.map(({ seconds }) => bytes / 1e6 / seconds)),
    },
    {
      name: `${name}: extra memory`,
      unit: "MB",
      sample: sampleOf(passages.map(({ extraMegabytes }) => extraMegabytes)),
    },
    {
      name: `${name}: left of it`,
      unit: "MB",
      sample: sampleOf(passages.map(({ leftMegabytes }) => leftMegabytes)),
    },
  ];
}

function verdict(name: string, passages: readonly Passage[], readers: number) {
  const { median } = sampleOf(
    passages.map(({ extraMegabytes }) => extraMegabytes / readers),
  );
  return below(name, median, TARGET_MB, "MB");
}

/** The logs that kingbus takes in, one after the other. */
interface EventLogs {
  /** What fills its caches. */
  readonly warmUp: SourceLog;
  /** The file with the event. */
  readonly event: SourceLog;
}

/**
 * Writes two files with an event each, among small transactions. The table's
 * engine keeps nothing, so that the event costs no more disk than it has to.
 */
async function writeEvents(
  source: LaunchedServer,
  eventBytes: number,
): Promise<EventLogs> {
  const insert = (bytes: number) =>
    `INSERT INTO test.large VALUES (1, REPEAT('x', ${bytes}))`;
  await source.run(
    "CREATE TABLE test.large (id INT, data LONGBLOB) ENGINE = BLACKHOLE",
    insert(WARM_UP_BYTES),
    "FLUSH LOGS",
    insert(100),
    // The event is a little larger than the value in it.
    insert(eventBytes - 100),
    insert(100),
  );
  const { rows } = await source.query("SHOW BINARY LOGS");
  const logs = rows.map(([name, size]): SourceLog => ({
    firstFile: name!,
    lastFile: name!,
    lastPosition: Number(size),
    bytes: Number(size),
    transactions: 3,
  }));
  const [warmUp, event] = logs;
  if (warmUp === undefined || event === undefined || logs.length !== 2) {
    throw new BenchError(`The source wrote ${logs.length} files, expected 2`);
  }
  return { warmUp, event };
}

async function takeIn(
  main: string,
  dataDir: string,
  source: LaunchedServer,
  { warmUp, event }: EventLogs,
): Promise<Passage> {
  await using kingbus = await KingbusProcess.start({ main, dataDir });
  await kingbus.follow({ hostname: "127.0.0.1", port: source.port });
  await kingbus.caughtUp(warmUp);
  return await passage(kingbus, async () => {
    const start = performance.now();
    await kingbus.caughtUp(event);
    return (performance.now() - start) / 1000;
  });
}

async function readOut(
  main: string,
  dataDir: string,
  log: SourceLog,
  reading: Reading,
): Promise<Passage> {
  await using kingbus = await KingbusProcess.start({ main, dataDir });
  await kingbus.stopFollowing();
  const { readers, bytesPerSecond } = reading;
  const input: ReaderInput = {
    server: { hostname: kingbus.hostname, port: kingbus.port },
    mode: "position",
    firstFile: log.firstFile,
    bytesMin: log.bytes,
    readers,
    ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }),
  };
  return await passage(kingbus, async () => {
    const { seconds } = await runBenchProgram<ReaderResult>(
      "discarding_reader.ts",
      input,
    );
    return seconds;
  });
}

async function passage(
  kingbus: KingbusProcess,
  pass: () => Promise<number>,
): Promise<Passage> {
  const before = (await kingbus.usage()).residentBytes;
  await kingbus.resetPeak();
  const seconds = await pass();
  const { peakBytes, residentBytes } = await kingbus.usage();
  return {
    seconds,
    extraMegabytes: (peakBytes - before) / 1e6,
    leftMegabytes: (residentBytes - before) / 1e6,
  };
}
