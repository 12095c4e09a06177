import type { LogServer } from "./bench_source.ts";
import { IdleReplicaProcess } from "./idle_replica_process.ts";
import type { IdleInput } from "./idle_replicas.ts";
import { KingbusProcess } from "./kingbus_process.ts";
import { below, type Measurement, type PartResult } from "./measurement.ts";
import { sampleOf } from "./sample.ts";
import { startSmallSource } from "./small_source.ts";

/** The project's targets: for all of them together. */
const MEMORY_TARGET_MB = 100;
const CORE_TARGET_PERCENT = 3;

/** How the replicas are connected. */
interface Way {
  readonly name: string;
  /** Pause after which they want a heartbeat; MySQL's own is 30 s. */
  readonly heartbeatMs: number;
  readonly tls: boolean;
}

const WAYS: readonly Way[] = [
  { name: "heartbeats each 30 s", heartbeatMs: 30_000, tls: false },
  { name: "heartbeats each 1 s", heartbeatMs: 1_000, tls: false },
  { name: "each 30 s, over TLS", heartbeatMs: 30_000, tls: true },
];

/** What the logins leave behind is gone after this. */
const SETTLE_MS = 5_000;

/** How long they are watched, or for two heartbeats. */
const WATCH_MS = 20_000;

/** What the measurement needs. */
export interface IdleMeasure {
  readonly runs: number;
  /** Entry point of kingbus. */
  readonly main: string;
  /** Folder for the store. */
  readonly folder: string;
  /** How many replicas. */
  readonly replicas: number;
  readonly progress: (what: string) => void;
}

/** What idle replicas cost. */
interface IdleRun {
  /** More memory than without them, in MB. */
  readonly megabytes: number;
  /** Time on any core, in percent of one. */
  readonly corePercent: number;
}

/**
 * Replicas that have all of the log are connected, each with a dump by GTID;
 * nothing happens but heartbeats.
 */
export async function measureIdle(measure: IdleMeasure): Promise<PartResult> {
  const { folder, main, progress, replicas } = measure;
  progress("starting a source of its own");
  await using source = await startSmallSource();
  const runs = WAYS.map((): IdleRun[] => []);
  for (let run = 1; run <= measure.runs; run++) {
    for (const [index, { name, heartbeatMs, tls }] of WAYS.entries()) {
      progress(`idle, run ${run} of ${measure.runs}: ${name}`);
      const dataDir = await Deno.makeTempDir({ dir: folder });
      await using kingbus = await KingbusProcess.start({
        main,
        dataDir,
        server: {
          "connections-max": replicas + 100,
          tls: { mode: tls ? "optional" : "disabled" },
        },
      });
      await kingbus.follow(source);
      await kingbus.caughtUp(source.log);
      runs[index]!.push(
        await watch(kingbus, {
          server: { hostname: kingbus.hostname, port: kingbus.port },
          replicas,
          executed: source.executed,
          heartbeatMs,
          tls,
        }),
      );
    }
  }
  const rowsOf = (index: number): Measurement[] => {
    const every = WAYS[index]!.name;
    return [
      {
        name: `memory, ${every}`,
        unit: "MB",
        sample: sampleOf(runs[index]!.map(({ megabytes }) => megabytes)),
      },
      {
        name: `of a core, ${every}`,
        unit: "%",
        sample: sampleOf(runs[index]!.map(({ corePercent }) => corePercent)),
      },
    ];
  };
  const measurements = WAYS.flatMap((_, index) => rowsOf(index));
  return {
    title: `idle: ${replicas} replicas with nothing to read`,
    measurements,
    verdicts: measurements.map(({ name, unit, sample }) =>
      below(
        name,
        sample.median,
        unit === "MB" ? MEMORY_TARGET_MB : CORE_TARGET_PERCENT,
        unit,
      )
    ),
    notes: [
      "memory is what is resident, over what was before they came; the bytes that the system keeps for sockets are not in it",
    ],
  };
}

async function watch(
  kingbus: KingbusProcess,
  input: IdleInput & { readonly server: LogServer },
): Promise<IdleRun> {
  const before = await kingbus.usage();
  await using _replicas = await IdleReplicaProcess.start(input);
  await sleep(SETTLE_MS);
  const first = await kingbus.usage();
  const start = performance.now();
  await sleep(Math.max(WATCH_MS, input.heartbeatMs + SETTLE_MS));
  const last = await kingbus.usage();
  const seconds = (performance.now() - start) / 1000;
  return {
    megabytes: (last.residentBytes - before.residentBytes) / 1e6,
    corePercent: 100 * (last.cpuSeconds - first.cpuSeconds) / seconds,
  };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
