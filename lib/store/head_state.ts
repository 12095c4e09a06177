import { GtidSet } from "../gtid/gtid_set.ts";
import { MariadbGtidState } from "../gtid/mariadb_gtid_state.ts";
import type { BlockBuilder } from "./block_builder.ts";
import type { HeadRecord } from "./block_engine.ts";

const NO_GTIDS = new GtidSet().encode();

/**
 * Where the next commit puts the head: adds up what the blocks of each commit
 * bring. Runs ahead of what is durable by one commit.
 */
export class HeadState {
  #durable: HeadRecord | undefined;
  #executed = new GtidSet();
  #purged = new GtidSet();
  #purgedBytes = NO_GTIDS;
  #mariadb: MariadbGtidState | undefined;
  #lastGtid = "";

  /**
   * The next head is the durable one, as long as nothing comes.
   *
   * @param head what is durable; undefined for an empty log
   */
  constructor(head: HeadRecord | undefined) {
    this.#durable = head;
    this.goBack();
  }

  /** The durable head; undefined while the log is empty. */
  get durable(): HeadRecord | undefined {
    return this.#durable;
  }

  /** The GTIDs of every transaction up to where the next commit puts the head. */
  get executed(): GtidSet {
    return this.#executed;
  }

  /** The GTIDs from before the first file. */
  get purged(): GtidSet {
    return this.#purged;
  }

  /** The state of a MariaDB log where the next commit puts the head. */
  get mariadb(): MariadbGtidState | undefined {
    return this.#mariadb;
  }

  /** Sets what was executed before the first file. */
  startFrom(purged: GtidSet): void {
    this.#purged = purged.clone();
    this.#purgedBytes = purged.encode();
    this.#executed = purged.clone();
  }

  /**
   * The head after a commit that holds all of `blocks`, or the last one up to
   * its newest boundary; undefined if it stays where it is.
   */
  advance(blocks: readonly BlockBuilder[]): HeadRecord | undefined {
    let last: BlockBuilder | undefined;
    for (const block of blocks) {
      if (block.boundaryOffset >= 0) last = block;
      this.#mariadb = block.mariadbAfter(this.#mariadb);
      const { lastGtid } = block;
      if (lastGtid === undefined) continue;
      this.#executed.addSet(block.ended);
      this.#lastGtid = lastGtid;
    }
    if (last === undefined || this.#isDurable(last)) return undefined;
    return this.#headIn(last);
  }

  /**
   * The durable head with more purged GTIDs, as far as they are executed.
   * Between two commits only: see `committed`.
   */
  purging(gone: GtidSet): HeadRecord {
    const head = this.#durable;
    if (head === undefined) {
      throw new TypeError("Cannot purge an empty log");
    }
    const more = gone.intersect(GtidSet.decode(head.executed));
    return { ...head, purged: this.#purged.union(more).encode() };
  }

  /** Forgets everything behind the durable head. */
  goBack(): void {
    const head = this.#durable;
    this.#executed = GtidSet.decode(head?.executed ?? NO_GTIDS);
    this.#purgedBytes = head?.purged ?? NO_GTIDS;
    this.#purged = GtidSet.decode(this.#purgedBytes);
    this.#mariadb = head?.mariadb && MariadbGtidState.decode(head.mariadb);
    this.#lastGtid = head?.lastGtid ?? "";
  }

  /** Notes that `head` is durable. */
  committed(head: HeadRecord): void {
    this.#durable = head;
    if (head.purged === this.#purgedBytes) return;
    this.#purgedBytes = head.purged;
    this.#purged = GtidSet.decode(head.purged);
  }

  /** Whether the head is at the block's boundary: it came there by its pieces. */
  #isDurable(block: BlockBuilder): boolean {
    const head = this.#durable;
    return head?.block === block.number && head.offset === block.boundaryOffset;
  }

  #headIn(block: BlockBuilder): HeadRecord {
    return {
      fileNumber: block.fileNumber,
      position: block.boundaryPosition,
      block: block.number,
      offset: block.boundaryOffset,
      blockStartPosition: block.startPosition,
      blockFirstEventOffset: block.firstEventOffset,
      blockFirstEventPosition: block.firstEventPosition,
      executed: this.#executed.encode(),
      purged: this.#purgedBytes,
      ...(this.#mariadb === undefined
        ? {}
        : { mariadb: this.#mariadb.encode() }),
      lastGtid: this.#lastGtid,
      lastTimestamp: block.boundaryTimestamp,
    };
  }
}
