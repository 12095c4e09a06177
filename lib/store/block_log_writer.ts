import type { ChecksumAlgorithm } from "../binlog/checksum.ts";
import type { GtidSet } from "../gtid/gtid_set.ts";
import type { MariadbGtid } from "../gtid/mariadb_gtid.ts";
import { MariadbGtidState } from "../gtid/mariadb_gtid_state.ts";
import {
  BLOCK_BYTES_MAX,
  type FileStart,
  FIRST_POSITION,
  type LogWriter,
  type StoreError,
} from "./binlog_store.ts";
import { BlockBuilder, builderAtHead } from "./block_builder.ts";
import type { CommitObserver } from "./commit_observer.ts";
import type {
  BlockEngine,
  EngineBatch,
  FileRecord,
  HeadRecord,
} from "./block_engine.ts";
import { FileRecords } from "./file_records.ts";
import { FRAME_BYTES } from "./framing.ts";
import { GroupCommit } from "./group_commit.ts";
import { HeadState } from "./head_state.ts";

/** What the writer tells the log. */
export interface WriterHost {
  /** A block was sealed: it has to stay in memory until it is on disk. */
  sealed(block: BlockBuilder): void;
  /** A commit returned: what it holds is durable, and visible up to its head. */
  committed(batch: EngineBatch): void;
  /** Everything from block `block` on, and after file `file`, is gone. */
  cutBack(block: number, file: number): void;
  /** The bytes of a block before the one under construction. */
  bytes(block: number): Promise<Uint8Array>;
  /** Told of each commit that brought a part of the log to disk. */
  readonly onCommit?: CommitObserver | undefined;
}

/** Where the writer goes on. */
export interface WriterStart {
  /** The durable end of the log; undefined for an empty one. */
  readonly head: HeadRecord | undefined;
  /** The head's file. */
  readonly file: FileRecord | undefined;
  /** What is before the head of the block the head is in, all on disk. */
  readonly kept: Uint8Array;
}

/**
 * The writing half of `BlockLog`: cuts events into blocks, keeps the records of
 * files, and knows where the transaction boundaries are. `GroupCommit` brings
 * all of it to disk.
 */
export class BlockLogWriter implements LogWriter {
  readonly #host: WriterHost;
  readonly #engine: BlockEngine;
  #files!: FileRecords;
  #head!: HeadState;
  #commits!: GroupCommit;
  #position = FIRST_POSITION;
  #block!: BlockBuilder;
  #executed!: GtidSet;
  #mariadb: MariadbGtidState | undefined;
  // Whole events of one buffer that are not copied yet.
  #run: Uint8Array | undefined;
  #runStart = 0;
  #runEnd = 0;
  // The transaction that began last, until its end is seen.
  #openUuid = "";
  #openTag = "";
  #openGno = 0n;
  #openMariadb: MariadbGtid | undefined;
  // The newest boundary appended.
  #boundaryFile = 0;
  #boundaryPosition = 0;
  // The current file: where its second event begins, and the first timestamp.
  #secondPosition = FIRST_POSITION;
  #firstTimestamp = 0;
  #lastTimestamp = 0;
  // What was appended since the writer began: bytes of the files before the
  // current one (less what of that one was there already), and all the rest.
  #bytesBefore = 0;
  #events = 0;
  #transactions = 0;

  /**
   * Goes on where the log ends.
   *
   * @param engine where blocks go
   * @param host told of every block and commit
   * @param start where to go on
   * @throws {StoreError} `corrupt` when the bytes do not end where the head is
   */
  constructor(engine: BlockEngine, host: WriterHost, start: WriterStart) {
    this.#engine = engine;
    this.#host = host;
    this.goOn(start);
  }

  /**
   * Goes on where the log ends on disk, whatever was appended before.
   *
   * @param start where that is
   * @throws {StoreError} `corrupt` when the bytes do not end where the head is
   */
  goOn(start: WriterStart): void {
    const { head, file, kept } = start;
    const host = this.#host;
    this.#files = new FileRecords();
    this.#head = new HeadState(head);
    this.#block = builderAtHead(head, kept);
    this.#commits = new GroupCommit(
      this.#engine,
      {
        growing: () => this.#growing(),
        committed: (batch) => host.committed(batch),
        onCommit: host.onCommit,
      },
      this.#files,
      this.#head,
      { bytes: kept.length, pieces: kept.length > 0 ? 1 : 0 },
    );
    if (file !== undefined) this.#files.committed([file], file.number);
    this.#goOnAt(head);
  }

  /** See `GroupCommit.holdFor`; never rejects. */
  holdFor(work: () => Promise<void>): Promise<void> {
    return this.#commits.holdFor(work);
  }

  get fileName(): string {
    return this.#files.current?.name ?? "";
  }

  get position(): number {
    return this.#position;
  }

  get isFirstFile(): boolean {
    return this.#files.current?.number === 1;
  }

  get executed(): GtidSet {
    return this.#executed;
  }

  get mariadb(): MariadbGtidState | undefined {
    return this.#mariadb;
  }

  /** The block under construction, for readers at the head. */
  get block(): BlockBuilder {
    return this.#block;
  }

  /**
   * Why the newest boundary is not durable, if it is not and no caller has been
   * told.
   */
  get untoldLoss(): StoreError | undefined {
    const head = this.#head.durable;
    const isDurable = this.#boundaryFile === (head?.fileNumber ?? 0) &&
      this.#boundaryPosition === (head?.position ?? 0);
    return isDurable ? undefined : this.#commits.untold;
  }

  /** Why no more can be written; undefined while it can. */
  get failure(): StoreError | undefined {
    return this.#commits.failure;
  }

  startFile(start: FileStart): void {
    const last = this.#files.current;
    if (last !== undefined && !last.closed) this.closeFile();
    this.#flushRun();
    if (this.#block.used > 0) this.#seal(false);
    const number = (last?.number ?? 0) + 1;
    // A transaction that the last file broke off in was none.
    this.#openGno = 0n;
    this.#openMariadb = undefined;
    this.#bytesBefore += this.#position - FIRST_POSITION;
    this.#position = FIRST_POSITION;
    this.#secondPosition = FIRST_POSITION;
    this.#firstTimestamp = 0;
    this.#block = new BlockBuilder({
      number: this.#block.number,
      fileNumber: number,
      position: FIRST_POSITION,
    });
    this.#files.set({
      number,
      name: start.name,
      firstBlock: this.#block.number,
      size: 0,
      closed: false,
      serverUuid: start.serverUuid,
      ...(start.sourceName === undefined || start.sourceName === start.name
        ? {}
        : { sourceName: start.sourceName }),
      ...(start.spliced === true ? { spliced: true } : {}),
      previousGtids: this.#executed.encode(),
      formatDescription: new Uint8Array(0),
      checksumAlgorithm: "none",
      firstTimestamp: 0,
      lastTimestamp: 0,
    });
  }

  describeFile(
    formatDescription: Uint8Array,
    checksumAlgorithm: ChecksumAlgorithm,
  ): void {
    this.#secondPosition = FIRST_POSITION + formatDescription.length;
    this.#files.set({
      ...this.#currentFile(),
      // not `slice`, which does not copy a `Buffer`
      formatDescription: new Uint8Array(formatDescription),
      checksumAlgorithm,
    });
  }

  previousGtids(set: GtidSet): void {
    const file = this.#currentFile();
    this.#files.set({ ...file, previousGtids: set.encode() });
    // What was purged can't change any more once there are transactions.
    if (file.number !== 1 || !this.#executed.equals(this.#head.purged)) return;
    this.#head.startFrom(set);
    this.#executed = set.clone();
  }

  closeFile(): void {
    this.#flushRun();
    const file = this.#currentFile();
    this.#files.set({
      ...file,
      closed: true,
      size: this.#position,
      firstTimestamp: this.#firstTimestamp,
      lastTimestamp: this.#firstTimestamp === 0 ? 0 : this.#lastTimestamp,
    });
  }

  event(
    buffer: Uint8Array,
    start: number,
    end: number,
    timestamp: number,
    control: boolean,
  ): void {
    if (this.#run !== buffer || this.#runEnd !== start) {
      this.#beginRun(buffer, start);
    }
    const pending = this.#runEnd - this.#runStart;
    if (this.#block.used + pending + end - start > BLOCK_BYTES_MAX) {
      this.#sealFor(end - start);
      this.#beginRun(buffer, start);
    }
    const offset = this.#block.used + this.#runEnd - this.#runStart;
    this.#runEnd = end;
    this.#events++;
    this.#block.noteEvent(offset, this.#position, timestamp, control);
    this.#noteTimestamp(timestamp);
    this.#position += end - start - FRAME_BYTES;
  }

  beginEvent(timestamp: number, control: boolean): void {
    this.#flushRun();
    // A large event begins a block of its own, so that its header is whole.
    if (this.#block.used > 0) this.#seal(false);
    this.#events++;
    this.#block.noteEvent(0, this.#position, timestamp, control);
    this.#noteTimestamp(timestamp);
  }

  eventHeader(buffer: Uint8Array, start: number, end: number): void {
    if (this.#block.room < end - start) this.#seal(true);
    this.#block.copy(buffer, start, end);
  }

  eventBody(buffer: Uint8Array, start: number, end: number): void {
    let from = start;
    while (from < end) {
      if (this.#block.room === 0) this.#seal(true);
      const count = Math.min(end - from, this.#block.room);
      this.#block.copy(buffer, from, from + count);
      this.#position += count;
      from += count;
    }
  }

  beginTransaction(uuid: string, tag: string, gno: bigint): void {
    this.#block.noteTransaction(uuid, tag, gno);
    this.#openUuid = uuid;
    this.#openTag = tag;
    this.#openGno = gno;
  }

  beginMariadbTransaction(gtid: MariadbGtid): void {
    this.#openMariadb = gtid;
  }

  mariadbGtidList(state: MariadbGtidState): void {
    const file = this.#currentFile();
    this.#files.set({ ...file, mariadbStart: state.encode() });
    this.#mariadb = state.clone();
    this.#block.noteMariadbList(state);
  }

  boundary(ends = true): void {
    if (ends) this.#transactions++;
    // See `describeFile`.
    if (this.#position <= this.#secondPosition) return;
    const block = this.#block;
    block.boundaryOffset = block.used + this.#runEnd - this.#runStart;
    block.boundaryPosition = this.#position;
    block.boundaryTimestamp = this.#lastTimestamp;
    block.boundaryBytes = this.#bytesBefore + this.#position - FIRST_POSITION;
    block.boundaryEvents = this.#events;
    block.boundaryTransactions = this.#transactions;
    this.#boundaryFile = block.fileNumber;
    this.#boundaryPosition = this.#position;
    if (this.#openMariadb !== undefined) {
      block.noteMariadbEnd(this.#openMariadb);
      this.#mariadb ??= new MariadbGtidState();
      this.#mariadb.add(this.#openMariadb);
      this.#openMariadb = undefined;
    }
    if (this.#openGno === 0n) return;
    block.noteEnd(this.#openUuid, this.#openTag, this.#openGno);
    this.#executed.add(this.#openUuid, this.#openTag, this.#openGno);
    this.#openGno = 0n;
  }

  copyPending(): void {
    this.#flushRun();
  }

  endOfInput(): void {
    this.#flushRun();
    this.#commits.start();
  }

  ready(): Promise<void> | undefined {
    return this.#commits.ready();
  }

  flush(): Promise<void> {
    return this.#commits.flush();
  }

  async rollback(): Promise<void> {
    await this.#commits.flush();
    const found = this.#head.durable;
    if (this.#standsAt(found)) {
      this.#openGno = 0n;
      this.#openMariadb = undefined;
      return;
    }
    const kept = found === undefined
      ? new Uint8Array(0)
      : await this.#bytesUpTo(found);
    // At the same place, but files may have been purged meanwhile.
    const head = this.#head.durable;
    const block = head?.block ?? 0;
    const file = head?.fileNumber ?? 0;
    // Memory first: readers find the head's block there while it is not on disk.
    this.#block = builderAtHead(head, kept);
    this.#goOnAt(head);
    this.#host.cutBack(block, file);
    await this.#commits.goBack(() => ({
      blocks: [],
      files: [],
      ...(head === undefined ? {} : {
        head: this.#head.durable!,
        tail: { block, piece: 0, bytes: kept },
      }),
      removeBlocksFrom: block,
      removeFilesAfter: file,
    }));
    // Once more, for what was read from disk until now.
    this.#host.cutBack(block, file);
  }

  /**
   * Removes the record of the oldest file, and has its GTIDs purged.
   *
   * @param file number of the file; not the one the head is in
   * @param gone GTIDs of its transactions and of those before it
   * @throws {StoreError} `failure`
   */
  purgeFile(file: number, gone: GtidSet): Promise<void> {
    return this.#commits.change(() => ({
      blocks: [],
      files: [],
      head: this.#head.purging(gone),
      removeFile: file,
    }));
  }

  /** Takes no more, because of `error`. */
  stop(error: StoreError): void {
    this.#commits.fail(error);
  }

  #standsAt(head: HeadRecord | undefined): boolean {
    const { number, used } = this.#block;
    if (head === undefined) {
      return this.#files.current === undefined && number === 0 && used === 0;
    }
    return number === head.block && used === head.offset;
  }

  #goOnAt(head: HeadRecord | undefined): void {
    const file = this.#files.goBackTo(head?.fileNumber ?? 0);
    this.#head.goBack();
    this.#executed = this.#head.executed.clone();
    this.#mariadb = this.#head.mariadb?.clone();
    this.#openMariadb = undefined;
    this.#run = undefined;
    this.#openGno = 0n;
    this.#position = head?.position ?? FIRST_POSITION;
    this.#boundaryFile = head?.fileNumber ?? 0;
    this.#boundaryPosition = head?.position ?? 0;
    const { bytes, events, transactions } = this.#commits.counts;
    this.#bytesBefore = bytes - (this.#position - FIRST_POSITION);
    this.#events = events;
    this.#transactions = transactions;
    // Without a file there is nothing a boundary could be in.
    this.#secondPosition = file === undefined
      ? Infinity
      : FIRST_POSITION + file.formatDescription.length;
    this.#firstTimestamp = file?.firstTimestamp ?? 0;
    this.#lastTimestamp = head?.lastTimestamp ?? 0;
    if (file === undefined) return;
    // The end of the file was on disk before all that comes before it was.
    if (file.closed && file.size !== this.#position) {
      this.#files.set({ ...file, closed: false, size: 0, lastTimestamp: 0 });
    }
  }

  async #bytesUpTo(head: HeadRecord): Promise<Uint8Array> {
    const bytes = this.#block.number === head.block
      ? this.#block.bytes()
      : await this.#host.bytes(head.block);
    return bytes.slice(0, head.offset);
  }

  #currentFile(): FileRecord {
    const file = this.#files.current;
    if (file !== undefined) return file;
    throw new TypeError("Cannot write to the log: no file was started");
  }

  /** For the next commit: everything appended so far is in it. */
  #growing(): BlockBuilder {
    this.#flushRun();
    const file = this.#files.current;
    if (file !== undefined && file.firstTimestamp !== this.#firstTimestamp) {
      this.#files.set({ ...file, firstTimestamp: this.#firstTimestamp });
    }
    return this.#block;
  }

  #noteTimestamp(timestamp: number): void {
    if (timestamp === 0) return;
    this.#lastTimestamp = timestamp;
    if (this.#firstTimestamp === 0) this.#firstTimestamp = timestamp;
  }

  #beginRun(buffer: Uint8Array, start: number): void {
    this.#flushRun();
    this.#run = buffer;
    this.#runStart = start;
    this.#runEnd = start;
  }

  #flushRun(): void {
    if (this.#run === undefined) return;
    if (this.#runEnd > this.#runStart) {
      this.#block.copy(this.#run, this.#runStart, this.#runEnd);
    }
    this.#run = undefined;
    this.#runStart = 0;
    this.#runEnd = 0;
  }

  /** Makes room for an event of `bytes` framed bytes in a new block. */
  #sealFor(bytes: number): void {
    if (bytes > BLOCK_BYTES_MAX) {
      throw new RangeError(
        `Cannot append an event of ${bytes} bytes as a whole: more than ${BLOCK_BYTES_MAX} have to come in parts`,
      );
    }
    this.#flushRun();
    this.#seal(false);
  }

  #seal(endsInside: boolean): void {
    const block = this.#block;
    block.seal(this.#position, endsInside);
    this.#commits.add(block);
    this.#block = new BlockBuilder({
      number: block.number + 1,
      fileNumber: block.fileNumber,
      position: this.#position,
    });
    this.#host.sealed(block);
  }
}
