import { BenchError } from "./bench_error.ts";
import { runBenchProgram, spawnDeno } from "./bench_process.ts";
import { KingbusProcess } from "./kingbus_process.ts";
import type { LoginInput, LoginResult } from "./login_runs.ts";
import type { LoginServerInput } from "./login_server.ts";
import { below, type Measurement, type PartResult } from "./measurement.ts";
import { percentile, sampleOf } from "./sample.ts";
import { startSmallSource } from "./small_source.ts";

/** The project's target, in ms, for the median and for nearly all. */
const TARGET_MS = 20;

const WARM_UP = 30;
const LOGINS = 200;
const PERCENTS = [50, 99] as const;

/** What the measurement needs. */
export interface LoginMeasure {
  readonly runs: number;
  /** Entry point of kingbus. */
  readonly main: string;
  /** Folder for the store. */
  readonly folder: string;
  readonly progress: (what: string) => void;
}

/** A way to log in. */
interface Way {
  readonly name: string;
  readonly plugin: LoginInput["plugin"];
  /** At a server that has to be sent the password. */
  readonly full: boolean;
}

const WAYS: readonly Way[] = [
  { name: "caching_sha2", plugin: "caching_sha2_password", full: false },
  { name: "native", plugin: "mysql_native_password", full: false },
  {
    name: "caching_sha2, full by RSA",
    plugin: "caching_sha2_password",
    full: true,
  },
];

/**
 * A client dials, logs in, says what a MySQL 9.7 replica says, asks for a dump
 * by GTID and waits for its first event, over and over.
 */
export async function measureLogin(
  measure: LoginMeasure,
): Promise<PartResult> {
  const { folder, main, progress } = measure;
  progress("starting a source of its own");
  await using source = await startSmallSource();
  const dataDir = await Deno.makeTempDir({ dir: folder });
  const runs = WAYS.map((): LoginResult[] => []);
  const runOf = (way: Way, port: number) =>
    runBenchProgram<LoginResult>(
      "login_runs.ts",
      {
        server: { hostname: "127.0.0.1", port },
        plugin: way.plugin,
        executed: source.executed,
        warmUp: WARM_UP,
        logins: LOGINS,
      } satisfies LoginInput,
    );
  {
    await using kingbus = await KingbusProcess.start({ main, dataDir });
    await kingbus.follow(source);
    await kingbus.caughtUp(source.log);
    for (let run = 1; run <= measure.runs; run++) {
      progress(`login, run ${run} of ${measure.runs}`);
      for (const [index, way] of WAYS.entries()) {
        if (!way.full) runs[index]!.push(await runOf(way, kingbus.port));
      }
    }
  }
  await serveFull(`${dataDir}/data/kingbus.db`, async (port) => {
    for (let run = 1; run <= measure.runs; run++) {
      progress(`login by RSA, run ${run} of ${measure.runs}`);
      for (const [index, way] of WAYS.entries()) {
        if (way.full) runs[index]!.push(await runOf(way, port));
      }
    }
  });
  const measurements = WAYS.flatMap(({ name }, index) => [
    ...ofRuns(`${name}: login`, runs[index]!, ({ loginMs }) => loginMs),
    ...ofRuns(
      `${name}: first event`,
      runs[index]!,
      ({ firstEventMs }) => firstEventMs,
    ),
  ]);
  return {
    title: `login: ${LOGINS} times a run, one after another`,
    measurements,
    verdicts: measurements.filter(({ name }) => name.includes("first event"))
      .map(({ name, sample }) => below(name, sample.median, TARGET_MS, "ms")),
    notes: [
      "from dialling on; login: up to its OK packet, first event: after the eight statements of a MySQL 9.7 replica, its registration and its dump by GTID",
    ],
  };
}

function ofRuns(
  name: string,
  runs: readonly LoginResult[],
  times: (run: LoginResult) => readonly number[],
): Measurement[] {
  return PERCENTS.map((percent) => ({
    name: `${name}, p${percent}`,
    unit: "ms",
    sample: sampleOf(runs.map((run) => percentile(times(run), percent))),
  }));
}

/** Has the store served by `login_server.ts` while `work` is done. */
async function serveFull(
  database: string,
  work: (port: number) => Promise<void>,
): Promise<void> {
  const program = new URL("login_server.ts", import.meta.url).pathname;
  const input: LoginServerInput = { database };
  const child = spawnDeno(["-A"], program, [JSON.stringify(input)]);
  try {
    const { value } = await child.stdout.getReader().read();
    const port = Number(new TextDecoder().decode(value));
    if (!(port > 0)) throw new BenchError("The server for RSA did not start");
    await work(port);
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
}
