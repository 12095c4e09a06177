import type { BlockSummary } from "../binlog_store.ts";
import type { FileRecord, HeadRecord } from "../block_engine.ts";

/** One thing that is wrong with a store. */
export interface LogFault {
  /** Name of the file it is in; empty when it is in none. */
  readonly file: string;
  /** Position in that file where it begins; undefined when it has none. */
  readonly position: number | undefined;
  /** Number of the block; undefined when it is in none. */
  readonly block: number | undefined;
  /** What is wrong, as a sentence without its full stop. */
  readonly message: string;
}

/** What a store is to hold instead of what was found to be wrong. */
export interface RepairPlan {
  /**
   * Where the log ends after the repair; undefined when not even the first
   * transaction is sound.
   */
  readonly head: HeadRecord | undefined;
  /** Whether that is another head than the one found. */
  readonly movesHead: boolean;
  /** The block that is not whole, which the head may be in; if there is one. */
  readonly tail: Uint8Array | undefined;
  /** Records that have to be written, all of files up to the head's. */
  readonly files: readonly FileRecord[];
  /** Summaries that have to be written, by block. */
  readonly summaries: ReadonlyMap<number, BlockSummary>;
}

/** What `verifyLog` found. */
export interface VerifyReport {
  /** How many files there are. */
  readonly files: number;
  /** How many blocks were looked at. */
  readonly blocks: number;
  /** How many bytes of binlog they hold. */
  readonly bytes: number;
  /** How many events were checked. */
  readonly events: number;
  /** How many transactions with a GTID were checked. */
  readonly transactions: number;
  /** What is wrong, in the order of the log; the first `faultsMax` of it. */
  readonly faults: readonly LogFault[];
  /** How many faults there are in all. */
  readonly faultCount: number;
  /** How to make it right; undefined when nothing is wrong. */
  readonly plan: RepairPlan | undefined;
}
