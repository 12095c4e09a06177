import * as z from "zod";
import {
  ControlError,
  type KickedReplica,
  type ServerControl,
  type ServerReport,
  type ServerStartRequest,
} from "../control.ts";
import { type Address, formatAddress } from "../../config/address.ts";
import type { Account, ServerSettings } from "../../config/options.ts";
import { RIGHTS_BY_DEFAULT } from "../../config/right.ts";
import { describeError } from "../../log/describe_error.ts";
import type { Log } from "../../log/log.ts";
import type { BinlogServerStatus } from "../../server/binlog_server.ts";
import type { ReplicaStatus } from "../../server/replica_status.ts";
import type { ServerTls } from "../../server/server_tls.ts";
import type { ServerOptions } from "../../server/server_options.ts";
import { fingerprintOf } from "./intent.ts";
import { IntentKeeper } from "./intent_keeper.ts";
import { lagSeconds } from "../live/lag_seconds.ts";
import type { ReplicaRates } from "../live/replica_rates.ts";
import { bytesBehind, type ReportedStore, reportLog } from "./log_report.ts";
import type { MetaStore } from "./meta_store.ts";
import { Turnstile } from "./turnstile.ts";

/** Name under which the store keeps what the binlog server is meant to do. */
const SERVER_INTENT_META = "intent/server";

/** What the controller steers; a `BinlogServer` is one. */
export interface SteeredServer {
  readonly running: boolean;
  start(options: ServerOptions): Promise<void>;
  stop(): Promise<void>;
  /** See `BinlogServer.kick`. */
  kick(connectionId: number): Promise<ReplicaStatus | undefined>;
  status(): BinlogServerStatus;
}

/** What the controller is made of. */
export interface ServerControllerParts {
  readonly server: SteeredServer;
  readonly store: MetaStore & ReportedStore;
  readonly configured: ServerSettings;
  /** How clients may come over TLS; undefined if they may not. */
  readonly tls?: ServerTls | undefined;
  /** Name of this node, which replicas see as its host name. */
  readonly nodeName: string;
  /** What replicas are sent a second; 0 for every one when absent. */
  readonly rates?: Pick<ReplicaRates, "rateOf"> | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly log: Log;
}

/** What the admin API can put in the place of the configuration's values. */
interface ServerTarget {
  readonly listen: Address | undefined;
  readonly account: Omit<Account, "rights"> | undefined;
}

const TARGET: z.ZodType<ServerTarget> = z.object({
  listen: z.object({ hostname: z.string(), port: z.number() }).optional()
    .transform((value) => value),
  account: z.object({ name: z.string(), password: z.string() }).optional()
    .transform((value) => value),
});

/**
 * Starts and stops the binlog server, keeps what was asked for in the store,
 * and at a start resumes it (see `chooseIntent()` for what wins).
 */
export class ServerController implements ServerControl {
  readonly #parts: ServerControllerParts;
  readonly #intent: IntentKeeper<ServerTarget>;
  readonly #turnstile = new Turnstile();
  #reason: string | undefined;

  private constructor(
    parts: ServerControllerParts,
    intent: IntentKeeper<ServerTarget>,
  ) {
    this.#parts = parts;
    this.#intent = intent;
  }

  /** Reads what the server is meant to do; `resume()` then does it. */
  static async open(parts: ServerControllerParts): Promise<ServerController> {
    const { store, configured, log } = parts;
    const { listen, users } = configured;
    const { keeper, replaced } = await IntentKeeper.open(
      store,
      SERVER_INTENT_META,
      TARGET,
      {
        run: true,
        target: undefined,
        fingerprint: fingerprintOf({ listen, users }),
      },
    );
    if (replaced?.run === false || replaced?.target !== undefined) {
      log.info(
        "the configuration's server has changed, so it is used in the place of what the admin API was told",
        { listen: formatAddress(listen) },
      );
    }
    return new ServerController(parts, keeper);
  }

  /** Where it listens, or would. */
  get listen(): Address {
    return this.#intent.target?.listen ?? this.#parts.configured.listen;
  }

  /** Names of the accounts replicas can log in with. */
  get users(): string[] {
    return this.#accounts(this.#intent.target).map(({ name }) => name);
  }

  /**
   * Runs the server if that is what it is meant to do.
   *
   * @throws {ControlError} `unavailable` when it can't listen.
   */
  resume(): Promise<void> {
    return this.#turnstile.pass(async () => {
      if (this.#intent.run) await this.#serve(this.#intent.target);
    });
  }

  start(request: ServerStartRequest | undefined): Promise<void> {
    return this.#turnstile.pass(async () => {
      const { server } = this.#parts;
      if (server.running) {
        throw new ControlError(
          "conflict",
          "kingbus: server already started: stop it first",
        );
      }
      await this.#serve(request);
      try {
        await this.#intent.note(true, request);
      } catch (cause) {
        await server.stop();
        throw new ControlError(
          "unavailable",
          "the store can't keep that the server is started, so it is not",
          { cause },
        );
      }
    });
  }

  stop(): Promise<void> {
    return this.#turnstile.pass(async () => {
      await this.#parts.server.stop();
      this.#reason = undefined;
      await this.#intent.note(false, this.#intent.target);
    });
  }

  async kick(connectionId: string): Promise<KickedReplica | undefined> {
    const { server, log } = this.#parts;
    const replica = await server.kick(Number(connectionId));
    if (replica !== undefined) {
      log.info("a replica was disconnected by an operator; it may come again", {
        connection: replica.connectionId,
        remote: replica.remote,
        user: replica.user,
        replicaServerId: replica.serverId,
        replicaUuid: replica.uuid,
      });
    }
    return replica;
  }

  /** Ends the server with the process: a restart resumes it. */
  close(): Promise<void> {
    return this.#turnstile.pass(() => this.#parts.server.stop());
  }

  report(): ServerReport {
    const { server, store, rates, now } = this.#parts;
    const status = server.status();
    const nowMs = now();
    const behind = bytesBehind(store);
    return {
      wanted: this.#intent.run,
      state: status.state,
      reason: this.#reason,
      listen: status.listen === "" ? formatAddress(this.listen) : status.listen,
      users: this.users,
      replicas: status.replicas.map((replica) => ({
        ...replica,
        lagBytes: behind(replica.file, replica.position),
        lagSeconds: lagSeconds(replica, nowMs),
        bytesPerSecond: rates?.rateOf({
          connectionId: Number(replica.connectionId),
          bytesSent: Number(replica.bytesSent),
        }, nowMs - replica.connectedAt.getTime()) ?? 0,
      })),
      log: reportLog(store),
    };
  }

  #accounts(target: ServerTarget | undefined): readonly Account[] {
    const account = target?.account;
    return account === undefined
      ? this.#parts.configured.users
      : [{ ...account, rights: RIGHTS_BY_DEFAULT }];
  }

  async #serve(target: ServerTarget | undefined): Promise<void> {
    const { server, configured, nodeName } = this.#parts;
    const listen = target?.listen ?? configured.listen;
    try {
      await server.start({
        ...listen,
        accounts: this.#accounts(target),
        identity: configured.identity,
        serverId: configured.serverId,
        version: configured.version,
        machineName: nodeName,
        semiSync: configured.semiSync
          ? {
            replicas: configured.waitForReplicas,
            timeoutMs: configured.waitTimeoutMs,
          }
          : undefined,
        tls: this.#parts.tls,
        compression: configured.compression,
        connectionsMax: configured.connectionsMax,
        loginTimeoutMs: configured.loginTimeoutMs,
      });
      this.#reason = undefined;
    } catch (cause) {
      this.#reason = describeError(cause);
      throw new ControlError("unavailable", "the binlog server can't start", {
        cause,
      });
    }
  }
}
