import { crc32 } from "../../binlog/checksum.ts";
import type { GtidSet } from "../../gtid/gtid_set.ts";
import { type BlockSummary, FIRST_POSITION } from "../binlog_store.ts";
import type { FileRecord, HeadRecord } from "../block_engine.ts";
import { describeStored } from "../block_cache.ts";
import { EventAppender } from "../event_appender.ts";
import { blockPlace, openSealed, summaryPlace } from "../sealed_bytes.ts";
import { decodeSummary } from "../summary_codec.ts";
import { compareFile, compareHead, compareSummary } from "./compare_records.ts";
import { FramedEvents } from "./framed_events.ts";
import { beginsFile } from "./begins_file.ts";
import { checkRecords } from "./check_records.ts";
import type { FaultList } from "./fault_list.ts";
import { LogTally, type TalliedFile } from "./log_tally.ts";
import { nextFileName } from "./next_file_name.ts";
import { StoredBlocks } from "./stored_blocks.ts";
import { purgedBefore } from "./purged_before.ts";
import { openFile, RepairDraft } from "./repair_draft.ts";
import { talliedRecord } from "./tallied_record.ts";
import type { VerifyReport } from "./verify_report.ts";
import {
  type FoundRecords,
  valueOf,
  type VerifySource,
} from "./verify_source.ts";

/** What is wrong with the events, where the tally stands. */
class EventFault extends Error {
  override readonly name = "EventFault";
}

/** What the verifying of one log runs with. */
export interface LogVerifierOptions {
  /** Gets what is wrong. */
  readonly faults: FaultList;
  /** See `VerifyOptions.onProgress`. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Ends it with the signal's reason when it fires. */
  readonly signal: AbortSignal | undefined;
  /** The GTIDs from before the first file; what the records say if absent. */
  readonly purged?: GtidSet;
}

/**
 * Goes once through all blocks of a log, in order, from file to file: has the
 * events checked and counted, and compares what is stored beside the blocks with
 * the counts. Where a file can't be followed any more it goes on at the next one
 * whose begin is found. One instance verifies once.
 */
export class LogVerifier {
  readonly #source: VerifySource;
  readonly #stored: StoredBlocks;
  readonly #records: FoundRecords;
  readonly #options: LogVerifierOptions;
  readonly #head: HeadRecord | undefined;
  readonly #purged: GtidSet;
  readonly #tally: LogTally;
  readonly #fileAt = new Map<number, FileRecord>();
  #framed: FramedEvents | undefined;
  // The file under way, if its record is sound.
  #number = 0;
  #record: FileRecord | undefined;
  /** The file's blocks can't be followed any more, or not yet. */
  #isLost = true;
  #total = 0;
  #blocks = 0;
  #bytes = 0;
  #fileCount = 0;
  readonly #faults: FaultList;
  readonly #draft = new RepairDraft();
  #ended: TalliedFile | undefined;

  /**
   * Reads nothing yet.
   *
   * @param records those of `source`
   */
  constructor(
    source: VerifySource,
    records: FoundRecords,
    options: LogVerifierOptions,
  ) {
    this.#source = source;
    this.#stored = new StoredBlocks(source);
    this.#records = records;
    this.#options = options;
    this.#faults = options.faults;
    this.#head = valueOf(records.head);
    for (const found of records.files.values()) {
      const record = valueOf(found);
      if (record === undefined) continue;
      this.#fileAt.set(record.firstBlock, record);
      this.#total += record.size;
    }
    this.#total += this.#head?.position ?? 0;
    this.#purged = options.purged ?? purgedBefore(records);
    this.#tally = new LogTally(this.#purged.clone());
    this.#tally.offsetOfLarge = () => this.#framed?.offset ?? 0;
  }

  /** Whether the head is undamaged and does not fit to the blocks all the same. */
  get headIsSuspect(): boolean {
    return this.#head !== undefined && this.#draft.headIsWrong;
  }

  /**
   * Verifies all of it.
   *
   * @throws {StoreError} when the log can't be read; and the signal's reason
   */
  async run(): Promise<VerifyReport> {
    checkRecords(this.#records, this.#faults, this.#draft);
    const { head, oldestBlock, tail } = this.#records;
    if (head === undefined && oldestBlock === undefined && tail === undefined) {
      return this.#report();
    }
    const first = await this.#firstBlock();
    const last = this.#head?.block ?? Infinity;
    let next = await this.#scan(first, last);
    if (this.#head === undefined && tail !== undefined) {
      this.#takeBlock(next++, undefined, undefined);
    }
    this.#finish();
    // What is counted are events, and files begin with a magic number.
    this.#options.onProgress?.(this.#total, this.#total);
    return this.#report();
  }

  /** The first block that belongs to a file; there may be some before it. */
  async #firstBlock(): Promise<number> {
    const { files, oldestBlock = 0 } = this.#records;
    const oldest = valueOf(files.get(this.#oldestFile()));
    if (oldest === undefined) return oldestBlock;
    const { firstBlock } = oldest;
    const stored = await this.#stored.block(firstBlock);
    const bytes = openSealed(blockPlace(firstBlock), stored);
    const isWrong = bytes !== undefined && !beginsFile(bytes);
    return isWrong ? oldestBlock : firstBlock;
  }

  /** Takes all blocks of a range, or as many as there are; answers the next. */
  async #scan(first: number, last: number): Promise<number> {
    const { signal } = this.#options;
    let at = first;
    let reading = this.#stored.group(at, last);
    while (at <= last) {
      signal?.throwIfAborted();
      const { blocks, summaries, count } = await reading;
      if (last === Infinity && blocks.length === 0) return at;
      // The next ones are read while these are checked.
      reading = this.#stored.group(at + count, last);
      reading.catch(() => {});
      const end = last === Infinity ? at + blocks.length : at + count;
      for (let index = 0; at < end; index++, at++) {
        const lacks = blocks[index] === undefined &&
          (at !== this.#head?.block || this.#records.tail === undefined);
        if (lacks && await this.#wasPurged(at)) continue;
        this.#takeBlock(at, blocks[index], summaries[index]);
        blocks[index]?.buffer.transfer(0);
      }
      if (last === Infinity && blocks.length < count) return at;
      this.#options.onProgress?.(
        Math.min(this.#bytes, this.#total),
        this.#total,
      );
    }
    return at;
  }

  /** Whether the file that a block belongs to went meanwhile: no fault. */
  async #wasPurged(block: number): Promise<boolean> {
    const file = [...this.#fileAt.values()].findLast(({ firstBlock }) =>
      firstBlock <= block
    );
    const oldest = await this.#source.oldestFile();
    if (file === undefined || oldest === undefined || oldest <= file.number) {
      return false;
    }
    this.#isLost = true;
    return true;
  }

  #takeBlock(
    number: number,
    stored: Uint8Array | undefined,
    storedSummary: Uint8Array | undefined,
  ): void {
    const head = this.#head;
    const isHead = number === head?.block ||
      head === undefined && stored === undefined && storedSummary === undefined;
    const fromTail = isHead && stored === undefined;
    const summary = this.#openSummary(number, storedSummary);
    let bytes = fromTail
      ? valueOf(this.#records.tail)
      : openSealed(blockPlace(number), stored);
    this.#beginFileAt(number, bytes, summary);
    this.#blocks++;
    if (bytes === undefined) {
      const { tail } = this.#records;
      const how = fromTail && tail !== undefined && "fault" in tail
        ? tail.fault
        : this.#stored.faultOf(number) ?? describeStored(stored);
      this.#lose(
        `Block ${number} ${how}`,
        this.#isLost ? summary?.startPosition : this.#tally.position,
        number,
      );
      return;
    }
    const isWhole = !fromTail;
    if (isHead && head !== undefined) {
      if (bytes.length < head.offset) {
        this.#draft.distrustHead();
        this.#lose(
          `Block ${number}, which the head is in, has ${bytes.length} bytes, expected at least ${head.offset}`,
          this.#isLost ? undefined : this.#tally.position,
          number,
        );
        return;
      }
      bytes = bytes.subarray(0, head.offset);
    }
    if (this.#isLost) {
      this.#bytes += bytes.length;
      if (isWhole) this.#checkPresent(number, storedSummary, summary);
      return;
    }
    const start = this.#tally.position;
    this.#tally.startBlock(number);
    try {
      this.#framed!.take(bytes);
      this.#bytes += this.#tally.position - start;
    } catch (error) {
      if (!(error instanceof EventFault)) throw error;
      if (isHead) this.#draft.distrustHead();
      this.#lose(error.message, this.#tally.position, number);
      return;
    }
    if (!isWhole || isHead && stored!.length > bytes.length + 4) return;
    const expected = this.#tally.summary(
      crc32(bytes),
      this.#framed!.isInside,
    );
    if (!this.#checkPresent(number, storedSummary, summary)) {
      this.#draft.setSummary(number, expected);
      return;
    }
    for (const message of compareSummary(summary!, expected)) {
      this.#draft.setSummary(number, expected);
      this.#fault(
        `The summary of block ${number} ${message}`,
        expected.startPosition,
        number,
      );
    }
  }

  #openSummary(
    number: number,
    stored: Uint8Array | undefined,
  ): BlockSummary | undefined {
    const bytes = openSealed(summaryPlace(number), stored);
    return bytes === undefined ? undefined : decodeSummary(bytes);
  }

  #checkPresent(
    number: number,
    stored: Uint8Array | undefined,
    summary: BlockSummary | undefined,
  ): boolean {
    if (summary !== undefined) return true;
    this.#fault(
      `The summary of block ${number} ${
        this.#stored.faultOf(number) ?? describeStored(stored)
      }`,
      this.#isLost ? undefined : this.#tally.position,
      number,
    );
    return false;
  }

  /** Begins the next file if it begins in this block. */
  #beginFileAt(
    block: number,
    bytes: Uint8Array | undefined,
    summary: BlockSummary | undefined,
  ): void {
    const byRecord = this.#fileAt.get(block);
    const isInside = this.#framed?.isInside === true && !this.#isLost;
    const byContent = bytes !== undefined && !isInside && beginsFile(bytes);
    if (!byContent) {
      if (byRecord === undefined) {
        // Nothing but a sound summary can tell where both are damaged.
        if (
          bytes !== undefined || summary?.startPosition !== FIRST_POSITION ||
          summary.fileNumber <= this.#number
        ) return;
      } else if (
        bytes !== undefined && !this.#isLost &&
        (isInside || summary?.startPosition !== FIRST_POSITION)
      ) {
        this.#draft.distrustFile(byRecord.number);
        this.#faults.note(
          `The record of file ${byRecord.number} says that ${byRecord.name} begins in block ${block}, which begins in the middle of ${this.#tally.fileName}`,
        );
        return;
      }
    }
    this.#endFile(true);
    const number = byRecord?.number ??
      (this.#number === 0 ? this.#firstNumber(block) : this.#number + 1);
    const record = byRecord ??
      valueOf(this.#records.files.get(number));
    if (record !== undefined && record.firstBlock !== block) {
      this.#draft.distrustFile(number);
      this.#faults.note(
        `The record of file ${number} says that it begins in block ${record.firstBlock}, it begins in block ${block}`,
      );
    }
    const wasLost = this.#isLost;
    const isFirst = this.#number === 0;
    this.#number = number;
    this.#record = record;
    this.#isLost = false;
    this.#fileCount++;
    const following = [...this.#fileAt.values()].find((file) =>
      file.number > number
    );
    const name = record?.name ??
      nextFileName(this.#ended?.name, this.#tally, following?.name);
    this.#tally.beginFile(number, block);
    this.#tally.isFirstFile = isFirst || wasLost;
    // Where the record is lost, that of a neighbour is the best guess.
    const near = record ?? this.#ended ?? following;
    this.#startEvents(name, near?.serverUuid);
  }

  #startEvents(name: string, serverUuid = ""): void {
    const fault = (_kind: string, message: string) => new EventFault(message);
    const appender = new EventAppender(this.#tally, { serverUuid, fault });
    this.#framed = new FramedEvents(appender, fault);
    appender.startFile(name);
  }

  /** The number of the first file, which begins in `block`. */
  #firstNumber(block: number): number {
    const number = this.#oldestFile();
    const record = valueOf(this.#records.files.get(number));
    // Without a head nothing else tells that the oldest one is missing.
    return this.#head === undefined && record !== undefined &&
        record.firstBlock > block
      ? Math.max(1, number - 1)
      : number;
  }

  #oldestFile(): number {
    return this.#records.files.keys().next().value ?? 1;
  }

  /** Compares the file that ends here with its record. */
  #endFile(isWhole: boolean): void {
    if (this.#number === 0) return;
    const file = this.#tally.file();
    this.#ended = file;
    if (this.#isLost) return;
    if (isWhole && this.#framed!.isInside) {
      this.#lose(
        `The file ends inside an event`,
        this.#tally.position,
        undefined,
      );
      return;
    }
    const isFirst = this.#number === this.#oldestFile();
    const record = this.#record;
    this.#checkPrevious(file, isFirst);
    const expected = talliedRecord(
      file,
      record,
      isFirst ? this.#purged : undefined,
    );
    const open = !isWhole && !(record?.closed && record.size === file.size);
    this.#draft.setFile(open ? openFile(expected) : expected);
    if (record === undefined) {
      this.#draft.distrustFile(this.#number);
      return;
    }
    for (const message of compareFile(record, expected, open)) {
      this.#draft.distrustFile(this.#number);
      this.#fault(`The record of file ${this.#number} ${message}`, undefined);
    }
  }

  /** What a file says it follows is what comes before it. */
  #checkPrevious(file: TalliedFile, isFirst: boolean): void {
    const { announced, before } = file;
    if (announced === undefined) return;
    if (isFirst) {
      const unknown = announced.subtract(this.#purged);
      if (unknown.isEmpty) return;
      this.#draft.distrustHead();
      this.#fault(
        `The first file follows transactions that the head does not count as purged: ${unknown}`,
        undefined,
      );
      return;
    }
    const left = before.subtract(announced).subtract(this.#purged);
    if (left.isEmpty) return;
    this.#fault(
      `The file's Previous_gtids lack transactions of earlier files: ${left}`,
      undefined,
    );
  }

  /** After the last block: what the head says. */
  #finish(): void {
    if (this.#number === 0) {
      this.#draft.cutAt(undefined);
      if (this.#faults.count === 0) this.#faults.note("There are no blocks");
      return;
    }
    const head = this.#head;
    const wasLost = this.#isLost;
    if (!wasLost && head !== undefined) {
      if (this.#number !== head.fileNumber) {
        this.#draft.distrustHead();
        this.#faults.note(
          `The head is in file ${head.fileNumber}, its block ${head.block} in file ${this.#number}`,
        );
      } else this.#compareHead(head);
    }
    this.#endFile(false);
  }

  #compareHead(head: HeadRecord): void {
    const expected = this.#tally.head(head.purged);
    if (expected === undefined) {
      this.#draft.distrustHead();
      this.#fault("The head is before the first transaction", head.position);
      return;
    }
    for (const message of compareHead(head, expected, this.#tally)) {
      this.#draft.distrustHead();
      this.#fault(`The head's record ${message}`, head.position, head.block);
    }
  }

  /** The rest of the file can't be followed. */
  #lose(
    message: string,
    position: number | undefined,
    block: number | undefined,
  ): void {
    this.#draft.cutAt(this.#boundary());
    if (!this.#isLost) {
      const file = this.#tally.file();
      this.#ended = file;
      const expected = talliedRecord(
        file,
        this.#record,
        this.#number === this.#oldestFile() ? this.#purged : undefined,
      );
      this.#draft.setFile(expected);
    }
    this.#isLost = true;
    this.#fault(message, position, block);
  }

  #fault(message: string, position: number | undefined, block?: number): void {
    const file = this.#number === 0 ? "" : this.#tally.fileName;
    this.#faults.add({ file, position, block, message });
  }

  /** The newest boundary that the blocks have, as a head's record. */
  #boundary(): HeadRecord | undefined {
    return this.#tally.head(this.#purged.encode());
  }

  #report(): VerifyReport {
    return {
      files: this.#fileCount,
      blocks: this.#blocks,
      bytes: this.#bytes,
      events: this.#tally.events,
      transactions: this.#tally.transactions,
      faults: this.#faults.kept,
      faultCount: this.#faults.count,
      plan: this.#faults.count === 0
        ? undefined
        : this.#draft.plan(this.#records, this.#boundary()),
    };
  }
}
