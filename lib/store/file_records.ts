import {
  COMMIT_FILE_BYTES_MAX,
  COMMIT_FILES_MAX,
  type FileRecord,
  RECORD_STRING_BYTES_MAX,
} from "./block_engine.ts";

/** What a file record takes besides its GTIDs and format description. */
const RECORD_BYTES = 400;

/**
 * The writer's file records, from when they change until they are durable. A
 * record goes out with the first commit after it changed, which may be before
 * the file's bytes; the log's head tells what of it counts.
 */
export class FileRecords {
  #current: FileRecord | undefined;
  // Changed since the last commit, by number and ascending.
  readonly #changed = new Map<number, FileRecord>();
  // As they are on disk: the head's file and those behind the head.
  readonly #durable = new Map<number, FileRecord>();

  /** The file being written; undefined before the first one. */
  get current(): FileRecord | undefined {
    return this.#current;
  }

  /** True when there are records that no commit has taken yet. */
  get hasChanges(): boolean {
    return this.#changed.size > 0;
  }

  /** Makes `record` the current file's. */
  set(record: FileRecord): void {
    this.#current = record;
    this.#changed.set(record.number, record);
  }

  /** Takes records for the next commit, oldest first, as many as fit. */
  take(): FileRecord[] {
    const taken: FileRecord[] = [];
    let bytes = 0;
    for (const record of this.#changed.values()) {
      bytes += recordBytes(record);
      if (
        taken.length > 0 &&
        (bytes > COMMIT_FILE_BYTES_MAX || taken.length === COMMIT_FILES_MAX)
      ) break;
      taken.push(record);
    }
    for (const record of taken) this.#changed.delete(record.number);
    return taken;
  }

  /** Notes that `records` are durable, and the head is in file `headFile`. */
  committed(records: readonly FileRecord[], headFile: number): void {
    for (const record of records) this.#durable.set(record.number, record);
    for (const number of this.#durable.keys()) {
      if (number < headFile) this.#durable.delete(number);
    }
  }

  /** Goes back to file `number`, 0 for none, as it is on disk. */
  goBackTo(number: number): FileRecord | undefined {
    this.#changed.clear();
    for (const known of [...this.#durable.keys()]) {
      if (known > number) this.#durable.delete(known);
    }
    this.#current = this.#durable.get(number);
    return this.#current;
  }
}

/** About how many bytes of a commit a record takes. */
export function recordBytes(record: FileRecord): number {
  return RECORD_BYTES + record.name.length +
    (record.sourceName?.length ?? 0) +
    Math.min(record.previousGtids.length, RECORD_STRING_BYTES_MAX) +
    Math.min(record.mariadbStart?.length ?? 0, RECORD_STRING_BYTES_MAX) +
    Math.min(record.formatDescription.length, RECORD_STRING_BYTES_MAX);
}
