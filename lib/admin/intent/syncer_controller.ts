import * as z from "zod";
import {
  ControlError,
  type SyncerChange,
  type SyncerControl,
  type SyncerReport,
  type SyncerStartRequest,
} from "../control.ts";
import { type Address, formatAddress } from "../../config/address.ts";
import { reaches } from "../../config/find_clash.ts";
import type {
  FollowSettings,
  SourceSettings,
  SourceTlsSettings,
} from "../../config/options.ts";
import type { Log } from "../../log/log.ts";
import { FOLLOWED_META } from "../../syncer/candidates.ts";
import type { SourceOptions } from "../../syncer/source_options.ts";
import type { SyncerStatus } from "../../syncer/syncer_status.ts";
import type { AckGateStatus } from "../../semi_sync/ack_gate.ts";
import { changedTls } from "./changed_tls.ts";
import { fingerprintOf } from "./intent.ts";
import { IntentKeeper } from "./intent_keeper.ts";
import { type ReportedStore, reportLog } from "./log_report.ts";
import type { MetaStore } from "./meta_store.ts";
import { Turnstile } from "./turnstile.ts";

/** Name under which the store keeps what the syncer is meant to do. */
export const SYNCER_INTENT_META = "intent/syncer";

/** What the controller steers; a `Syncer` is one. */
export interface SteeredSyncer {
  readonly running: boolean;
  start(options: SourceOptions): Promise<void>;
  stop(): Promise<void>;
  status(): SyncerStatus;
}

/** What the controller is made of. */
export interface SyncerControllerParts {
  readonly syncer: SteeredSyncer;
  readonly store: MetaStore & ReportedStore;
  /** The configuration's source, if it names one. */
  readonly configured: SourceSettings | undefined;
  readonly follow: FollowSettings;
  /** Who this node is towards replicas. */
  readonly own: { readonly serverId: string; readonly uuid: string };
  readonly nodeName: string;
  /** Where this node itself listens: no source is there. */
  readonly ownAddresses: () => readonly Address[];
  /** How it stands with the replicas that are waited for. */
  readonly gate?: () => AckGateStatus;
  readonly log: Log;
}

/** Whom to follow: what the admin API can set. */
type SyncerTarget = Omit<SourceSettings, "semiSync"> & {
  /** Absent where it is off, as in what older versions kept. */
  readonly semiSync?: true | undefined;
  /** In the place of the configuration's; absent unless it was changed. */
  readonly tls?: SourceTlsSettings | undefined;
  /** As `tls`. */
  readonly heartbeatMs?: number | undefined;
};

const ADDRESS = z.object({ hostname: z.string(), port: z.number() });

const TARGET: z.ZodType<SyncerTarget> = z.object({
  address: ADDRESS,
  user: z.string(),
  password: z.string(),
  serverId: z.number().optional().transform((value) => value),
  uuid: z.string().optional().transform((value) => value),
  start: z.string(),
  semiSync: z.literal(true).optional(),
  candidates: z.array(ADDRESS).default([]),
  heartbeatMs: z.number().optional(),
  tls: z.object({
    mode: z.enum([
      "disabled",
      "preferred",
      "required",
      "verify-ca",
      "verify-identity",
    ]),
    files: z.object({
      certificate: z.string().optional(),
      key: z.string().optional(),
      ca: z.string().optional(),
    }),
  }).optional(),
});

const START_BY_DEFAULT = "oldest";
/** MySQL's own port. */
const PORT_BY_DEFAULT = 3306;

/**
 * Starts and stops the syncer, keeps what was asked for in the store, and at a
 * start resumes it (see `chooseIntent()` for what wins).
 */
export class SyncerController implements SyncerControl {
  readonly #parts: SyncerControllerParts;
  readonly #intent: IntentKeeper<SyncerTarget>;
  readonly #turnstile = new Turnstile();

  private constructor(
    parts: SyncerControllerParts,
    intent: IntentKeeper<SyncerTarget>,
  ) {
    this.#parts = parts;
    this.#intent = intent;
  }

  /** Reads what the syncer is meant to do; `resume()` then does it. */
  static async open(parts: SyncerControllerParts): Promise<SyncerController> {
    const { configured, store, log } = parts;
    const target = configured && targetOf(configured);
    const { keeper, replaced } = await IntentKeeper.open(
      store,
      SYNCER_INTENT_META,
      TARGET,
      {
        run: target !== undefined,
        target,
        fingerprint: fingerprintOf(target),
      },
    );
    if (replaced !== undefined) {
      log.info(
        "the configuration's source has changed, so it is used in the place of the last one",
        { source: addressOf(target), last: addressOf(replaced.target) },
      );
    }
    return new SyncerController(parts, keeper);
  }

  /** Runs the syncer if that is what it is meant to do. */
  resume(): Promise<void> {
    return this.#turnstile.pass(async () => {
      const { run, target } = this.#intent;
      if (run && target !== undefined) await this.#follow(target);
    });
  }

  start(request: SyncerStartRequest | undefined): Promise<void> {
    return this.#turnstile.pass(async () => {
      const { syncer, store } = this.#parts;
      if (syncer.running && this.#isFollowed(request?.address)) {
        throw new ControlError(
          "conflict",
          "kingbus: server already started: stop the syncer first, or give the address of another source to change to it",
        );
      }
      const target = this.#targetFor(request);
      this.#checkTarget(target);
      if (syncer.running) await syncer.stop();
      try {
        // Who names a source wants that one, not the candidate followed last.
        if (request !== undefined) {
          await store.setMeta(FOLLOWED_META, undefined);
        }
        await this.#follow(target);
        await this.#intent.note(true, target);
      } catch (cause) {
        await syncer.stop();
        throw new ControlError(
          "unavailable",
          "the store can't keep that the syncer is started, so it is not",
          { cause },
        );
      }
    });
  }

  stop(): Promise<void> {
    return this.#turnstile.pass(async () => {
      await this.#parts.syncer.stop();
      await this.#intent.note(false, this.#intent.target);
    });
  }

  change(change: SyncerChange): Promise<void> {
    return this.#turnstile.pass(async () => {
      const { syncer, store } = this.#parts;
      if (syncer.running) {
        throw new ControlError("conflict", "the syncer is running: stop it");
      }
      const target = this.#changedTarget(change);
      this.#checkTarget(target);
      try {
        await store.setMeta(FOLLOWED_META, undefined);
        await this.#intent.note(this.#intent.run, target);
      } catch (cause) {
        throw new ControlError(
          "unavailable",
          "the store can't keep which source to follow, so it stays",
          { cause },
        );
      }
    });
  }

  /** Ends the syncer with the process: a restart resumes it. */
  close(): Promise<void> {
    return this.#turnstile.pass(() => this.#parts.syncer.stop());
  }

  report(): SyncerReport {
    const status = this.#parts.syncer.status();
    const target = this.#intent.target ?? this.#configuredTarget();
    return {
      wanted: this.#intent.run,
      state: status.state,
      cause: status.cause,
      reason: status.reason,
      faultAt: status.faultAt,
      since: status.since,
      attempts: status.attempts,
      nextAttemptAt: status.nextAttemptAt,
      connectedAt: status.connectedAt,
      heardAt: status.heardAt,
      target: target && {
        address: formatAddress(target.address),
        user: target.user,
        serverId: target.serverId ?? this.#ownServerId(),
        uuid: target.uuid ?? this.#parts.own.uuid,
      },
      source: sourceOf(status),
      semiSync: {
        wanted: target?.semiSync ?? false,
        link: status.semiSync,
        gate: this.#parts.gate?.(),
      },
      candidates: status.candidates ?? [],
      tls: target?.tls ?? this.#parts.follow.tls,
      heartbeatMs: target?.heartbeatMs ?? this.#parts.follow.heartbeatMs,
      sourceFile: status.sourceFile,
      sourcePosition: status.sourcePosition,
      secondsBehind: status.secondsBehind,
      bytesBehind: status.bytesBehind,
      log: reportLog(this.#parts.store),
    };
  }

  #configuredTarget(): SyncerTarget | undefined {
    const { configured } = this.#parts;
    return configured && targetOf(configured);
  }

  /** Whether that server, or any if none is named, is followed already. */
  #isFollowed(address: Address | undefined): boolean {
    const followed = this.#parts.syncer.status().source?.address;
    return address === undefined || formatAddress(address) === followed;
  }

  #targetFor(request: SyncerStartRequest | undefined): SyncerTarget {
    const last = this.#intent.target ?? this.#configuredTarget();
    if (request !== undefined) {
      const start = request.start ?? this.#parts.configured?.start ??
        START_BY_DEFAULT;
      const semiSync = request.semiSync ?? this.#parts.configured?.semiSync;
      return targetOf({
        ...request,
        start,
        candidates: request.candidates ?? this.#candidatesFor(request),
        semiSync: semiSync ?? false,
      });
    }
    if (last !== undefined) return last;
    throw new ControlError(
      "invalid",
      "there is no source to follow: give mysql_addr, mysql_user and mysql_password",
    );
  }

  /** The configured candidates, where the account is theirs too. */
  #candidatesFor(
    { user, password }: Pick<SyncerStartRequest, "user" | "password">,
  ): readonly Address[] {
    const { configured } = this.#parts;
    return configured?.user === user && configured.password === password
      ? configured.candidates
      : [];
  }

  /** The target with what is given in the place of what was. */
  #changedTarget(change: SyncerChange): SyncerTarget {
    const last = this.#intent.target ?? this.#configuredTarget();
    const hostname = change.hostname ?? last?.address.hostname;
    if (hostname === undefined) {
      throw new ControlError(
        "invalid",
        "there is no source to follow yet: name its host",
      );
    }
    const request = {
      address: {
        hostname,
        port: change.port ?? last?.address.port ?? PORT_BY_DEFAULT,
      },
      user: change.user ?? last?.user ?? "",
      password: change.password ?? last?.password ?? "",
    };
    const { configured } = this.#parts;
    const isSame = last !== undefined &&
      formatAddress(last.address) === formatAddress(request.address);
    const { follow } = this.#parts;
    const tls = change.tls === undefined
      ? last?.tls
      : changedTls(last?.tls ?? follow.tls, change.tls);
    const heartbeatMs = change.heartbeatMs ?? last?.heartbeatMs;
    if (heartbeatMs !== undefined && heartbeatMs >= follow.readTimeoutMs) {
      throw new ControlError(
        "invalid",
        `a heartbeat has to come before source.read-timeout of the configuration (${follow.readTimeoutMs} ms) is over`,
      );
    }
    const target = targetOf({
      serverId: last?.serverId,
      uuid: last?.uuid,
      start: last?.start ?? configured?.start ?? START_BY_DEFAULT,
      semiSync: last?.semiSync ?? configured?.semiSync ?? false,
      ...request,
      // those of another server are not this one's
      candidates: isSame ? last.candidates : this.#candidatesFor(request),
    });
    return {
      ...target,
      ...tls === undefined ? {} : { tls },
      ...heartbeatMs === undefined ? {} : { heartbeatMs },
    };
  }

  #checkTarget({ address, candidates, serverId }: SyncerTarget): void {
    const { own, ownAddresses } = this.#parts;
    for (const one of [address, ...candidates]) {
      if (!ownAddresses().some((listen) => reaches(one, listen))) continue;
      throw new ControlError(
        "invalid",
        `${one === address ? "mysql_addr" : "candidates"}: ${
          formatAddress(one)
        } is kingbus itself`,
      );
    }
    if (String(serverId) === own.serverId) {
      throw new ControlError(
        "invalid",
        `syncer_id: ${serverId} is the server id replicas see: take another one`,
      );
    }
  }

  async #follow(target: SyncerTarget): Promise<void> {
    const { syncer, follow, own, nodeName } = this.#parts;
    await syncer.start({
      ...target.address,
      user: target.user,
      password: target.password,
      serverId: target.serverId ?? this.#ownServerId(),
      uuid: target.uuid ?? own.uuid,
      name: nodeName,
      start: target.start,
      semiSync: target.semiSync ?? false,
      candidates: target.candidates,
      ...follow,
      ...target.tls === undefined ? {} : { tls: target.tls },
      ...target.heartbeatMs === undefined
        ? {}
        : { heartbeatMs: target.heartbeatMs },
    });
  }

  /** Another id than replicas see, and as durable: its neighbour. */
  #ownServerId(): number {
    const neighbour = (Number(this.#parts.own.serverId) ^ 1) >>> 0;
    return neighbour === 0 ? 2 : neighbour;
  }
}

function addressOf(target: SyncerTarget | undefined): string {
  return target === undefined ? "none" : formatAddress(target.address);
}

function targetOf({ semiSync, ...target }: SourceSettings): SyncerTarget {
  return semiSync ? { ...target, semiSync } : target;
}

function sourceOf({ source }: SyncerStatus): SyncerReport["source"] {
  if (source === undefined || source.version === "") return undefined;
  const { serverId, uuid, version, tls, compression } = source;
  return { serverId, uuid, version, tls, compression };
}
