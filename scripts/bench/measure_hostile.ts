import { waitUntil } from "../test_servers/wait_until.ts";
import { ArrivalLog } from "./arrival_log.ts";
import type { BenchContext } from "./bench_context.ts";
import { runBenchProgram } from "./bench_process.ts";
import { APPLICATION, REPLICATION } from "./bench_source.ts";
import {
  HOSTILE_KINDS,
  type HostileInput,
  type HostileKind,
  type HostileResult,
} from "./hostile_attack.ts";
import type { KingbusProcess } from "./kingbus_process.ts";
import {
  atLeast,
  type Measurement,
  type PartResult,
  transferRate,
  type TransferRun,
  type Verdict,
} from "./measurement.ts";
import type { WriterInput, WriterResult } from "./paced_writer.ts";
import { percentile, sampleOf } from "./sample.ts";

/** Clients of an attack. */
const CLIENTS = 64;
/** More than both measurements of a run take. */
const ATTACK_SECONDS = 300;
/** Passwords that are tried in all. */
const WRONG_PASSWORDS = 100_000;
const TRANSACTIONS_PER_SECOND = 100;
const TRANSACTIONS = 200;
/** No replica of a rig has a server id as high. */
const SERVER_ID = 3_000_001_003;

/** What anybody can do who reaches the port must cost replicas less than this. */
const RATIO_TARGET = 0.5;
/** What needs no account. */
const WITHOUT_ACCOUNT: readonly HostileKind[] = [
  "connections",
  "silent",
  "slow-login",
  "wrong-password",
  "tls-wrong-password",
];

/** What replicas get. */
interface Served {
  readonly dump: TransferRun;
  /** Of each transaction, from its statement to the replica, in ms. */
  readonly latencies: readonly number[];
}

/**
 * A dump of the whole log and small transactions at a steady rate, each without
 * and with clients that mean harm, in turns.
 */
export async function measureHostile(
  context: BenchContext,
): Promise<PartResult> {
  const measurements: Measurement[] = [];
  const verdicts: Verdict[] = [];
  const notes: string[] = [];
  await using kingbus = await context.startFilled();
  const before = (await kingbus.usage()).residentBytes;
  for (const kind of HOSTILE_KINDS) {
    const quiet: Served[] = [];
    const attacked: Served[] = [];
    let attempts = 0;
    let seconds = 0;
    for (let run = 1; run <= context.runs; run++) {
      context.progress(`hostile, ${kind}, run ${run} of ${context.runs}`);
      quiet.push(await serve(context, kingbus));
      const attack = new Attack(context, kingbus, kind);
      attacked.push(await serve(context, kingbus));
      const result = await attack.end();
      attempts += result.attempts;
      seconds += result.seconds;
    }
    const rows = rowsOf(kind, quiet, attacked);
    measurements.push(...rows);
    notes.push(`${kind}: ${Math.round(attempts / seconds)} a second`);
    if (WITHOUT_ACCOUNT.includes(kind)) {
      const [alone, under] = rows.map(({ sample }) => sample.median);
      verdicts.push(
        atLeast(`dump with ${kind} / without`, under! / alone!, RATIO_TARGET),
      );
    }
  }
  context.progress(`hostile, ${WRONG_PASSWORDS} wrong passwords`);
  const attack = new Attack(context, kingbus, "wrong-password", {
    attemptsMax: WRONG_PASSWORDS,
  });
  const { attempts, seconds } = await attack.ended();
  notes.push(`${attempts} wrong passwords took ${seconds.toFixed(0)} s`);
  const after = (await kingbus.usage()).residentBytes;
  notes.push(
    `resident before all attacks ${(before / 1e6).toFixed(0)} MB, after ${
      (after / 1e6).toFixed(0)
    } MB`,
  );
  return {
    title: `hostile: ${CLIENTS} clients that mean harm`,
    measurements,
    verdicts,
    notes: [
      ...notes,
      "the clients that mean harm have a process, and with it a core, of their own",
    ],
  };
}

function rowsOf(
  kind: HostileKind,
  quiet: readonly Served[],
  attacked: readonly Served[],
): Measurement[] {
  const latency = (name: string, runs: readonly Served[]): Measurement => ({
    name: `${kind}: statement to replica, ${name}`,
    unit: "ms",
    sample: sampleOf(runs.map(({ latencies }) => percentile(latencies, 50))),
  });
  return [
    transferRate(`${kind}: dump before`, quiet.map(({ dump }) => dump)),
    transferRate(`${kind}: dump meanwhile`, attacked.map(({ dump }) => dump)),
    latency("before", quiet),
    latency("meanwhile", attacked),
  ];
}

async function serve(
  context: BenchContext,
  kingbus: KingbusProcess,
): Promise<Served> {
  const dump = await context.read(kingbus, "position");
  const { source } = context;
  const log = await source.log();
  await kingbus.caughtUp(log);
  await using arrivals = await ArrivalLog.open(kingbus, {
    fileName: log.lastFile,
    position: log.lastPosition,
    serverId: SERVER_ID,
  });
  const input: WriterInput = {
    server: { hostname: source.hostname, port: source.port },
    ...APPLICATION,
    transactionsPerSecond: TRANSACTIONS_PER_SECOND,
    transactions: TRANSACTIONS,
  };
  const written = await runBenchProgram<WriterResult>("paced_writer.ts", input);
  await waitUntil(
    "all transactions arrived",
    () => arrivals.arrivedAt.size >= TRANSACTIONS,
  );
  const arrived = [...arrivals.arrivedAt.values()];
  return {
    dump,
    latencies: written.sentAt.map((sentAt, index) => arrived[index]! - sentAt),
  };
}

/** Clients that mean harm, from now until `end`. */
class Attack {
  readonly #child: Promise<HostileResult>;
  readonly #start = performance.now();
  readonly #stop: string;

  constructor(
    { log, folder }: BenchContext,
    { port }: KingbusProcess,
    kind: HostileKind,
    limits: Pick<HostileInput, "attemptsMax"> = {},
  ) {
    this.#stop = `${folder}/stop-${crypto.randomUUID()}`;
    const input: HostileInput = {
      ...REPLICATION,
      port,
      kind,
      clients: CLIENTS,
      seconds: ATTACK_SECONDS,
      fileName: log.firstFile,
      stopFile: this.#stop,
      ...limits,
    };
    this.#child = runBenchProgram<HostileResult>("hostile_clients.ts", input);
    // whoever ends it is told
    this.#child.catch(() => {});
  }

  /** Ends it. */
  async end(): Promise<HostileResult & { seconds: number }> {
    await Deno.writeTextFile(this.#stop, "");
    return await this.ended();
  }

  /** Waits until it has ended by itself. */
  async ended(): Promise<HostileResult & { seconds: number }> {
    const result = await this.#child;
    return { ...result, seconds: (performance.now() - this.#start) / 1000 };
  }
}
