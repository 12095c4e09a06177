import type { Log } from "../log/log.ts";
import { BinlogServerError } from "./binlog_server_error.ts";
import type { DumpHandler } from "./dump_handler.ts";
import type { ServerProgress } from "./dump_progress.ts";
import type { LogPurger } from "./log_purger.ts";
import { formatAddress } from "../config/address.ts";
import { listenAdvice } from "../config/listen_advice.ts";
import { type RefusalCounts, RefusalLog } from "./refusal_log.ts";
import type { ReplicaStatus } from "./replica_status.ts";
import { systemEnvironment } from "./server_environment.ts";
import { loadOwnIdentity } from "./server_identity.ts";
import type { ServerOptions } from "./server_options.ts";
import { RunTotals, type TotalCounts } from "./run_totals.ts";
import {
  type AcknowledgingState,
  ServerRun,
  STATEMENT_COUNTERS,
} from "./server_run.ts";
import { ServiceCounters } from "./service_counters.ts";
import type { SourceControl } from "./source_control.ts";
import type { ServerStore } from "./server_store.ts";
import type { ServerEnvironment } from "./session_host.ts";

/** What the binlog server is made of. */
export interface BinlogServerParts {
  readonly store: ServerStore;
  readonly dumpHandler: DumpHandler;
  /** Removes files of the log; without it nobody can by SQL. */
  readonly purger?: LogPurger | undefined;
  /** Starts, stops and changes the source; without it nobody can by SQL. */
  readonly sourceControl?: SourceControl | undefined;
  /** How it stands with the replicas that are waited for, if any are. */
  readonly acknowledging?: (() => AcknowledgingState) | undefined;
  readonly log: Log;
  /** The system's when absent. */
  readonly environment?: ServerEnvironment;
}

/** How the server stands. */
export interface BinlogServerStatus {
  readonly state: "running" | "stopped";
  /** Address listened on, "ip:port" or "[ip]:port"; empty when stopped. */
  readonly listen: string;
  /** Clients connected, replicas or not. */
  readonly connections: number;
  /** Clients refused since the process began, by reason. */
  readonly refusals: RefusalCounts;
  /** Connected replicas, in the order they came. */
  readonly replicas: ReplicaStatus[];
}

/**
 * Accepts replicas and other clients and serves each in a session of its own.
 *
 * A replica that dumps a second time, told by its server uuid or, if it gave
 * none, by its server id, ends its older dump.
 */
export class BinlogServer {
  readonly #parts: BinlogServerParts;
  readonly #environment: ServerEnvironment;
  readonly #refusals: RefusalLog;
  readonly #service = new ServiceCounters();
  readonly #totals = new RunTotals(STATEMENT_COUNTERS);
  #run: ServerRun | undefined;
  #starting = false;
  /** Resolves when the latest run has ended. */
  #stopped: Promise<void> = Promise.resolve();

  constructor(parts: BinlogServerParts) {
    this.#parts = parts;
    this.#environment = parts.environment ?? systemEnvironment();
    this.#refusals = new RefusalLog(
      parts.log,
      () => this.#environment.nowMs(),
    );
  }

  /** Whether it listens. */
  get running(): boolean {
    return this.#run !== undefined;
  }

  /**
   * Starts to listen.
   *
   * @throws {BinlogServerError} `already-running` or `listen`
   */
  async start(options: ServerOptions): Promise<void> {
    if (this.#run !== undefined || this.#starting) {
      throw new BinlogServerError(
        "already-running",
        "Binlog server is running already",
      );
    }
    this.#starting = true;
    try {
      const environment = this.#environment;
      const own = await loadOwnIdentity(this.#parts.store, {
        serverId: options.serverId,
        randomUuid: () => environment.randomUuid(),
        randomU32: () => u32Of(environment.randomBytes(4)),
      });
      this.#run = new ServerRun({
        ...this.#parts,
        environment,
        refusals: this.#refusals,
        service: this.#service,
        own,
        listener: listen(options),
      }, options);
      this.#totals.began(this.#run);
    } finally {
      this.#starting = false;
    }
  }

  /**
   * Stops listening, ends every dump between two events and closes every
   * connection; what does not end within the drain timeout is cut off.
   */
  async stop(): Promise<void> {
    const run = this.#run;
    if (run !== undefined) {
      this.#run = undefined;
      this.#stopped = run.stop().finally(() => this.#totals.ended(run));
    }
    await this.#stopped;
    this.#refusals.flush();
  }

  /** How much was sent; cheap enough to be asked every second. */
  progress(): ServerProgress {
    return {
      bytesSent: this.#totals.now().bytesSent,
      dumps: this.#run?.dumps() ?? [],
    };
  }

  /**
   * Ends the connection of a replica; it may connect again. Resolves when it is
   * gone, with what it was, or with undefined if there is no such replica.
   */
  async kick(connectionId: number): Promise<ReplicaStatus | undefined> {
    return await this.#run?.kick(connectionId);
  }

  /** What was counted since the process began. */
  get counters(): Readonly<ServiceCounters> {
    return this.#service;
  }

  /** What all runs have counted since the process began. */
  totals(): TotalCounts {
    return this.#totals.now();
  }

  /** Clients connected, and those refused: what `status` has of all of them. */
  connectionCounts(): Pick<BinlogServerStatus, "connections" | "refusals"> {
    return {
      connections: this.#run?.connections ?? 0,
      refusals: this.#refusals.counts,
    };
  }

  /** How the server stands. */
  status(): BinlogServerStatus {
    return {
      state: this.running ? "running" : "stopped",
      listen: this.#run?.listen ?? "",
      ...this.connectionCounts(),
      replicas: this.#run?.replicaStatuses() ?? [],
    };
  }
}

function listen({ hostname, port }: ServerOptions): Deno.TcpListener {
  try {
    return Deno.listen({ hostname, port });
  } catch (cause) {
    throw new BinlogServerError(
      "listen",
      `Cannot listen on ${formatAddress({ hostname, port })}${
        listenAdvice(cause, "server.listen")
      }`,
      { cause },
    );
  }
}

function u32Of(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}
