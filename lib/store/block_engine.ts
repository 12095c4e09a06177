import type { BlockSummary } from "./binlog_store.ts";
import type { ChecksumAlgorithm } from "../binlog/checksum.ts";

/** A binlog file as an engine keeps it. */
export interface FileRecord {
  readonly number: number;
  readonly name: string;
  readonly firstBlock: number;
  /** Final size once closed, else 0: the head says how far an open file goes. */
  readonly size: number;
  readonly closed: boolean;
  readonly serverUuid: string;
  /** Wire form of the GTID set. */
  readonly previousGtids: Uint8Array;
  readonly formatDescription: Uint8Array;
  readonly checksumAlgorithm: ChecksumAlgorithm;
  readonly firstTimestamp: number;
  readonly lastTimestamp: number;
}

/** The head as an engine keeps it: enough to go on after a crash. */
export interface HeadRecord {
  readonly fileNumber: number;
  readonly position: number;
  /** The block the head is in, and the offset in it. */
  readonly block: number;
  readonly offset: number;
  /** Where that block begins; see `BlockSummary`. */
  readonly blockStartPosition: number;
  readonly blockFirstEventOffset: number;
  readonly blockFirstEventPosition: number;
  /** Wire form of the GTID sets. */
  readonly executed: Uint8Array;
  readonly purged: Uint8Array;
  readonly lastGtid: string;
  readonly lastTimestamp: number;
}

/** A whole block on its way to disk. */
export interface BlockWrite {
  readonly number: number;
  readonly bytes: Uint8Array;
  readonly summary: BlockSummary;
}

/** Part of the newest block, which is not whole yet. */
export interface TailPiece {
  readonly block: number;
  /** Pieces of a block count from 0; piece 0 replaces all others. */
  readonly piece: number;
  readonly bytes: Uint8Array;
}

/** One atomic commit: all of it becomes durable, or none. */
export interface EngineBatch {
  readonly blocks: readonly BlockWrite[];
  readonly tail?: TailPiece;
  readonly files: readonly FileRecord[];
  readonly head?: HeadRecord;
  /** Removed: whole blocks from this number on that are not written here. */
  readonly removeBlocksFrom?: number;
  /** Removed: file records with a higher number than this. */
  readonly removeFilesAfter?: number;
}

/** What an engine found when it opened. */
export interface EngineState {
  readonly head: HeadRecord | undefined;
  /** Oldest first, as found; may hold files behind the head. */
  readonly files: readonly FileRecord[];
  /** Bytes of the head's block as far as its pieces go; undefined if whole. */
  readonly tail: Uint8Array | undefined;
  /** How many pieces those are. */
  readonly tailPieces: number;
}

/**
 * What `BlockLog` needs below it: atomic durable commits and block reads.
 * Private to the store; a key-value database or plain memory stands behind it.
 */
export interface BlockEngine {
  /** Takes the writer's lease and reads what is there. */
  load(): Promise<EngineState>;
  /**
   * Makes a batch durable.
   *
   * @throws {StoreError} `fenced` when another writer committed since `load`
   */
  commit(batch: EngineBatch): Promise<void>;
  /** Blocks `first` … `first + count - 1`; those that exist, in order. */
  readBlocks(first: number, count: number): Promise<Uint8Array[]>;
  /** Summaries of those blocks. */
  readSummaries(first: number, count: number): Promise<BlockSummary[]>;
  getMeta(name: string): Promise<unknown>;
  setMeta(name: string, value: unknown): Promise<void>;
  close(): Promise<void>;
}

/** The most bytes of blocks in one commit; Deno KV takes 800 KiB in all. */
export const COMMIT_BYTES_MAX = 12 * 64_000;
