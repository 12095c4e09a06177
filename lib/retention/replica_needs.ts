import type { RetainedReplica } from "../config/options.ts";
import type { RetainedStore } from "./retained_store.ts";

/** Name under which the store keeps what the replicas need. */
export const REPLICA_NEEDS_META = "retention/replicas";

/** A place in the log that a replica needs the log from. */
export interface NeededPosition {
  readonly fileNumber: number;
  readonly fileName: string;
  readonly position: number;
}

/** What a replica that is kept for needs. */
export interface ReplicaNeed extends RetainedReplica {
  /** Where it goes on; undefined: it was never seen and needs everything. */
  readonly from: NeededPosition | undefined;
  /** When that was noted, in milliseconds since 1970. */
  readonly notedAtMs: number | undefined;
}

/** A replica that is being sent the log. */
export interface SentReplica {
  readonly connectionId: string;
  /** Its server uuid in lower case; empty if it has not said. */
  readonly uuid: string;
  /** Up to where it was sent the log. */
  readonly at: NeededPosition;
}

/** As the store keeps it. */
interface NotedNeed extends NeededPosition {
  readonly notedAtMs: number;
}

/**
 * What the replicas of the configuration need, kept in the store while they
 * are away.
 *
 * The beginning of a dump says it exactly. After that it is what the replica
 * had been sent when it was looked at the time before: what was sent last may
 * still be on its way when a connection breaks.
 */
export class ReplicaNeeds {
  readonly #store: Pick<RetainedStore, "setMeta">;
  readonly #replicas: readonly RetainedReplica[];
  readonly #now: () => number;
  readonly #noted: Map<string, NotedNeed>;
  /** By connection: where it was when it was looked at last. */
  #seen = new Map<string, NeededPosition>();
  #changed: boolean;
  #saving: Promise<void> = Promise.resolve();

  private constructor(
    store: Pick<RetainedStore, "setMeta">,
    replicas: readonly RetainedReplica[],
    now: () => number,
    noted: Map<string, NotedNeed>,
    changed: boolean,
  ) {
    this.#store = store;
    this.#replicas = replicas;
    this.#now = now;
    this.#noted = noted;
    this.#changed = changed;
  }

  /**
   * Reads what is kept. Of a replica that is in the configuration no more
   * nothing is kept on.
   *
   * @param now milliseconds since 1970
   * @throws {StoreError} when the store can't be read
   */
  static async open(
    store: Pick<RetainedStore, "getMeta" | "setMeta">,
    replicas: readonly RetainedReplica[],
    now: () => number,
  ): Promise<ReplicaNeeds> {
    const kept = readNeeds(await store.getMeta(REPLICA_NEEDS_META));
    const noted = new Map(
      [...kept].filter(([uuid]) =>
        replicas.some((replica) => replica.uuid === uuid)
      ),
    );
    const changed = noted.size < kept.size;
    return new ReplicaNeeds(store, replicas, now, noted, changed);
  }

  /** What each replica of the configuration needs. */
  get all(): ReplicaNeed[] {
    return this.#replicas.map((replica) => {
      const noted = this.#noted.get(replica.uuid);
      if (noted === undefined) {
        return { ...replica, from: undefined, notedAtMs: undefined };
      }
      const { notedAtMs, ...from } = noted;
      return { ...replica, from, notedAtMs };
    });
  }

  /** Notes that a replica's dump begins: it needs the log from there. */
  began(uuid: string, from: NeededPosition): void {
    this.#note(uuid.toLowerCase(), from);
  }

  /** Notes how far the connected replicas have come since the last time. */
  look(connected: readonly SentReplica[]): void {
    const seen = new Map<string, NeededPosition>();
    for (const { connectionId, uuid, at } of connected) {
      const before = this.#seen.get(connectionId);
      seen.set(connectionId, at);
      if (before !== undefined) this.#note(uuid, before);
    }
    this.#seen = seen;
  }

  /**
   * Keeps what has changed since the last time.
   *
   * @throws {StoreError} when the store can't; the next call tries again
   */
  save(): Promise<void> {
    const saved = this.#saving.then(() => this.#save());
    this.#saving = saved.catch(() => {});
    return saved;
  }

  async #save(): Promise<void> {
    if (!this.#changed) return;
    this.#changed = false;
    try {
      const needs = Object.fromEntries(this.#noted);
      await this.#store.setMeta(REPLICA_NEEDS_META, needs);
    } catch (error) {
      this.#changed = true;
      throw error;
    }
  }

  #note(uuid: string, from: NeededPosition): void {
    if (!this.#replicas.some((replica) => replica.uuid === uuid)) return;
    const last = this.#noted.get(uuid);
    const isSame = last?.fileNumber === from.fileNumber &&
      last.position === from.position;
    if (isSame) return;
    this.#noted.set(uuid, { ...from, notedAtMs: this.#now() });
    this.#changed = true;
  }
}

/** What is no need, of a version to come or damaged, counts as never seen. */
function readNeeds(value: unknown): Map<string, NotedNeed> {
  const needs = new Map<string, NotedNeed>();
  if (typeof value !== "object" || value === null) return needs;
  for (const [uuid, need] of Object.entries(value)) {
    if (isNeed(need)) needs.set(uuid, need);
  }
  return needs;
}

function isNeed(value: unknown): value is NotedNeed {
  if (typeof value !== "object" || value === null) return false;
  const { fileNumber, fileName, position, notedAtMs } = value as Partial<
    Record<keyof NotedNeed, unknown>
  >;
  return typeof fileNumber === "number" && typeof fileName === "string" &&
    typeof position === "number" && typeof notedAtMs === "number";
}
