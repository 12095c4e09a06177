import { type StoredFile, StoreError } from "./binlog_store.ts";
import type { FileRecord, HeadRecord } from "./block_engine.ts";
import { FileView } from "./file_view.ts";

/**
 * The files of the log up to the head. Records of files behind the head are
 * kept until the head comes to them.
 */
export class VisibleFiles {
  readonly #records = new Map<number, FileRecord>();
  // The files before the one the head is in, which change no more.
  readonly #ended: FileView[] = [];
  #newest: FileView | undefined;
  #all: readonly StoredFile[] | undefined;

  /** The visible files, oldest first. */
  get all(): readonly StoredFile[] {
    return this.#all ??= this.#newest === undefined
      ? []
      : [...this.#ended, this.#newest];
  }

  /** The visible file of that number. */
  get(number: number): StoredFile | undefined {
    const newest = this.#newest;
    if (newest === undefined) return undefined;
    const index = number - newest.number + this.#ended.length;
    return index === this.#ended.length ? newest : this.#ended[index];
  }

  /** The visible file that a block belongs to; undefined before the first. */
  ofBlock(block: number): StoredFile | undefined {
    return this.all.findLast((file) => file.firstBlock <= block);
  }

  /** Takes a record that was committed. */
  note(record: FileRecord): void {
    this.#records.set(record.number, record);
  }

  /**
   * Shows everything up to `head`.
   *
   * @throws {StoreError} `corrupt` when a file's record is missing
   */
  showUpTo(head: HeadRecord): void {
    const newest = this.#newest;
    let number = newest?.number ?? Math.min(...this.#records.keys());
    for (; number < head.fileNumber; number++) {
      this.#ended.push(new FileView(this.#record(number), undefined));
    }
    this.#newest = new FileView(this.#record(head.fileNumber), head);
    this.#all = undefined;
  }

  /** Forgets the oldest file, which has number `number`. */
  purged(number: number): void {
    this.#records.delete(number);
    if (this.#ended[0]?.number === number) this.#ended.shift();
    this.#all = undefined;
  }

  /** Forgets the files after number `number`, which are not visible. */
  cutBack(number: number): void {
    for (const known of [...this.#records.keys()]) {
      if (known > number) this.#records.delete(known);
    }
  }

  #record(number: number): FileRecord {
    const record = this.#records.get(number);
    if (record !== undefined) return record;
    throw new StoreError(
      "corrupt",
      `Cannot read the log: the record of file ${number} is missing`,
    );
  }
}
