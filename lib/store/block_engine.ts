import type { ChecksumAlgorithm } from "../binlog/checksum.ts";

/** A binlog file as an engine keeps it. */
export interface FileRecord {
  /** Order in the log, from 1; see `StoredFile.number`. */
  readonly number: number;
  /** The name the source gave the file. */
  readonly name: string;
  /** Number of the file's first block. */
  readonly firstBlock: number;
  /** Final size once closed, else 0: the head says how far an open file goes. */
  readonly size: number;
  /**
   * True once nothing more comes. May be on disk before the file's last bytes:
   * then `size` is beyond the head, and the file counts as open.
   */
  readonly closed: boolean;
  /** UUID of the server that wrote the file; empty if it has none. */
  readonly serverUuid: string;
  /** The server's name for the file, where it is another one. */
  readonly sourceName?: string;
  /** See `StoredFile.spliced`; absent means no. */
  readonly spliced?: true;
  /** Wire form of the GTID set. */
  readonly previousGtids: Uint8Array;
  /** Encoded state of a MariaDB log before the file; absent without a Gtid_list. */
  readonly mariadbStart?: Uint8Array;
  /** The file's format description event; empty until it came. */
  readonly formatDescription: Uint8Array;
  /** Whether the file's events end in a checksum. */
  readonly checksumAlgorithm: ChecksumAlgorithm;
  /** Timestamp of the first event that has one; 0 until then. */
  readonly firstTimestamp: number;
  /** Timestamp of the newest event that has one, once closed; else 0. */
  readonly lastTimestamp: number;
}

/** The head as an engine keeps it: enough to go on after a crash. */
export interface HeadRecord {
  /** Number of the file the head is in. */
  readonly fileNumber: number;
  /** Position in that file. */
  readonly position: number;
  /** The block the head is in. */
  readonly block: number;
  /** The offset in that block; never 0. */
  readonly offset: number;
  /** Position in the file of that block's first byte. */
  readonly blockStartPosition: number;
  /** Offset in it of the first event that begins there; -1 if none does. */
  readonly blockFirstEventOffset: number;
  /** Position of that event; 0 if there is none. */
  readonly blockFirstEventPosition: number;
  /** Wire form of the GTIDs of every transaction up to the head. */
  readonly executed: Uint8Array;
  /** Wire form of the GTIDs from before the first file. */
  readonly purged: Uint8Array;
  /** Encoded state of a MariaDB log; absent in any other. */
  readonly mariadb?: Uint8Array;
  /** GTID of the newest transaction as text; empty before the first one. */
  readonly lastGtid: string;
  /** Timestamp of the newest event that has one, in Unix seconds. */
  readonly lastTimestamp: number;
}

/** A whole block on its way to disk. */
export interface BlockWrite {
  /** Number of the block. */
  readonly number: number;
  /** Its framed bytes with their seal; see `writeSeal`. */
  readonly bytes: Uint8Array;
  /** Its summary as `encodeSummary` makes it, with a seal as well. */
  readonly summary: Uint8Array;
}

/** Part of the newest block, which is not whole yet. */
export interface TailPiece {
  /** Number of the block. */
  readonly block: number;
  /** Pieces of a block count from 0; piece 0 replaces all others. */
  readonly piece: number;
  /** What it adds to the pieces before it. */
  readonly bytes: Uint8Array;
}

/** One atomic commit: all of it becomes durable, or none. */
export interface EngineBatch {
  /** Blocks that became whole, in order; one replaces its pieces. */
  readonly blocks: readonly BlockWrite[];
  /** A piece of the newest block. */
  readonly tail?: TailPiece;
  /** Records of files, new or changed. */
  readonly files: readonly FileRecord[];
  /** Where the head is from now on; where it was, if absent. */
  readonly head?: HeadRecord;
  /**
   * Removed: whole blocks from this number on, and the pieces of the newest
   * block, as far as they are not written here. Those behind the first of them
   * may go before the rest of the batch is durable: they are behind the head.
   */
  readonly removeBlocksFrom?: number;
  /**
   * Removed: file records with a higher number than this; they may go before
   * the rest of the batch is durable, too.
   */
  readonly removeFilesAfter?: number;
  /** Removed: that whole block. */
  readonly removeBlock?: number;
  /** Removed: the record of that file, the oldest one, because it was purged. */
  readonly removeFile?: number;
}

/** What an engine found when it opened. */
export interface EngineState {
  /** The head; undefined for an empty log. */
  readonly head: HeadRecord | undefined;
  /** Oldest first, as found; may hold files behind the head. */
  readonly files: readonly FileRecord[];
  /** Bytes of the head's block as far as its pieces go; undefined if whole. */
  readonly tail: Uint8Array | undefined;
  /** Number of the oldest whole block; undefined if there is none. */
  readonly oldestBlock: number | undefined;
  /** Number of the newest one, behind the head perhaps. */
  readonly newestBlock: number | undefined;
}

/** See `DiskUse`. */
export interface EngineDiskUse {
  /** Bytes of the files. */
  readonly databaseBytes: number;
  /** Bytes of them that hold nothing. */
  readonly freeInsideBytes: number;
}

/** The reading half of a `BlockEngine`. */
export interface BlockReads {
  /**
   * Blocks `first` … `first + count - 1`, undefined in place of those that do
   * not exist; shorter when the last ones do not. The bytes are the caller's
   * own, who may free them.
   *
   * @throws {StoreError} `io` or `closed`
   */
  readBlocks(
    first: number,
    count: number,
  ): Promise<readonly (Uint8Array | undefined)[]>;
  /** The encoded summaries of those blocks, as `readBlocks` answers. */
  readSummaries(
    first: number,
    count: number,
  ): Promise<readonly (Uint8Array | undefined)[]>;
}

/**
 * What `BlockLog` needs below it: atomic durable commits and block reads.
 * Private to the store; a key-value database or plain memory stands behind it.
 * One commit at a time; reads at any time.
 */
export interface BlockEngine extends BlockReads {
  /**
   * Takes the writer's lease and reads what is there; once more after a commit
   * that failed, which the engine then takes others after.
   *
   * @throws {StoreError} `format`, `corrupt`, `full` or `io`; `fenced` when
   * another writer took the lease since the first time
   */
  load(): Promise<EngineState>;
  /**
   * Makes a batch durable. After a failure nothing is known of the batch, and
   * the engine takes no other before `load`.
   *
   * @throws {StoreError} `fenced` when another writer took the lease since
   * `load`, `io` or `closed`
   */
  commit(batch: EngineBatch): Promise<void>;
  /**
   * Removes blocks `first` … `first + count - 1` and their summaries, all of
   * them or none; also while a commit is under way.
   *
   * @param count `REMOVE_BLOCKS_MAX` at most
   * @throws {StoreError} `fenced`, `io` or `closed`
   */
  removeBlocks(first: number, count: number): Promise<void>;
  /**
   * Gives a little of what is free inside the files back to the disk.
   *
   * @param keepBytes so much may stay, for what is appended next
   * @returns false when there is nothing more to give back
   * @throws {StoreError} `io` or `closed`
   */
  shrink(keepBytes: number): Promise<boolean>;
  /** How much of the disk all of it takes; see `BinlogStore.diskUse`. */
  diskUse(): Promise<EngineDiskUse>;
  /** See `BinlogStore.getMeta`. */
  getMeta(name: string): Promise<unknown>;
  /** See `BinlogStore.setMeta`; also while a commit is under way. */
  setMeta(name: string, value: unknown): Promise<void>;
  /** Lets go of what is below. */
  close(): Promise<void>;
}

/**
 * The most bytes in one commit, counting blocks, summaries and records. Deno
 * KV takes 800 KiB in all, the keys included.
 */
export const COMMIT_BYTES_MAX = 800_000;

/** The most blocks in one commit; Deno KV takes 1000 mutations in all. */
export const COMMIT_BLOCKS_MAX = 200;

/** The most blocks removed in one go, for the same reason. */
export const REMOVE_BLOCKS_MAX = 400;

/**
 * Larger byte strings of records (GTID sets, format descriptions) do not count
 * as part of a commit: an engine keeps them apart from the record.
 */
export const RECORD_STRING_BYTES_MAX = 4_000;

/** The most file records in one commit. */
export const COMMIT_FILES_MAX = 100;

/** The most bytes of file records in one commit. */
export const COMMIT_FILE_BYTES_MAX = 200_000;
