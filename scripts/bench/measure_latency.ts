import { waitUntil } from "../test_servers/wait_until.ts";
import { ArrivalLog } from "./arrival_log.ts";
import type { BenchContext } from "./bench_context.ts";
import { BenchError } from "./bench_error.ts";
import { runBenchProgram } from "./bench_process.ts";
import { APPLICATION } from "./bench_source.ts";
import type { KingbusProcess } from "./kingbus_process.ts";
import { below, type Measurement, type PartResult } from "./measurement.ts";
import type { WriterInput, WriterResult } from "./paced_writer.ts";
import { percentile, sampleOf } from "./sample.ts";

const TRANSACTIONS_PER_SECOND = 500;

/** Left out at the begin of each run, while everything warms up. */
const WARM_UP_SECONDS = 1;
const MEASURED_SECONDS = 10;

/** The project's targets, in ms. */
const P50_TARGET_MS = 2;
const P99_TARGET_MS = 10;

/** Server ids of the observers; no replica of a rig has one as high. */
const SERVER_ID_DIRECT = 3_000_001_001;
const SERVER_ID_KINGBUS = 3_000_001_002;

const PERCENTS = [50, 99] as const;

/** Latencies of the transactions of one run, in ms. */
interface LatencyRun {
  /** How much later than from the source a transaction came from kingbus. */
  readonly added: number[];
  /** From the statement's sending until it came from the source. */
  readonly direct: number[];
  /** The same from kingbus. */
  readonly through: number[];
  /** From the statement's sending until the commit returned. */
  readonly commit: number[];
}

/**
 * Small transactions are committed at a steady rate, and one process follows
 * the logs of the source and of kingbus at the same time.
 */
export async function measureLatency(
  context: BenchContext,
): Promise<PartResult> {
  const runs: LatencyRun[] = [];
  {
    await using kingbus = await context.startFilled();
    for (let run = 1; run <= context.runs; run++) {
      context.progress(`latency, run ${run} of ${context.runs}`);
      runs.push(await measureRun(context, kingbus));
    }
  }
  const added = ofRuns("added by kingbus", runs, ({ added }) => added);
  return {
    title:
      `latency: ${TRANSACTIONS_PER_SECOND} transactions a second for ${MEASURED_SECONDS} s a run`,
    measurements: [
      ...ofRuns("statement to commit", runs, ({ commit }) => commit),
      ...ofRuns("statement to replica, direct", runs, ({ direct }) => direct),
      ...ofRuns("through kingbus", runs, ({ through }) => through),
      ...added,
      {
        name: "added by kingbus, most",
        unit: "ms",
        sample: sampleOf(runs.map(({ added }) => Math.max(...added))),
      },
    ],
    verdicts: [
      below("added, p50", added[0]!.sample.median, P50_TARGET_MS, "ms"),
      below("added, p99", added[1]!.sample.median, P99_TARGET_MS, "ms"),
    ],
    notes: [],
  };
}

/** The median and the 99th percentile of one latency, run by run. */
function ofRuns(
  name: string,
  runs: readonly LatencyRun[],
  latency: (run: LatencyRun) => number[],
): Measurement[] {
  return PERCENTS.map((percent) => ({
    name: `${name}, p${percent}`,
    unit: "ms",
    sample: sampleOf(runs.map((run) => percentile(latency(run), percent))),
  }));
}

async function measureRun(
  context: BenchContext,
  kingbus: KingbusProcess,
): Promise<LatencyRun> {
  const { source } = context;
  const log = await source.log();
  await kingbus.caughtUp(log);
  const start = { fileName: log.lastFile, position: log.lastPosition };
  await using direct = await ArrivalLog.open(source, {
    ...start,
    serverId: SERVER_ID_DIRECT,
  });
  await using through = await ArrivalLog.open(kingbus, {
    ...start,
    serverId: SERVER_ID_KINGBUS,
  });
  const warmUp = TRANSACTIONS_PER_SECOND * WARM_UP_SECONDS;
  const input: WriterInput = {
    server: { hostname: source.hostname, port: source.port },
    ...APPLICATION,
    transactionsPerSecond: TRANSACTIONS_PER_SECOND,
    transactions: warmUp + TRANSACTIONS_PER_SECOND * MEASURED_SECONDS,
  };
  const written = await runBenchProgram<WriterResult>("paced_writer.ts", input);
  await waitUntil(
    "all transactions arrived",
    () =>
      direct.arrivedAt.size >= input.transactions &&
      through.arrivedAt.size >= input.transactions,
  );
  return compare(written, direct.arrivedAt, through.arrivedAt, warmUp);
}

/** Matches what was written with what arrived: the n-th with the n-th GTID. */
function compare(
  written: WriterResult,
  direct: ReadonlyMap<string, number>,
  through: ReadonlyMap<string, number>,
  warmUp: number,
): LatencyRun {
  if (direct.size !== written.sentAt.length || through.size !== direct.size) {
    throw new BenchError(
      `The writer committed ${written.sentAt.length} transactions, ${direct.size} came from the source and ${through.size} from kingbus: something else writes`,
    );
  }
  const run: LatencyRun = { added: [], direct: [], through: [], commit: [] };
  let index = -1;
  for (const [gtid, directAt] of direct) {
    index++;
    if (index < warmUp) continue;
    const throughAt = through.get(gtid);
    const sentAt = written.sentAt[index];
    const committedAt = written.committedAt[index];
    if (
      throughAt === undefined || sentAt === undefined ||
      committedAt === undefined
    ) throw new BenchError(`Transaction ${gtid} did not come from kingbus`);
    run.added.push(throughAt - directAt);
    run.direct.push(directAt - sentAt);
    run.through.push(throughAt - sentAt);
    run.commit.push(committedAt - sentAt);
  }
  return run;
}
