import { describeError } from "../../lib/log/describe_error.ts";
import { GtidSet } from "../../lib/gtid/gtid_set.ts";
import { pause } from "../../scripts/demo/pause.ts";
import { freePort } from "../../scripts/test_servers/free_port.ts";
import {
  type Mysql56,
  startMysql56,
} from "../../scripts/test_servers/mysql56.ts";
import { waitUntil } from "../../scripts/test_servers/wait_until.ts";
import { SeededRandom } from "../support/seeded_random.ts";
import {
  binlogsOf,
  executedOf,
  logEndOf,
  TestReplica,
} from "../support/sql_server.ts";
import { CrashError } from "./crash_error.ts";
import { CrashLoad } from "./crash_load.ts";
import type { RoundPlan } from "./crash_plan.ts";
import { type CutKind, FaultProxy } from "./fault_proxy.ts";
import { KingbusChild } from "./kingbus_child.ts";
import { type ProofResult, proveAll, waitUntilHas } from "./proof.ts";
import { Witness } from "./witness.ts";

/** How a {@linkcode CrashSystem} is set up. */
export interface CrashSystemOptions {
  /** Folder of everything in it. */
  readonly folder: string;
  readonly seed: number;
  /** Whether a second replica follows by file and position. */
  readonly positionReplica: boolean;
  /** Ends the waits. */
  readonly signal: AbortSignal;
}

/** The parts of a system. */
interface Parts {
  readonly source: Mysql56;
  readonly replicas: readonly Mysql56[];
  readonly sourceSide: FaultProxy;
  readonly replicaSide: FaultProxy;
  readonly kingbus: KingbusChild;
  readonly kingbusPort: number;
  readonly load: CrashLoad;
  readonly witness: Witness;
  /** What went wrong beside the rounds. */
  readonly faults: readonly unknown[];
}

/** Options of the source: what it sent is on its disk. */
const SOURCE_ARGS = [
  "--sync-binlog=1",
  "--innodb-flush-log-at-trx-commit=1",
  "--max-allowed-packet=64M",
];

/** Options of a replica that survives a crash. */
const REPLICA_ARGS = [
  "--master-info-repository=TABLE",
  "--relay-log-info-repository=TABLE",
  "--relay-log-recovery=1",
  "--slave-net-timeout=3",
  "--max-allowed-packet=64M",
];

/** How long after a fault everything may take to move on, in ms. */
const PROGRESS_MS = 60_000;

/** How long a cut waits for its bytes before it is made with the next one. */
const CUT_PATIENCE_MS = 1_000;

/** So many transactions a replica may be behind before less is written. */
const BEHIND_MAX = 1_500n;
const BEHIND_LOOK_MS = 150;

/** Source, kingbus, replicas, the proxies between them, load and witness. */
export class CrashSystem implements AsyncDisposable {
  readonly #opened: AsyncDisposableStack;
  readonly #parts: Parts;
  readonly #random: SeededRandom;
  readonly #signal: AbortSignal;
  readonly #closing = new AbortController();
  readonly #watching: Promise<void>;
  /** The purge that was asked for last; never rejects. */
  #purge: Promise<void> = Promise.resolve();
  #purgedTo = "";
  /** Files that were purged, as far as kingbus had time to say so. */
  purgedFiles = 0;
  /** What the source had executed at the end of the round before. */
  #lastExecuted = new GtidSet();

  private constructor(
    opened: AsyncDisposableStack,
    parts: Parts,
    options: CrashSystemOptions,
  ) {
    this.#opened = opened;
    this.#parts = parts;
    this.#random = new SeededRandom(options.seed + 200);
    this.#signal = options.signal;
    this.#watching = this.#watchReplicas();
  }

  /** Starts everything, and waits until the witness gets something. */
  static async open(options: CrashSystemOptions): Promise<CrashSystem> {
    await using opened = new AsyncDisposableStack();
    const parts = await openParts(opened, options);
    return new CrashSystem(opened.move(), parts, options);
  }

  /** What is written. */
  get load(): CrashLoad {
    return this.#parts.load;
  }

  /** The kingbus in the middle. */
  get kingbus(): KingbusChild {
    return this.#parts.kingbus;
  }

  /** Who was there all along. */
  get witness(): Witness {
    return this.#parts.witness;
  }

  /** Connections that were cut on purpose. */
  get cuts(): number {
    return this.#parts.sourceSide.cuts + this.#parts.replicaSide.cuts;
  }

  /**
   * Plays a round: the fault, and that everything moves on.
   *
   * @throws {CrashError} when it does not, or something else is wrong
   */
  async play(plan: RoundPlan): Promise<void> {
    const { load, replicaSide, replicas } = this.#parts;
    replicaSide.refusesWhileDown = plan.refusesWhileDown;
    const killsServer = /^kill-(source|replica|all)$/.test(plan.kind);
    try {
      if (killsServer) {
        await load.holdSchemaChanges();
        const executed = await this.#executed();
        for (const replica of replicas) await waitUntilHas(replica, executed);
      }
      await load.begins(plan.load, this.#random);
      await pause(plan.delayMs, this.#signal);
      if (plan.purges) {
        this.#purge = this.#beginPurge(await this.#purgeTarget());
      }
      await this.#inject(plan);
    } finally {
      load.allowSchemaChanges();
    }
    await this.#moveOn();
  }

  /**
   * Holds the load and proves everything; then removes, everywhere, all files
   * but the newest, so that a run of thousands of rounds fits on a disk.
   *
   * @param isLast when true, nothing is removed
   * @throws {CrashError} of what is wrong
   */
  async prove(isLast: boolean): Promise<ProofResult> {
    const { load } = this.#parts;
    await load.hold();
    try {
      const proof = await proveAll(this.#parts);
      if (!isLast) await this.#forget();
      return proof;
    } finally {
      load.goOn();
    }
  }

  /**
   * Ends kingbus in order and has it verify its store.
   *
   * @returns what it printed
   * @throws {CrashError} when something is wrong with the store
   */
  async verify(): Promise<string> {
    const { kingbus } = this.#parts;
    await kingbus.stop();
    const { code, output } = await kingbus.command(
      "verify",
      `--config=${kingbus.config}`,
    );
    if (code === 0) return output;
    throw new CrashError(`kingbus verify ends with ${code}: ${output}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#watching;
    await this.#opened.disposeAsync();
  }

  async #inject(plan: RoundPlan): Promise<void> {
    const { kind } = plan;
    switch (kind) {
      case "kill-kingbus":
      case "kill-kingbus-starting":
        return await this.#killKingbus(plan.startKillsMs);
      case "kill-source":
        return await this.#killSource();
      case "kill-replica":
        return await this.#killReplicas();
      case "kill-all":
        await Promise.all([
          this.#killKingbus([]),
          this.#killSource(),
          this.#killReplicas(),
        ]);
        return;
    }
    const { sourceSide, replicaSide } = this.#parts;
    const [side, what] = kind.split("-") as [string, string];
    const proxy = side === "source" ? sourceSide : replicaSide;
    if (what === "silence") proxy.silence();
    else if (what === "delay") {
      proxy.delayPieces(plan.pieceDelayMs);
      await pause(plan.holdMs, this.#signal);
      proxy.delayPieces(0);
    } else if (what === "stall") {
      const goOn = proxy.hold();
      await pause(plan.holdMs, this.#signal).finally(goOn);
    } else await this.#cut(proxy, what as CutKind, plan.cutAfterBytes);
  }

  /**
   * The first file that is to stay: a third of those that nobody can ask for
   * again goes, so that much is left to be compared.
   */
  async #purgeTarget(): Promise<string> {
    const needed = await this.#oldestNeeded();
    const files = (await binlogsOf(this.#parts.source))
      .map(({ name }) => name)
      .filter((name) => name >= this.#purgedTo && name <= needed);
    this.#purgedTo = files[Math.ceil((files.length - 1) / 3)] ?? needed;
    return this.#purgedTo;
  }

  /** The first file that somebody may ask for again. */
  async #oldestNeeded(): Promise<string> {
    const { replicas, witness } = this.#parts;
    let oldest = witness.place.fileName;
    for (const replica of replicas) {
      // What it was sent and has not applied, a crash makes it ask for again.
      const { Relay_Master_Log_File: applied } = await new TestReplica(replica)
        .state();
      if (applied && applied < oldest) oldest = applied;
    }
    return oldest;
  }

  /** Asks for a purge; kingbus may be killed before it answers. */
  async #beginPurge(to: string): Promise<void> {
    try {
      const response = await fetch(
        `${this.#parts.kingbus.adminUrl}/binlog/purge`,
        {
          method: "PUT",
          body: JSON.stringify({ to }),
          signal: AbortSignal.timeout(PROGRESS_MS),
        },
      );
      const { data } = await response.json();
      this.purgedFiles += data?.removed?.length ?? 0;
    } catch {
      // It was killed, or is not up yet.
    }
  }

  /** Removes all files but the newest; everybody has everything. */
  async #forget(): Promise<void> {
    const { source, replicas, kingbus, witness } = this.#parts;
    const { fileName } = await logEndOf(source);
    const response = await fetch(`${kingbus.adminUrl}/binlog/purge`, {
      method: "PUT",
      body: JSON.stringify({ to: fileName }),
      signal: AbortSignal.timeout(PROGRESS_MS),
    });
    const { data, message } = await response.json();
    if (data?.first_kept !== fileName) {
      throw new CrashError(
        `kingbus was to purge up to ${fileName}, and answered ${message}: ${
          JSON.stringify(data)
        }`,
      );
    }
    this.purgedFiles += data.removed.length;
    this.#purgedTo = fileName;
    for (const server of [source, ...replicas]) {
      const end = await logEndOf(server);
      await server.query(`PURGE BINARY LOGS TO '${end.fileName}'`);
    }
    await witness.forget(fileName);
  }

  async #killKingbus(startKillsMs: readonly number[]): Promise<void> {
    const { kingbus } = this.#parts;
    await kingbus.kill();
    for (const ms of startKillsMs) {
      kingbus.start();
      await pause(ms, this.#signal);
      await kingbus.kill();
    }
    kingbus.start();
  }

  async #killSource(): Promise<void> {
    await this.#parts.source.kill();
    await this.#parts.source.restart();
  }

  async #killReplicas(): Promise<void> {
    await Promise.all(this.#parts.replicas.map(async (replica) => {
      await replica.kill();
      await replica.restart();
      await new TestReplica(replica).resume();
    }));
  }

  async #cut(proxy: FaultProxy, kind: CutKind, bytes: number): Promise<void> {
    if (await within(proxy.cutAfter(kind, bytes), CUT_PATIENCE_MS)) return;
    proxy.disarm();
    // With the next byte, which a heartbeat brings if nothing else does.
    if (await within(proxy.cutAfter(kind, 0), PROGRESS_MS)) return;
    throw new CrashError("Nothing came through the proxy any more");
  }

  /** Waits until everything has moved on from where it was. */
  async #moveOn(): Promise<void> {
    const { source, replicas, kingbus, witness, faults } = this.#parts;
    const [fault] = faults;
    if (fault !== undefined) {
      throw new CrashError(`The load failed: ${describeError(fault)}`, {
        cause: fault,
      });
    }
    await this.#purge;
    const end = await logEndOf(source);
    const executed = await this.#executed();
    try {
      await witness.reached(end, PROGRESS_MS);
    } finally {
      await kingbus.checkLog();
    }
    // What is executed right now is looked for one round later: replicas wait
    // for a second before they connect again.
    for (const replica of replicas) {
      await waitUntilHas(replica, this.#lastExecuted);
    }
    this.#lastExecuted = executed;
  }

  async #executed(): Promise<GtidSet> {
    return GtidSet.parse(await executedOf(this.#parts.source));
  }

  /** Has less written while a replica is far behind. */
  async #watchReplicas(): Promise<void> {
    const { source, replicas, load } = this.#parts;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        const written = GtidSet.parse(await executedOf(source)).count();
        let least = written;
        for (const replica of replicas) {
          const applied = GtidSet.parse(await executedOf(replica)).count();
          if (applied < least) least = applied;
        }
        load.behind = written - least > BEHIND_MAX;
      } catch {
        // One of them has just been killed.
      }
      await pause(BEHIND_LOOK_MS, signal).catch(() => {});
    }
  }
}

async function openParts(
  opened: AsyncDisposableStack,
  options: CrashSystemOptions,
): Promise<Parts> {
  const { folder, seed, signal } = options;
  const start = async (name: string, serverId: number, args: string[]) =>
    opened.use(
      await startMysql56({
        serverId,
        dataDir: `${folder}/${name}`,
        extraArgs: args,
      }),
    );
  const source = await start("source", 5601, SOURCE_ARGS);
  const replicas = [await start("replica", 5602, REPLICA_ARGS)];
  if (options.positionReplica) {
    replicas.push(await start("replica2", 5603, REPLICA_ARGS));
  }
  signal.throwIfAborted();
  const kingbusPort = freePort();
  const sourceSide = opened.use(await FaultProxy.open(source.port));
  const replicaSide = opened.use(await FaultProxy.open(kingbusPort));
  const kingbus = opened.use(
    await KingbusChild.prepare({
      folder: `${folder}/kingbus`,
      sourcePort: sourceSide.port,
      serverPort: kingbusPort,
      adminPort: freePort(),
    }),
  );
  const faults: unknown[] = [];
  const load = opened.use(
    await CrashLoad.begin(source, seed, (error) => faults.push(error)),
  );
  kingbus.start();
  await waitUntil("kingbus was ready", async () => {
    signal.throwIfAborted();
    if (kingbus.fault !== undefined) throw kingbus.fault;
    try {
      const response = await fetch(`${kingbus.adminUrl}/readyz`, { signal });
      await response.body?.cancel();
      return response.ok;
    } catch {
      return false;
    }
  }, { deadlineMs: 2 * PROGRESS_MS, intervalMs: 50 });
  for (const [index, replica] of replicas.entries()) {
    await new TestReplica(replica).start({
      port: replicaSide.port,
      ...(index === 0
        ? {}
        : { from: { fileName: "binlog.000001", position: 4 } }),
    });
  }
  await Deno.mkdir(`${folder}/witness`);
  const witness = opened.use(
    new Witness(`${folder}/witness`, replicaSide.port),
  );
  await witness.reached(await logEndOf(source), PROGRESS_MS);
  return {
    source,
    replicas,
    sourceSide,
    replicaSide,
    kingbus,
    kingbusPort,
    load,
    witness,
    faults,
  };
}

/** Whether a promise resolves in that time. */
async function within(promise: Promise<void>, ms: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
