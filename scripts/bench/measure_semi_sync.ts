import { startMysql97 } from "../../tests/support/mysql97.ts";
import type { LaunchedServer } from "../../tests/support/launched_server.ts";
import {
  makeSemiSyncReplica,
  makeSemiSyncSource,
  semiSyncStatus,
} from "../../tests/support/semi_sync_plugin.ts";
import { Rig } from "../test_servers/rig.ts";
import { waitUntil } from "../test_servers/wait_until.ts";
import { BenchError } from "./bench_error.ts";
import { runBenchProgram } from "./bench_process.ts";
import { APPLICATION } from "./bench_source.ts";
import { KingbusProcess } from "./kingbus_process.ts";
import {
  type Measurement,
  noMoreThan,
  type PartResult,
} from "./measurement.ts";
import type { WriterInput, WriterResult } from "./paced_writer.ts";
import { percentile, sampleOf } from "./sample.ts";
import { BENCH_SCHEMA, prepareSchema } from "./small_transactions.ts";

const TRANSACTIONS_PER_SECOND = 300;

/** Left out at the begin of each run, while everything warms up. */
const WARM_UP = 150;
const MEASURED = 1200;

const PERCENTS = [50, 90, 99] as const;

/** What this measurement needs of the benchmark. */
export interface SemiSyncBench {
  readonly runs: number;
  /** Entry point of kingbus. */
  readonly main: string;
  /** Folder for everything written. */
  readonly folder: string;
  readonly progress: (what: string) => void;
}

/** Who acknowledges: connects before a run, and leaves after it. */
interface Acknowledger {
  readonly name: string;
  /** False for one that the source does not wait for. */
  readonly acknowledges: boolean;
  join(): Promise<void>;
  leave(): Promise<void>;
}

/**
 * Small transactions are committed at a steady rate by one session of a
 * semi-synchronous source, whose only replica is kingbus, then a real one. The
 * real one's applier is stopped: it would only take time from the others.
 */
export async function measureSemiSync(
  bench: SemiSyncBench,
): Promise<PartResult> {
  const rig = await Rig.find(["mysql97"]);
  if (rig.missing.length > 0) throw new BenchError(rig.missing.join("; "));
  bench.progress("starting a source and a replica of its own");
  await using source = await startMysql97(9781);
  await using replica = await startMysql97(9782);
  {
    await using connection = await source.connect();
    await prepareSchema(connection);
  }
  const dataDir = await Deno.makeTempDir({ dir: bench.folder });
  await using kingbus = await KingbusProcess.start({
    main: bench.main,
    dataDir,
  });
  await makeSemiSyncReplica(replica);
  await replica.query(
    `CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1',
     SOURCE_PORT = ${source.port}, SOURCE_USER = 'repl',
     SOURCE_PASSWORD = 'replpass', SOURCE_AUTO_POSITION = 1, SOURCE_SSL = 0,
     SOURCE_HEARTBEAT_PERIOD = 1`,
  );
  await using _semiSync = await makeSemiSyncSource(source);
  const acknowledgers = [
    ofKingbus(source, kingbus),
    ofReplica("replica, sync_relay_log=1", replica, 1),
    ofReplica("replica, sync_relay_log=10000", replica, 10_000),
    ofNobody(source, kingbus),
  ];
  const commits = new Map<string, number[][]>(
    acknowledgers.map(({ name }) => [name, []]),
  );
  for (let run = 1; run <= bench.runs; run++) {
    for (const one of acknowledgers) {
      bench.progress(`semi-sync, run ${run} of ${bench.runs}: ${one.name}`);
      commits.get(one.name)!.push(await measureRun(source, one));
    }
  }
  const measurements = acknowledgers.flatMap(({ name }) =>
    ofRuns(name, commits.get(name)!)
  );
  const median = (who: number) =>
    measurements[who * PERCENTS.length]!.sample.median;
  return {
    title:
      `semi-sync: ${TRANSACTIONS_PER_SECOND} commits a second, ${MEASURED} a run`,
    measurements,
    verdicts: [
      noMoreThan("p50 of kingbus", median(0), median(1), "ms"),
    ],
    notes: [
      "the source does not sync its own log (sync_binlog=0): what is left is the acknowledgement",
      "the target is the replica with sync_relay_log=1, which syncs before it acknowledges as kingbus does",
    ],
  };
}

function ofRuns(name: string, runs: readonly number[][]): Measurement[] {
  return PERCENTS.map((percent) => ({
    name: `${name}, p${percent}`,
    unit: "ms",
    sample: sampleOf(runs.map((run) => percentile(run, percent))),
  }));
}

async function measureRun(
  source: LaunchedServer,
  acknowledger: Acknowledger,
): Promise<number[]> {
  await acknowledger.join();
  if (acknowledger.acknowledges) {
    await waitForClients(source, 1);
    // A commit that returns once it has caught up.
    await source.query(`CREATE DATABASE IF NOT EXISTS ${BENCH_SCHEMA}`);
  }
  const before = await semiSyncStatus(source);
  const input: WriterInput = {
    server: { hostname: "127.0.0.1", port: source.port },
    ...APPLICATION,
    transactionsPerSecond: TRANSACTIONS_PER_SECOND,
    transactions: WARM_UP + MEASURED,
  };
  const { sentAt, committedAt } = await runBenchProgram<WriterResult>(
    "paced_writer.ts",
    input,
  );
  const after = await semiSyncStatus(source);
  const waited = Number(after.yes_tx) - Number(before.yes_tx);
  if (acknowledger.acknowledges && waited !== input.transactions) {
    throw new BenchError(
      `The source waited for ${waited} acknowledgements of ${input.transactions}`,
    );
  }
  await acknowledger.leave();
  await waitForClients(source, 0);
  return committedAt.map((at, index) => at - sentAt[index]!).slice(WARM_UP);
}

/** Waits until so many semi-synchronous replicas are connected and caught up. */
async function waitForClients(
  source: LaunchedServer,
  count: number,
): Promise<void> {
  await waitUntil(`${count} replicas were connected`, async () => {
    const { clients } = await semiSyncStatus(source);
    return clients === String(count);
  }, { intervalMs: 50 });
}

function ofKingbus(
  source: LaunchedServer,
  kingbus: KingbusProcess,
): Acknowledger {
  return {
    name: "kingbus",
    acknowledges: true,
    join: async () => {
      await kingbus.follow(
        { hostname: "127.0.0.1", port: source.port },
        { semiSync: true },
      );
    },
    leave: () => kingbus.stopFollowing(),
  };
}

function ofReplica(
  name: string,
  replica: LaunchedServer,
  syncRelayLog: number,
): Acknowledger {
  return {
    name,
    acknowledges: true,
    join: async () => {
      await replica.run(
        `SET GLOBAL sync_relay_log = ${syncRelayLog}`,
        "START REPLICA IO_THREAD",
      );
    },
    leave: () => replica.run("STOP REPLICA IO_THREAD"),
  };
}

/** Nobody acknowledges: kingbus follows asynchronously. */
function ofNobody(
  source: LaunchedServer,
  kingbus: KingbusProcess,
): Acknowledger {
  return {
    name: "nobody, semi-sync off",
    acknowledges: false,
    join: async () => {
      await source.query("SET GLOBAL rpl_semi_sync_source_enabled = 0");
      await kingbus.follow({ hostname: "127.0.0.1", port: source.port });
    },
    leave: async () => {
      await kingbus.stopFollowing();
      await source.query("SET GLOBAL rpl_semi_sync_source_enabled = 1");
    },
  };
}
