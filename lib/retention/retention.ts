import type { RetentionSettings } from "../config/options.ts";
import { sleep } from "../connection/sleep.ts";
import { describeError } from "../log/describe_error.ts";
import type { Log } from "../log/log.ts";
import {
  countFilesBefore,
  holdBack,
  type LimitName,
  planPurge,
  type PurgePlan,
} from "./plan_purge.ts";
import { describeHold, holdKey, type ReplicaHold } from "./replica_hold.ts";
import type {
  NeededPosition,
  ReplicaNeed,
  ReplicaNeeds,
  SentReplica,
} from "./replica_needs.ts";
import type { StoredFile } from "../store/binlog_store.ts";
import type { RetainedStore } from "./retained_store.ts";
import { RetentionError } from "./retention_error.ts";

/** A connection of the binlog server as far as retention looks at it. */
export interface ConnectedReplica {
  readonly connectionId: string;
  /** `ip:port` it came from. */
  readonly remote: string;
  readonly uuid: string;
  /** Up to where it was sent the log; an empty file before its dump. */
  readonly file: string;
  readonly position: number;
}

/** What retention is made of. */
export interface RetentionParts {
  readonly store: RetainedStore;
  readonly settings: RetentionSettings;
  readonly needs: ReplicaNeeds;
  /** The replicas connected now. */
  readonly connected: () => readonly ConnectedReplica[];
  /** Bytes that can still be written to the disk of the store. */
  readonly freeDisk: () => Promise<number>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly log: Log;
}

/** Which files a purge by hand is to remove: those before a file or a time. */
export type PurgeTarget =
  | { readonly to: string }
  | { readonly beforeMs: number };

/** How a purge by hand is done. */
export interface PurgeOptions {
  /** Removes what replicas still need as well. */
  readonly force?: boolean | undefined;
  /** Removes nothing, but says what would go. */
  readonly dryRun?: boolean | undefined;
}

/** What a purge by hand has removed, or would. */
export interface PurgeOutcome {
  /** The files, oldest first. */
  readonly removed: readonly { readonly name: string; readonly size: number }[];
  /** Their sizes added up. */
  readonly bytes: number;
  /** How many files were asked for, the one being written included. */
  readonly asked: number;
  /** The oldest file that is left; undefined while the log is empty. */
  readonly firstKept: string | undefined;
  /** True when the file being written was asked for too: it always stays. */
  readonly keptActive: boolean;
  /** Who needs `firstKept`, so that it stays; empty if that is not why. */
  readonly heldBy: readonly ReplicaHold[];
}

/** What was removed last by itself or by hand. */
export interface LastPurge {
  readonly at: Date;
  /** The limits that asked for it; none: it was asked for by hand. */
  readonly limits: readonly LimitName[];
  readonly files: number;
  readonly bytes: number;
  /** First and last of the files. */
  readonly first: string;
  readonly last: string;
}

/** What keeps the limits from being kept. */
export interface HeldBack {
  /** The limits that are not kept. */
  readonly limits: readonly LimitName[];
  /** Files that would go, and their bytes. */
  readonly files: number;
  readonly bytes: number;
  /** The replicas because of which they stay, and since when; none: nothing more can go. */
  readonly by: readonly (ReplicaHold & { readonly since: Date })[];
  readonly since: Date;
}

/** How a replica of the configuration stands. */
export interface RetainedReplicaReport extends ReplicaNeed {
  /** Whether it is connected now. */
  readonly connected: boolean;
  /** True when files it needs were removed by force: it holds back nothing. */
  readonly lost: boolean;
}

/** How retention stands. */
export interface RetentionReport {
  readonly settings: RetentionSettings;
  /** When the limits were checked last. */
  readonly checkedAt: Date | undefined;
  /** Why that failed. */
  readonly failure: string | undefined;
  /** How many checks have failed since the process began. */
  readonly failures: number;
  /** Bytes that can still be written; undefined if nobody asks. */
  readonly freeBytes: number | undefined;
  readonly lastPurge: LastPurge | undefined;
  /** Files and bytes removed since the process began. */
  readonly purgedFiles: number;
  readonly purgedBytes: number;
  readonly heldBack: HeldBack | undefined;
  /** What each replica of the configuration needs. */
  readonly replicas: readonly RetainedReplicaReport[];
}

/** How often it is looked whether a file has ended. */
const FILE_CHECK_MS = 1000;

/**
 * Removes what the limits say, continuously, and what it is told to by hand;
 * both only as far as no replica needs it, unless told otherwise.
 */
export class Retention implements AsyncDisposable {
  readonly #parts: RetentionParts;
  readonly #end = new AbortController();
  #running: Promise<void> | undefined;
  /** The last purge or check to have been asked for. */
  #last: Promise<unknown> = Promise.resolve();
  #checkedFile: number | undefined;
  #checkedAt: Date | undefined;
  #failure: string | undefined;
  #failures = 0;
  #freeBytes: number | undefined;
  #lastPurge: LastPurge | undefined;
  #purgedFiles = 0;
  #purgedBytes = 0;
  #heldBack: HeldBack | undefined;
  /** What was said last about what is held back. */
  #saidHeld = "";

  constructor(parts: RetentionParts) {
    this.#parts = parts;
  }

  /** Begins to check the limits, now and from then on. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Ends the checks; what is being removed is ended between two files. */
  async close(): Promise<void> {
    this.#end.abort();
    await this.#running;
    await this.#last;
    await this.#saveNeeds();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Notes what the replicas need now, and removes what the limits say.
   *
   * @throws {StoreError} when the store can't be read or written
   */
  check(): Promise<void> {
    return this.#inTurn(() => this.#check());
  }

  /**
   * Removes files by hand.
   *
   * @throws {RetentionError}
   * @throws {StoreError} when the store can't be read or written
   */
  purge(
    target: PurgeTarget,
    options: PurgeOptions = {},
  ): Promise<PurgeOutcome> {
    return this.#inTurn(() => this.#purge(target, options));
  }

  /** Notes that a replica's dump begins there; kept at once. */
  began(uuid: string, from: NeededPosition): void {
    this.#parts.needs.began(uuid, from);
    this.#saveNeeds();
  }

  /** How it stands. */
  report(): RetentionReport {
    const { settings, needs, connected } = this.#parts;
    // Without declared replicas nobody has to look at all that are connected.
    const uuids = new Set(
      needs.all.length === 0
        ? []
        : connected().map(({ uuid }) => uuid.toLowerCase()),
    );
    return {
      settings,
      checkedAt: this.#checkedAt,
      failure: this.#failure,
      failures: this.#failures,
      freeBytes: this.#freeBytes,
      lastPurge: this.#lastPurge,
      purgedFiles: this.#purgedFiles,
      purgedBytes: this.#purgedBytes,
      heldBack: this.#heldBack,
      replicas: needs.all.map((need) => ({
        ...need,
        connected: uuids.has(need.uuid),
        lost: this.#isLost(need),
      })),
    };
  }

  async #run(): Promise<void> {
    while (!this.#end.signal.aborted) {
      try {
        await this.check();
        this.#failure = undefined;
      } catch (error) {
        this.#fail(describeError(error));
      }
      await this.#untilDue();
    }
  }

  /** Said once: it is tried again and again. */
  #fail(failure: string): void {
    if (this.#end.signal.aborted) return;
    this.#failures++;
    if (failure === this.#failure) return;
    this.#failure = failure;
    this.#parts.log.error("can't check what is to be purged", {
      error: failure,
    });
  }

  /** Waits until the interval is over, or a file has ended. */
  async #untilDue(): Promise<void> {
    const { store, now, settings } = this.#parts;
    const due = now() + settings.checkIntervalMs;
    while (!this.#end.signal.aborted && now() < due) {
      await sleep(Math.min(FILE_CHECK_MS, due - now()), this.#end.signal);
      if (store.head?.fileNumber !== this.#checkedFile) return;
    }
  }

  #inTurn<Result>(step: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(step);
    this.#last = result.catch(() => {});
    return result;
  }

  async #check(): Promise<void> {
    const { store, now, needs } = this.#parts;
    this.#checkedFile = store.head?.fileNumber;
    needs.look(this.#sent());
    await this.#saveNeeds();
    if (!this.#hasLimits() || store.failure !== undefined) return;
    const plan = planPurge({
      files: store.files,
      limits: this.#parts.settings,
      nowMs: now(),
      freeBytes: await this.#measureFree(),
      needs: this.#holds(),
    });
    this.#checkedAt = new Date(now());
    const removed = await this.#remove(plan.upTo, false);
    this.#notePurge(removed, plan.asking);
    this.#noteHeld(plan);
  }

  #hasLimits(): boolean {
    const { bytesMax, ageMaxMs, filesMax, freeDiskBytesMin } =
      this.#parts.settings;
    return [bytesMax, ageMaxMs, filesMax, freeDiskBytesMin].some((limit) =>
      limit !== undefined
    );
  }

  /**
   * What can still be written. What is free inside the database counts: it is
   * used before the database grows, and purging frees nothing else.
   */
  async #measureFree(): Promise<number | undefined> {
    const { store, freeDisk, settings } = this.#parts;
    if (settings.freeDiskBytesMin === undefined) return undefined;
    const [disk, use] = await Promise.all([freeDisk(), store.diskUse()]);
    this.#freeBytes = disk + use.freeInsideBytes + use.removingBytes;
    return this.#freeBytes;
  }

  async #purge(
    target: PurgeTarget,
    { force = false, dryRun = false }: PurgeOptions,
  ): Promise<PurgeOutcome> {
    if (this.#end.signal.aborted) {
      throw new RetentionError("stopping", "kingbus is stopping");
    }
    const { files } = this.#parts.store;
    const asked = this.#countAsked(target);
    const stays = files[Math.min(asked, files.length - 1)];
    const wantedUpTo = stays?.number ?? 0;
    const holds = this.#holds();
    const held = holdBack(files, wantedUpTo, force ? [] : holds);
    const removed = dryRun
      ? files.filter(({ number }) => number < held.upTo)
      : await this.#remove(held.upTo, force);
    if (!dryRun) {
      this.#notePurge(removed, []);
      if (force) this.#sayForced(removed, holds);
    }
    const last = removed.at(-1)?.number ?? (files[0]?.number ?? 1) - 1;
    return {
      removed: removed.map(({ name, size }) => ({ name, size })),
      bytes: bytesOf(removed),
      asked,
      firstKept: files.find(({ number }) => number > last)?.name,
      keptActive: asked > 0 && asked === files.length,
      heldBy: held.heldBy,
    };
  }

  /** How many files, from the oldest on, are to go. */
  #countAsked(target: PurgeTarget): number {
    const { files } = this.#parts.store;
    if ("beforeMs" in target) return countFilesBefore(files, target.beforeMs);
    const name = target.to.replace(/^\.\//, "");
    const asked = files.findIndex((file) => file.name === name);
    if (asked >= 0) return asked;
    const range = files.length === 0
      ? "the log is empty"
      : `the log has ${files[0]!.name} to ${files.at(-1)!.name}`;
    throw new RetentionError(
      "unknown-file",
      `Cannot purge up to ${JSON.stringify(name.slice(0, 255))}: ${range}`,
    );
  }

  /** Removes file by file, as long as nobody new comes to need the next one. */
  async #remove(upTo: number, force: boolean): Promise<StoredFile[]> {
    const { store } = this.#parts;
    const { signal } = this.#end;
    const removed: StoredFile[] = [];
    const going = store.files.filter(({ number }) => number < upTo);
    for (const { number } of going) {
      const isNeeded = !force &&
        this.#holds().some(({ fileNumber }) => fileNumber <= number);
      if (isNeeded || signal.aborted) break;
      const { files } = await store.purge(number + 1, { signal });
      removed.push(...files);
    }
    return removed;
  }

  #sent(): SentReplica[] {
    const { connected, store } = this.#parts;
    return connected().flatMap(({ connectionId, uuid, file, position }) => {
      // From the newest on: most replicas are near the end.
      const fileNumber = store.files.findLast(({ name }) => name === file)
        ?.number;
      if (fileNumber === undefined) return [];
      const at = { fileNumber, fileName: file, position };
      return [{ connectionId, uuid: uuid.toLowerCase(), at }];
    });
  }

  /** Everybody who needs a part of the log. */
  #holds(): ReplicaHold[] {
    const { connected, needs } = this.#parts;
    const remotes = new Map(
      connected().map(({ connectionId, remote }) => [connectionId, remote]),
    );
    const reading = this.#sent().map(({ connectionId, uuid, at }) => ({
      kind: "connected" as const,
      uuid,
      name: remotes.get(connectionId) ?? "",
      connectionId,
      ...at,
    }));
    const declared = needs.all.filter((need) => !this.#isLost(need))
      .map(({ uuid, name, from }) => ({
        kind: "declared" as const,
        uuid,
        name,
        connectionId: undefined,
        ...from ?? { fileNumber: 0, fileName: "", position: 0 },
      }));
    return [...reading, ...declared];
  }

  /** What it needs is gone, by force: keeping the rest does not help it. */
  #isLost({ from }: ReplicaNeed): boolean {
    const oldest = this.#parts.store.files[0]?.number ?? 0;
    return from !== undefined && from.fileNumber < oldest;
  }

  /** Never rejects. */
  async #saveNeeds(): Promise<void> {
    try {
      await this.#parts.needs.save();
    } catch (error) {
      this.#parts.log.warn("can't keep what the replicas need", {
        error: describeError(error),
      });
    }
  }

  #notePurge(
    removed: readonly StoredFile[],
    limits: readonly LimitName[],
  ): void {
    const [first, last] = [removed[0], removed.at(-1)];
    if (first === undefined || last === undefined) return;
    const bytes = bytesOf(removed);
    this.#purgedFiles += removed.length;
    this.#purgedBytes += bytes;
    this.#lastPurge = {
      at: new Date(this.#parts.now()),
      limits,
      files: removed.length,
      bytes,
      first: first.name,
      last: last.name,
    };
    this.#parts.log.info("purged the oldest files of the log", {
      files: removed.length,
      first: first.name,
      last: last.name,
      bytes,
      because_of: limits.length === 0 ? "a purge by hand" : limits.join(", "),
    });
  }

  #sayForced(
    removed: readonly StoredFile[],
    holds: readonly ReplicaHold[],
  ): void {
    const last = removed.at(-1);
    if (last === undefined) return;
    for (const hold of holds) {
      if (hold.fileNumber > last.number) continue;
      this.#parts.log.warn("purged by force what a replica still needed", {
        replica: describeHold(hold),
        last: last.name,
      });
    }
  }

  /** Keeps, and says once, what keeps the limits from being kept. */
  #noteHeld(plan: PurgePlan<ReplicaHold>): void {
    const { store, now, log } = this.#parts;
    if (plan.unkept.length === 0) {
      if (this.#heldBack !== undefined) {
        log.info("the limits of retention are kept again");
      }
      this.#heldBack = undefined;
      this.#saidHeld = "";
      return;
    }
    const before = this.#heldBack;
    const since = new Map(
      before?.by.map((hold) => [holdKey(hold), hold.since]),
    );
    const nowAt = new Date(now());
    const over = store.files.filter(({ number }) => number < plan.wantedUpTo);
    this.#heldBack = {
      limits: plan.unkept,
      files: over.length,
      bytes: bytesOf(over),
      by: plan.heldBy.map((hold) => ({
        ...hold,
        since: since.get(holdKey(hold)) ?? nowAt,
      })),
      since: before?.since ?? nowAt,
    };
    const key = [...plan.unkept, ...plan.heldBy.map(holdKey)].join();
    if (key === this.#saidHeld) return;
    this.#saidHeld = key;
    const first = plan.heldBy[0];
    log.warn(
      first === undefined
        ? "the limits of retention can't be kept: nothing more can be purged"
        : "the limits of retention can't be kept: a replica needs the files",
      {
        limits: plan.unkept.join(", "),
        replica: first && describeHold(first),
        replicas: plan.heldBy.length,
        files: over.length,
        bytes: bytesOf(over),
        what_to_do: first &&
          (first.kind === "connected"
            ? "wait for the replica, or purge by force: kingbus purge --force"
            : "start the replica, take it out of retention.replicas, or purge by force: kingbus purge --force"),
      },
    );
  }
}

function bytesOf(files: readonly { readonly size: number }[]): number {
  return files.reduce((bytes, { size }) => bytes + size, 0);
}
