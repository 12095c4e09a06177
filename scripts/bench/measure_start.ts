import { resolve } from "node:path";
import { denoShortfall } from "../compile/deno_version.ts";
import { freePort } from "../test_servers/free_port.ts";
import { ProcessWatchdog } from "../test_servers/process_watchdog.ts";
import { waitUntil } from "../test_servers/wait_until.ts";
import { BenchError } from "./bench_error.ts";
import { fillAndKill } from "./fill_and_kill.ts";
import { below, type PartResult } from "./measurement.ts";
import { sampleOf } from "./sample.ts";

/** The project's target, in ms. */
const TARGET_MS = 300;

/** Size of the files of a large store, as MySQL's default has it or smaller. */
const FILE_BYTES = 100e6;

/** How often a port is tried: a small part of what is measured. */
const POLL_MS = 1;

/** What the measurement needs. */
export interface StartMeasure {
  readonly runs: number;
  /** The executable. */
  readonly executable: string;
  /** Folder for the stores. */
  readonly folder: string;
  /** Size of the large store in bytes. */
  readonly bytes: number;
  readonly progress: (what: string) => void;
}

/** What an executable says of itself. */
interface About {
  readonly path: string;
  /** Version of the Deno in it. */
  readonly deno: string;
}

/**
 * From the start of the executable until both of its ports can be connected
 * to: with a data folder that is not there yet, with one that is, and with a
 * large log whose writer was killed.
 *
 * @throws {BenchError} If there is no executable.
 */
export async function measureStart(
  measure: StartMeasure,
): Promise<PartResult> {
  const { runs, folder, bytes, progress } = measure;
  const about = await askVersion(measure.executable);
  const first: number[] = [];
  const again: number[] = [];
  for (let run = 1; run <= runs; run++) {
    progress(`start without a log, run ${run} of ${runs}`);
    const home = `${folder}/start-${run}`;
    await Deno.mkdir(home);
    first.push(await startTime(about, home));
    again.push(await startTime(about, home));
    await Deno.remove(home, { recursive: true });
  }
  const size = `${(bytes / 1e9).toFixed(1)} GB`;
  progress(`fill a store with ${size}`);
  const home = `${folder}/start-large`;
  await Deno.mkdir(`${home}/data`, { recursive: true });
  const fileBytes = Math.min(FILE_BYTES, bytes / 4);
  const large: number[] = [];
  for (let run = 1; run <= runs; run++) {
    progress(`start with ${size}, run ${run} of ${runs}`);
    await fillAndKill({ folder: `${home}/data`, bytes, fileBytes });
    large.push(await startTime(about, home));
  }
  await Deno.remove(home, { recursive: true });
  const measurements = [
    { name: "first start", unit: "ms", sample: sampleOf(first) },
    { name: "empty log", unit: "ms", sample: sampleOf(again) },
    { name: `${size}, after kill -9`, unit: "ms", sample: sampleOf(large) },
  ];
  return {
    title: "start: from the executable's start to listening",
    measurements,
    verdicts: measurements.slice(1).map(({ name, sample }) =>
      below(name, sample.median, TARGET_MS, "ms")
    ),
    notes: [`the executable is made with Deno ${about.deno}`],
  };
}

async function askVersion(executable: string): Promise<About> {
  const path = resolve(executable);
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command(path, { args: ["version"] }).output();
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new BenchError(
      `There is no executable ${path}: deno task compile makes dist/kingbus, --executable names another`,
    );
  }
  const said = new TextDecoder().decode(output.stdout);
  const [, deno] = /\(Deno (\S+),/.exec(said) ?? [];
  if (deno !== undefined) return { path, deno };
  throw new BenchError(`${path} is no executable of kingbus`);
}

/** Starts it in a folder, and ends it; answers how long the start took, in ms. */
async function startTime(
  { path, deno }: About,
  folder: string,
): Promise<number> {
  const ports = [freePort(), freePort()] as const;
  await Deno.writeTextFile(
    `${folder}/kingbus.yaml`,
    JSON.stringify({
      admin: { listen: `127.0.0.1:${ports[0]}` },
      server: {
        listen: `127.0.0.1:${ports[1]}`,
        ...denoShortfall(deno) === undefined
          ? {}
          : { tls: { mode: "disabled" } },
      },
    }),
  );
  const began = performance.now();
  const child = new Deno.Command(path, {
    args: ["serve", "--config=kingbus.yaml"],
    cwd: folder,
    clearEnv: true,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const watchdog = new ProcessWatchdog(child.pid, folder);
  let ended = false;
  const status = child.status.finally(() => ended = true);
  const comesUp = (port: number): boolean | Promise<boolean> => {
    if (!ended) return listens(port);
    throw new BenchError(
      `${path} ended before it listened: the log is made with Deno ${Deno.version.deno}, which one of Deno ${deno} may not be able to read`,
    );
  };
  try {
    for (const port of ports) {
      await waitUntil(`${port} listened`, () => comesUp(port), {
        intervalMs: POLL_MS,
      });
    }
    return performance.now() - began;
  } finally {
    if (!ended) child.kill("SIGTERM");
    await status;
    await watchdog.dismiss();
  }
}

async function listens(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}
