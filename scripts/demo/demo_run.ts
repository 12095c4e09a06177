import type { ClientConnection } from "../../lib/connection/client_connection.ts";
import type { compareTables } from "./compare_tables.ts";
import { DemoError } from "./demo_error.ts";
import type { DemoOptions } from "./demo_options.ts";
import type { DemoOutput } from "./demo_output.ts";
import type { DemoReport } from "./demo_report.ts";
import type { DemoServers } from "./demo_servers.ts";
import { beatIntervalMs, LagProbe } from "./lag_probe.ts";
import { Pacer } from "./pacer.ts";
import { pause } from "./pause.ts";
import { DATABASE } from "./schema.ts";
import { ServersWatch } from "./servers_watch.ts";
import type { DemoPhase, ServersState } from "./snapshot.ts";
import { SnapshotMaker } from "./snapshot_maker.ts";
import { Workload } from "./workload.ts";

/** What a demo runs with. */
export interface DemoSurroundings {
  readonly output: DemoOutput;
  /** Ends the demo at once; its reason is what the demo then throws. */
  readonly giveUp: AbortSignal;
  /** Ends the writing, as if its time were over. */
  readonly finish: AbortSignal;
  /** Compares what the two servers have. */
  readonly compare: typeof compareTables;
}

/** How long the replica may stand still while it catches up. */
const STALL_MS = 30_000;
/** Time between two looks at a replica that catches up. */
const LOOK_MS = 20;
/** What a timer may be early. */
const REFRESH_SLACK_MS = 50;

/** The part of a demo during which its servers run. */
export class DemoRun {
  readonly #options: DemoOptions;
  readonly #surroundings: DemoSurroundings;
  readonly #servers: DemoServers;
  readonly #broken = new AbortController();
  /** Ends every wait: someone gave up, or something failed in the background. */
  readonly #end: AbortSignal;
  readonly #background: Promise<void>[] = [];
  #phase: DemoPhase = "writing";
  #shownMs = -Infinity;

  constructor(
    options: DemoOptions,
    surroundings: DemoSurroundings,
    servers: DemoServers,
  ) {
    this.#options = options;
    this.#surroundings = surroundings;
    this.#servers = servers;
    this.#end = AbortSignal.any([surroundings.giveUp, this.#broken.signal]);
  }

  /**
   * Writes until it is time to end, lets the replica catch up, and compares.
   *
   * @throws {DemoError} If anything but the comparison fails.
   */
  async run(): Promise<DemoReport> {
    const { kingbus } = this.#servers;
    kingbus.ended.then((code) => {
      const why = `kingbus ended with exit code ${code}`;
      this.#broken.abort(new DemoError(why));
    });
    await using connections = new AsyncDisposableStack();
    const connect = async (role: "source" | "replica") =>
      connections.use(await this.#servers.connect(role));
    try {
      const pacer = new Pacer(this.#options.rate);
      const source = await connect("source");
      const replica = await connect("replica");
      const probe = new LagProbe({
        source: await connect("source"),
        replica: await connect("replica"),
        pacer,
        intervalMs: beatIntervalMs(this.#options.rate),
      });
      const workload = new Workload({
        connect: () => this.#servers.connect("source"),
        pacer,
        random: Math.random,
      });
      const watch = new ServersWatch({ source, replica }, kingbus);
      return await this.#run({ source, replica, probe, workload, watch });
    } catch (error) {
      // what failed first is the cause of what was ended by that
      this.#end.throwIfAborted();
      throw error;
    } finally {
      this.#broken.abort();
      await Promise.all(this.#background);
    }
  }

  async #run(parts: RunParts): Promise<DemoReport> {
    const { probe, workload, watch } = parts;
    const begin = await this.#untilTablesArrived(watch);
    const transactionsBefore = Number(begin.source.count());
    const startMs = performance.now();
    const snapshots = new SnapshotMaker({
      addresses: this.#addresses(),
      seconds: this.#options.seconds,
      tracker: probe.tracker,
      written: () => workload.counts,
      transactionsBefore,
      startMs,
    });
    await this.#write(parts, snapshots, startMs);
    const writtenMs = performance.now() - startMs;
    const state = await this.#untilCaughtUp(watch, snapshots);
    const catchUpMs = performance.now() - startMs - writtenMs;
    const comparison = await this.#compare(parts, state, snapshots);
    return {
      comparison,
      problems: await this.#findProblems(watch, state),
      transactions: Number(state.source.count()) - transactionsBefore,
      writtenMs,
      catchUpMs,
      written: workload.counts,
      lag: probe.tracker.summary(),
      storedBytes: state.storedBytes,
      storedFiles: state.storedFiles,
      sentBytes: state.sentBytes,
      executed: state.source.toString(),
      file: state.file,
      position: state.position,
    };
  }

  async #untilTablesArrived(watch: ServersWatch): Promise<ServersState> {
    const deadlineMs = performance.now() + STALL_MS;
    for (;;) {
      const state = await watch.read(this.#end);
      if (hasAll(state)) return state;
      if (performance.now() > deadlineMs) {
        throw new DemoError(
          `the tables did not reach the replica in ${STALL_MS / 1000} s: ${
            state.trouble ?? "it replicates, but lacks transactions"
          }`,
        );
      }
      await pause(LOOK_MS, this.#end);
    }
  }

  /** Writes for as long as is asked for, and ends what is under way then. */
  async #write(
    { probe, workload, watch }: RunParts,
    snapshots: SnapshotMaker,
    startMs: number,
  ): Promise<void> {
    const { finish, output } = this.#surroundings;
    const endMs = startMs + (this.#options.seconds ?? Infinity) * 1000;
    const stop = new AbortController();
    const writing = this.#startInBackground(
      workload.run(stop.signal, this.#end),
      "cannot write on the source",
    );
    this.#startInBackground(
      probe.run(stop.signal, this.#end),
      "cannot measure the lag",
    );
    const wake = AbortSignal.any([this.#end, finish]);
    for (let nextMs = startMs; nextMs < endMs && !finish.aborted;) {
      this.#show(await watch.read(this.#end), snapshots);
      nextMs = Math.min(nextMs + output.refreshMs, endMs);
      await pause(Math.max(nextMs - performance.now(), 0), wake).catch(() => {
        // told to finish, or the next line throws
      });
      this.#end.throwIfAborted();
    }
    stop.abort();
    await writing;
    this.#end.throwIfAborted();
  }

  async #untilCaughtUp(
    watch: ServersWatch,
    snapshots: SnapshotMaker,
  ): Promise<ServersState> {
    this.#phase = "catching up";
    let arrived = 0n;
    let arrivedMs = performance.now();
    for (;;) {
      const state = await watch.read(this.#end);
      if (hasAll(state)) break;
      this.#show(state, snapshots);
      const count = state.kingbus.count() + state.replica.count();
      if (count > arrived) {
        arrived = count;
        arrivedMs = performance.now();
      }
      if (performance.now() - arrivedMs > STALL_MS) {
        throw new DemoError(describeStall(state));
      }
      await pause(LOOK_MS, this.#end);
    }
    // the probe's last beat is among what has arrived
    await Promise.all(this.#background);
    this.#end.throwIfAborted();
    return await watch.read(this.#end);
  }

  async #compare(
    { source, replica }: RunParts,
    state: ServersState,
    snapshots: SnapshotMaker,
  ): Promise<DemoReport["comparison"]> {
    this.#phase = "comparing";
    this.#shownMs = -Infinity;
    this.#show(state, snapshots);
    const signal = this.#end;
    return await this.#surroundings.compare(
      DATABASE,
      (sql) => source.query(sql, { signal }),
      (sql) => replica.query(sql, { signal }),
    );
  }

  /** Checks that kingbus's head is the source's, its file and position too. */
  async #findProblems(
    watch: ServersWatch,
    state: ServersState,
  ): Promise<string[]> {
    const head = await watch.sourceHead(this.#end);
    const problems: string[] = [];
    if (head.file !== state.file || head.position !== state.position) {
      problems.push(
        `kingbus's head is ${state.file}:${state.position}, the source's is ${head.file}:${head.position}`,
      );
    }
    const sets = { kingbus: state.kingbus, "the replica": state.replica };
    for (const [name, set] of Object.entries(sets)) {
      if (set.equals(state.source)) continue;
      problems.push(
        `${name} has executed "${set}", the source "${state.source}"`,
      );
    }
    return problems;
  }

  #show(state: ServersState, snapshots: SnapshotMaker): void {
    const { output } = this.#surroundings;
    const nowMs = performance.now();
    if (nowMs - this.#shownMs < output.refreshMs - REFRESH_SLACK_MS) return;
    this.#shownMs = nowMs;
    output.show(snapshots.make(this.#phase, state, nowMs));
  }

  #addresses(): { source: string; kingbus: string; replica: string } {
    const { source, kingbus, replica } = this.#servers;
    return {
      source: `127.0.0.1:${source.port}`,
      kingbus: `127.0.0.1:${kingbus.port}`,
      replica: `127.0.0.1:${replica.port}`,
    };
  }

  /** Resolves when the task has ended; its failure ends the run. */
  #startInBackground(task: Promise<void>, failure: string): Promise<void> {
    const settled = task.catch((cause: unknown) => {
      this.#broken.abort(new DemoError(failure, { cause }));
    });
    this.#background.push(settled);
    return settled;
  }
}

/** What takes part in a run. */
interface RunParts {
  /** For the watch, then for the comparison. */
  readonly source: ClientConnection;
  readonly replica: ClientConnection;
  readonly probe: LagProbe;
  readonly workload: Workload;
  readonly watch: ServersWatch;
}

function hasAll({ source, kingbus, replica }: ServersState): boolean {
  return kingbus.containsSet(source) && replica.containsSet(source);
}

function describeStall({ source, kingbus, replica }: ServersState): string {
  const lacking = source.subtract(kingbus);
  const [who, missing] = lacking.isEmpty
    ? ["the replica", source.subtract(replica)]
    : ["kingbus", lacking];
  return `${who} got nothing for ${
    STALL_MS / 1000
  } s, and lacks ${missing.count()} transactions: ${missing}`;
}
