import type { ChecksumAlgorithm } from "../binlog/checksum.ts";
import type { GtidSet } from "../gtid/gtid_set.ts";
import type { MariadbGtid } from "../gtid/mariadb_gtid.ts";
import type { MariadbGtidState } from "../gtid/mariadb_gtid_state.ts";

/**
 * One binlog file of the log, as the readers see it. Records are immutable:
 * a change makes a new one, so one that was handed out stays what it was.
 */
export interface StoredFile {
  /** Order in the log, from 1, without gaps. Not the number in the name. */
  readonly number: number;
  /** The name the source gave the file, as in `binlog.000042`. */
  readonly name: string;
  /** Number of the file's first block. */
  readonly firstBlock: number;
  /** Position after the last visible event; the file's size in bytes. */
  readonly size: number;
  /** True once the source went on to another file. */
  readonly closed: boolean;
  /** UUID of the server that wrote the file; empty if it has none. */
  readonly serverUuid: string;
  /**
   * The name that server has for the file; after a change of source it may be
   * another one than `name`.
   */
  readonly sourceName: string;
  /**
   * True when the file was put together here after a change of source: of the
   * server's file it holds only what came after what was in the log already, at
   * positions of its own.
   */
  readonly spliced: boolean;
  /**
   * The GTIDs of all earlier files: what the file's Previous_gtids event says;
   * without one, what the log had executed when the file began. Decoded anew
   * at each access.
   */
  readonly previousGtids: GtidSet;
  /**
   * In a log of a MariaDB source, the state of the log before the file: what
   * its Gtid_list event says. Of the oldest file it is what was purged.
   * Undefined where the file has no such event. Decoded anew at each access.
   */
  readonly mariadbStart: MariadbGtidState | undefined;
  /** The file's format description event, as received. */
  readonly formatDescription: Uint8Array;
  /** Whether the file's events end in a checksum. */
  readonly checksumAlgorithm: ChecksumAlgorithm;
  /** Timestamp of the first event that has one, in Unix seconds. */
  readonly firstTimestamp: number;
  /** Timestamp of the newest visible event that has one, in Unix seconds. */
  readonly lastTimestamp: number;
}

/**
 * The visible end of the log: everything before it is durable and made of
 * whole transactions, nothing behind it is ever shown to a reader.
 */
export interface StoreHead {
  /** Counts the moves of the head in this process, from 1; see `waitForHead`. */
  readonly version: number;
  /** Number of the file the head is in. */
  readonly fileNumber: number;
  /** Name of that file. */
  readonly fileName: string;
  /** Position in that file. */
  readonly position: number;
  /**
   * GTIDs of every transaction up to the head, purged ones included. Shared by
   * all who ask: `clone` it to change it.
   */
  readonly executed: GtidSet;
  /**
   * GTIDs of transactions that came before the first file: those from before
   * the log began, and those of files that were purged. With the transactions
   * that can be read they make up `executed`. Shared as well.
   */
  readonly purged: GtidSet;
  /**
   * In a log of a MariaDB source, the state at the head; undefined otherwise,
   * and `executed` and `purged` are empty then. Shared as well.
   */
  readonly mariadb: MariadbGtidState | undefined;
  /**
   * GTID of the newest transaction as text, MariaDB's as `0-1-5`; empty before
   * the first one.
   */
  readonly lastGtid: string;
  /**
   * Timestamp of the newest event that has one, in Unix seconds; 0 before the
   * first. Not the highest one: sessions can set their timestamp to anything.
   */
  readonly lastTimestamp: number;
}

/** What a reader can know of a block without reading it. */
export interface BlockSummary {
  /** Number of the file the block belongs to. */
  readonly fileNumber: number;
  /** Position in the file of the block's first byte. */
  readonly startPosition: number;
  /** Position in the file after the block's last byte. */
  readonly endPosition: number;
  /** Offset in the block of the first event that begins in it; -1 if none. */
  readonly firstEventOffset: number;
  /** Position in the file of that event; `endPosition` if there is none. */
  readonly firstEventPosition: number;
  /** Lowest timestamp that is not 0, in Unix seconds; 0 if there is none. */
  readonly firstTimestamp: number;
  /** Highest timestamp, in Unix seconds. */
  readonly lastTimestamp: number;
  /**
   * True when events begin in the block that belong to no transaction with a
   * GTID: a reader that skips by GTID has to look at them.
   */
  readonly hasControl: boolean;
  /** True when the block's last byte is not an event's last byte. */
  readonly endsInside: boolean;
  /** GTIDs of the transactions that begin in the block. */
  readonly began: GtidSet;
  /** CRC-32 of the block's bytes. */
  readonly checksum: number;
}

/**
 * A run of the framed stream: events as the packets that carry them in a
 * dump. The bytes are shared by every reader and must not be changed; the next
 * call of the reader's `next` may free them.
 */
export interface LogSlice {
  /** The file the run belongs to. */
  readonly file: StoredFile;
  /** Framed bytes; the sequence ids in them mean nothing. */
  readonly bytes: Uint8Array;
}

/**
 * Reads the visible log from a position on. Not for two callers at once; one
 * that is not needed any more is simply let go.
 */
export interface LogReader {
  /** The file the next byte comes from, also when it was purged since. */
  readonly file: StoredFile;
  /**
   * The next run, of one block at most; undefined when the reader stands at
   * the head or at the end of a closed file (see `nextFile`). Its bytes are
   * valid until the next call of `next` on this reader, which may free them:
   * copy what has to stay. Answers without a promise when the bytes are in
   * memory. A promise that nobody awaits may fail without harm.
   *
   * @throws {StoreError} `purged` when the file was removed meanwhile;
   * `corrupt` when a block is missing, `io` when it can't be read, `closed`
   * when the store was closed
   */
  next(): LogSlice | undefined | Promise<LogSlice | undefined>;
  /**
   * The summary of the block the next byte is in, when that block is whole and
   * visible and the reader stands at its start; undefined otherwise.
   *
   * @throws {StoreError} as `next` does
   */
  peek(): BlockSummary | undefined | Promise<BlockSummary | undefined>;
  /** Steps over the block that `peek` described. */
  skip(): void;
  /**
   * Steps into the next file when the head is in a later one and `next` has
   * said that the current one was read to its end; says whether it did.
   *
   * @throws {StoreError} `purged` when both files were removed meanwhile
   */
  nextFile(): boolean;
}

/** How a new file begins. */
export interface FileStart {
  /** The file's name. */
  readonly name: string;
  /** UUID of the server that writes it; empty if it has none. */
  readonly serverUuid: string;
  /** See `StoredFile.sourceName`; `name` when absent. */
  readonly sourceName?: string | undefined;
  /** See `StoredFile.spliced`; false when absent. */
  readonly spliced?: boolean | undefined;
}

/**
 * Appends events to the log. One writer a log, one caller a writer: a call
 * that answers a promise is awaited before the next one.
 *
 * The writer copies what it is given, but whole events only at `endOfInput`,
 * `copyPending` or later: until then the buffers passed to `event` must stay
 * as they are.
 *
 * Nothing becomes visible before `boundary`, and not before the bytes up to
 * it are durable. A crash leaves the log at some boundary whose commit had
 * returned or was under way, never between two. After a commit that failed the
 * writer takes no further one: see `BinlogStore.failure` and `recover`.
 */
export interface LogWriter {
  /** Name of the file being written; empty before the first one. */
  readonly fileName: string;
  /** Position in that file after the last appended byte. */
  readonly position: number;
  /** True while that file is the first one the log ever had. */
  readonly isFirstFile: boolean;
  /**
   * GTIDs of every transaction appended whole, whether durable or not. It is
   * the writer's own and changes under way: `clone` it to keep or change it.
   */
  readonly executed: GtidSet;
  /**
   * As `executed`, in a log of a MariaDB source: its state after the last
   * transaction appended whole. Undefined before the first Gtid_list or
   * MariaDB GTID.
   */
  readonly mariadb: MariadbGtidState | undefined;
  /**
   * Ends the current file, if any, and begins another at position 4. What was
   * appended of a transaction that has not ended stays in its file, and does
   * not count as executed.
   */
  startFile(start: FileStart): void;
  /**
   * Notes the file's format description event, which is its first event and is
   * appended as one, too. There is no boundary behind it: a file becomes
   * visible together with its second event, so that nobody sees one whose
   * previous GTIDs are not known.
   *
   * @param formatDescription the whole event; it is copied
   * @param checksumAlgorithm how the file's events end
   */
  describeFile(
    formatDescription: Uint8Array,
    checksumAlgorithm: ChecksumAlgorithm,
  ): void;
  /**
   * Notes the file's Previous_gtids. For the first file of the log, as long as
   * it has no transaction, these are the purged GTIDs.
   */
  previousGtids(set: GtidSet): void;
  /** Marks the current file as ended: nothing more comes for it. */
  closeFile(): void;
  /**
   * Appends one whole event of at most `BLOCK_BYTES_MAX` framed bytes.
   *
   * @param buffer holds the event's packet
   * @param start offset of the packet's header in `buffer`
   * @param end offset after the packet
   * @param timestamp the event's timestamp in Unix seconds
   * @param control true for an event that belongs to no transaction with a GTID
   * @throws {RangeError} when the packet is larger than a block
   */
  event(
    buffer: Uint8Array,
    start: number,
    end: number,
    timestamp: number,
    control: boolean,
  ): void;
  /**
   * Begins an event that is appended in parts because it is too large.
   *
   * @param timestamp the event's timestamp in Unix seconds
   * @param control true for an event that belongs to no transaction with a GTID
   */
  beginEvent(timestamp: number, control: boolean): void;
  /**
   * Appends a packet header of an event begun with `beginEvent`, which is
   * `buffer[start, end)`: four bytes, and the status byte in the first one. It
   * is never cut by a block's end. Copied at once.
   */
  eventHeader(buffer: Uint8Array, start: number, end: number): void;
  /**
   * Appends `buffer[start, end)` to an event begun with `beginEvent`. Copied at
   * once.
   */
  eventBody(buffer: Uint8Array, start: number, end: number): void;
  /** Notes that the event just appended begins a transaction with a GTID. */
  beginTransaction(uuid: string, tag: string, gno: bigint): void;
  /** As `beginTransaction`, for a transaction with a MariaDB GTID. */
  beginMariadbTransaction(gtid: MariadbGtid): void;
  /**
   * Notes the file's Gtid_list: from here on the log's state is this one. For
   * the first file of the log it is what came before the log.
   */
  mariadbGtidList(state: MariadbGtidState): void;
  /**
   * Notes that the log is between two transactions here.
   *
   * @param ends whether the last event ended one; false for an event that
   * belongs to none. True if absent.
   */
  boundary(ends?: boolean): void;
  /** Copies what is pending, so that the buffers may be reused. */
  copyPending(): void;
  /** Copies what is pending and starts a commit if none is under way. */
  endOfInput(): void;
  /**
   * Undefined when the writer takes more; otherwise a promise that resolves
   * when it does, and rejects when the log can't be written any more.
   */
  ready(): Promise<void> | undefined;
  /**
   * Resolves when everything up to the last boundary is durable and visible.
   *
   * @throws {StoreError} the store's `failure`
   */
  flush(): Promise<void>;
  /**
   * Does a `flush`, then removes everything behind the last boundary, from
   * memory and from disk; the writer goes on there.
   *
   * @throws {StoreError} the store's `failure`
   */
  rollback(): Promise<void>;
}

/** Where a reader begins. */
export interface LogPosition {
  /** Number of the file. */
  readonly fileNumber: number;
  /** Position in the file, 4 or more. */
  readonly position: number;
}

/** How `waitForHead` waits. */
export interface WaitOptions {
  /** Ends the wait with false when it fires. */
  readonly signal?: AbortSignal;
  /** Ends the wait with false after this many milliseconds, at most 24 days. */
  readonly timeoutMs?: number;
}

/** How `purge` removes files. */
export interface PurgeOptions {
  /** Ends the purge between two files when it fires. */
  readonly signal?: AbortSignal;
}

/** What `purge` removed. */
export interface PurgeResult {
  /** The files, as they were, oldest first. */
  readonly files: readonly StoredFile[];
  /** Their sizes added up, in bytes. */
  readonly bytes: number;
}

/** How much of the disk the store takes. */
export interface DiskUse {
  /** Bytes of its files; 0 when it has none. */
  readonly databaseBytes: number;
  /** Bytes inside of them that hold nothing; what is appended takes them first. */
  readonly freeInsideBytes: number;
  /** Bytes of purged files whose removal is under way: not free yet. */
  readonly removingBytes: number;
  /** False while purged files are removed, or their space is given back. */
  readonly settled: boolean;
}

/**
 * The durable log: binlog files from byte 4 on, without holes, and a head
 * that moves from transaction boundary to transaction boundary.
 *
 * Any number of readers, one writer. Durable means on disk: when the head has
 * moved, a crash of the process or of the machine keeps what is before it.
 * Opening takes the writer's lease; a writer that lost it to another process
 * fails at its next commit with `StoreError` of kind `fenced`.
 */
export interface BinlogStore extends AsyncDisposable {
  /** The visible end of the log; undefined while the log is empty. */
  readonly head: StoreHead | undefined;
  /** The visible files, oldest first. */
  readonly files: readonly StoredFile[];
  /** The log's only writer. */
  readonly writer: LogWriter;
  /**
   * Why the log can't be written any more; undefined while it can. What is
   * visible can still be read, except after `close`, when the kind is `closed`
   * whatever went wrong before (that is the `cause`).
   */
  readonly failure: StoreError | undefined;
  /** True once `close` has ended: nothing can be read or waited for any more. */
  readonly closed: boolean;
  /** The visible file of that name; undefined if there is none. */
  fileByName(name: string): StoredFile | undefined;
  /**
   * A reader that begins at `start`.
   *
   * @throws {StoreError} `unknown-file`, `purged`, `position-before-start`,
   * `position-after-end` or `position-inside-event`; `corrupt`, `io` or
   * `closed` when the log can't be read there
   */
  openReader(start: LogPosition): Promise<LogReader>;
  /**
   * The newest file whose previous GTIDs are all in `executed`; undefined
   * when even the oldest file has earlier ones.
   */
  findFile(executed: GtidSet): StoredFile | undefined;
  /**
   * Waits until the head has moved since `version` (0: until there is one).
   * Answers false when the time is up, the signal fired or the store closed;
   * at once if it was closed before.
   */
  waitForHead(version: number, options?: WaitOptions): Promise<boolean>;
  /**
   * Removes the files with numbers below `upTo`, oldest first, but never the
   * one the head is in. Each goes in one commit with which the purged set
   * grows; its bytes are removed from disk later, little by little. Works while
   * the log is written and read: whoever reads a file that goes gets `purged`.
   * A second purge waits for the first.
   *
   * @returns what was removed, also when the signal has ended it early
   * @throws {StoreError} the store's `failure`; `io` or `closed` when it can't
   * be read which GTIDs a file has: then that file stays
   */
  purge(upTo: number, options?: PurgeOptions): Promise<PurgeResult>;
  /**
   * How much of the disk the store takes, and how much of that is free.
   *
   * @throws {StoreError} `io` or `closed`
   */
  diskUse(): Promise<DiskUse>;
  /**
   * Makes a log writable again that failed because of its disk (`full`, `io`):
   * reads anew what is on disk, and drops everything behind the head found
   * there, which is later than `head` was if a commit succeeded unnoticed. The
   * writer goes on there. Does nothing while nothing has failed.
   *
   * @throws {StoreError} the `failure`, when it is of another kind; what fails
   * now, and then everything is as it was
   */
  recover(): Promise<void>;
  /**
   * Counts the calls of `setMeta` that have ended: while it stays the same,
   * what `getMeta` answered is still true.
   */
  readonly metaVersion: number;
  /**
   * A small value kept beside the log, by name; undefined if there is none.
   *
   * @throws {StoreError} `io` or `closed`
   */
  getMeta(name: string): Promise<unknown>;
  /**
   * Keeps a small structured value beside the log; undefined removes it.
   *
   * @throws {StoreError} `fenced`, `io` or `closed`
   */
  setMeta(name: string, value: unknown): Promise<void>;
  /**
   * Makes the last boundary durable, ends all waits and gives the log free for
   * another process. A second call waits for the first.
   *
   * @throws {StoreError} when the last boundary could not be made durable, and
   * no call of the writer has said so yet; the store is closed all the same
   */
  close(): Promise<void>;
}

/**
 * What went wrong with the store:
 * - `unknown-file`, `position-before-start`, `position-after-end` and
 *   `position-inside-event`: there is nothing to read where a reader asked;
 * - `purged`: what a reader asked for was removed from the old end of the log;
 * - `locked`: another process has the store open;
 * - `fenced`: another process has opened the store since;
 * - `format`: what is there is not a store, or one of another version;
 * - `corrupt`: what is there contradicts itself;
 * - `full`: there is no space left on the disk;
 * - `io`: the disk or the database below failed;
 * - `closed`: the store was closed.
 */
export type StoreErrorKind =
  | "unknown-file"
  | "position-before-start"
  | "position-after-end"
  | "position-inside-event"
  | "purged"
  | "locked"
  | "fenced"
  | "format"
  | "corrupt"
  | "full"
  | "io"
  | "closed";

/** An operating fault of the store. */
export class StoreError extends Error {
  /** What kind of fault. */
  readonly kind: StoreErrorKind;

  /**
   * An operating fault of that kind.
   *
   * @param kind what kind of fault
   * @param message what happened, to whom, and what to do
   * @param options the underlying error as `cause`
   */
  constructor(kind: StoreErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StoreError";
    this.kind = kind;
  }
}

/**
 * The most bytes of framed stream in one block. A Deno KV value holds 64 KiB;
 * what is left is room for its encoding.
 */
export const BLOCK_BYTES_MAX = 64_000;

/** Where a binlog file's first event begins: after the magic number. */
export const FIRST_POSITION = 4;
