import { MadeStore } from "./made_store.ts";
import { below, type Measurement, type PartResult } from "./measurement.ts";
import { percentile, sampleOf } from "./sample.ts";

/** How long it is measured without a purge, in ms. */
const ALONE_MS = 5_000;

/** What stays of the log, for the dump. */
const KEPT_BYTES = 200e6;
const FILE_BYTES = 50e6;

/** The project's target. */
const ADDED_TARGET_MS = 50;

/** At the steady rate: pauses between two transactions, and two reads. */
const COMMIT_PAUSE_MS = 5;
const READ_PAUSE_MS = 3;

/** How the store is kept busy meanwhile. */
type Load = "steady" | "full speed";

/** Who waits. */
type Kind = "commits" | "reads";

/** Waits in ms. */
interface Delays {
  /** From the append of a transaction until it is durable and visible. */
  readonly commits: number[];
  /** Of a dump for its next blocks, when they are not in memory. */
  readonly reads: number[];
  /** How long it took in all, in seconds. */
  seconds: number;
}

/**
 * How long a commit and a dump's read take while files are purged, and while
 * none are.
 *
 * @param folder for the store; on the disk that is to be measured
 * @param bytes how much is purged in each run
 * @param progress tells people what is going on
 * @param found takes the result of each load
 */
export async function measurePurge(
  folder: string,
  bytes: number,
  progress: (what: string) => void,
  found: (result: PartResult) => void,
): Promise<void> {
  for (const load of ["steady", "full speed"] as const) {
    const run = await Deno.makeTempDir({ dir: folder });
    progress(`${(bytes / 1e6).toFixed(0)} MB to be purged, ${load}`);
    found(await measure(run, bytes, load));
    await Deno.remove(run, { recursive: true });
  }
}

async function measure(
  folder: string,
  bytes: number,
  load: Load,
): Promise<PartResult> {
  await using made = await MadeStore.open(folder);
  for (let filled = 0; filled < bytes + KEPT_BYTES; filled += FILE_BYTES) {
    await made.fillFile(FILE_BYTES);
  }
  const upTo = Math.floor(bytes / FILE_BYTES) + 1;
  const alone = await whileBusy(made, load, upTo, wait(ALONE_MS));
  const removing = await whileBusy(made, load, upTo, remove(made, upTo));
  const shrinking = await whileBusy(made, load, upTo, made.settled());
  const { freeInsideBytes } = await made.store.diskUse();
  const longest = (kind: Kind, phases: readonly Delays[]): number =>
    Math.max(...phases.map((phase) => percentile(phase[kind], 100)));
  const added = (kind: Kind): number =>
    longest(kind, [removing, shrinking]) - longest(kind, [alone]);
  return {
    title: `purge of ${(bytes / 1e6).toFixed(0)} MB, ${load}`,
    measurements: (["commits", "reads"] as const).flatMap((kind) => [
      ...rows(`${kind}, no purge`, alone[kind]),
      ...rows(`${kind}, removing`, removing[kind]),
      ...rows(`${kind}, giving back`, shrinking[kind]),
    ]),
    verdicts: [
      below(
        "added to the longest commit",
        added("commits"),
        ADDED_TARGET_MS,
        "ms",
      ),
      below("added to the longest read", added("reads"), ADDED_TARGET_MS, "ms"),
    ],
    notes: [
      `${removing.seconds.toFixed(1)} s to remove, ${
        shrinking.seconds.toFixed(1)
      } s to give back, ${(freeInsideBytes / 1e6).toFixed(0)} MB stay free`,
    ],
  };
}

async function remove(made: MadeStore, upTo: number): Promise<void> {
  await made.store.purge(upTo);
  while ((await made.store.diskUse()).removingBytes > 0) await wait(5);
}

/** Median, 99th percentile and maximum; each is one number, not a sample. */
function rows(name: string, delays: readonly number[]): Measurement[] {
  return ([50, 99, 100] as const).map((percent) => ({
    name: `${name}, ${percent === 100 ? "longest" : `p${percent}`}`,
    unit: "ms",
    sample: sampleOf([percentile(delays, percent)]),
  }));
}

/** Commits and reads until `end` has come. */
async function whileBusy(
  made: MadeStore,
  load: Load,
  oldest: number,
  end: Promise<void>,
): Promise<Delays> {
  const delays: Delays = { commits: [], reads: [], seconds: 0 };
  const started = performance.now();
  let busy = true;
  const steady = load === "steady";
  const commit = async (): Promise<void> => {
    while (busy) {
      if (steady) made.append(1, 300);
      else made.append(60, 10_000);
      const began = performance.now();
      await made.store.writer.flush();
      delays.commits.push(performance.now() - began);
      if (steady) await wait(COMMIT_PAUSE_MS);
    }
  };
  const read = async (): Promise<void> => {
    while (busy) {
      // Files that stay, and that are on disk only.
      const files = made.store.files.filter((file) =>
        file.number >= oldest && file.number <= oldest + 2
      );
      for (const file of files) {
        await made.read(file, async (ms) => {
          delays.reads.push(ms);
          if (steady) await wait(READ_PAUSE_MS);
          return busy;
        });
      }
      await wait(0);
    }
  };
  const working = Promise.all([commit(), read()]);
  try {
    await end;
    delays.seconds = (performance.now() - started) / 1000;
  } finally {
    busy = false;
    await working;
  }
  return delays;
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
