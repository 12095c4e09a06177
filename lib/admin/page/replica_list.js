// @ts-check
/** @import { LiveStatus } from "../live/live_status.ts" */
/** @import { ReplicaStatus } from "../server_status.ts" */

/** All replicas are asked for so often, once somebody looks at all of them. */
const RELOAD_MS = 5_000;

/**
 * The replicas. The stream tells of those furthest behind; all of them are
 * asked for when somebody wants to see them all.
 */
export class ReplicaList {
  #load;
  #now;
  /** @type {readonly ReplicaStatus[] | undefined} */
  #all;
  #loadedAt = -Infinity;
  #isLoading = false;

  /**
   * @param {() => Promise<readonly ReplicaStatus[]>} load asks for all
   * @param {() => number} [now] in milliseconds
   */
  constructor(load, now = () => performance.now()) {
    this.#load = load;
    this.#now = now;
  }

  /**
   * Those that are known now, the newest of each.
   *
   * @param {LiveStatus} status
   * @returns {readonly ReplicaStatus[]}
   */
  rows({ server, replicas }) {
    const { slaves } = server;
    if (slaves.length >= replicas.total) return slaves;
    if (this.#all === undefined) return slaves;
    if (this.#now() - this.#loadedAt > RELOAD_MS) {
      // What came before is shown until there is another answer.
      this.loadAll().catch(() => {});
    }
    const rows = new Map(this.#all.map((row) => [row.connection_id, row]));
    for (const row of slaves) rows.set(row.connection_id, row);
    return [...rows.values()];
  }

  /** Asks for all of them, and goes on doing so. */
  async loadAll() {
    if (this.#isLoading) return;
    this.#isLoading = true;
    this.#loadedAt = this.#now();
    try {
      this.#all = await this.#load();
    } finally {
      this.#isLoading = false;
    }
  }
}
