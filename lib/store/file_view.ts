import type { ChecksumAlgorithm } from "../binlog/checksum.ts";
import { GtidSet } from "../gtid/gtid_set.ts";
import { MariadbGtidState } from "../gtid/mariadb_gtid_state.ts";
import type { StoredFile } from "./binlog_store.ts";
import type { FileRecord, HeadRecord } from "./block_engine.ts";

/** A file's record as readers see it, up to the head. */
export class FileView implements StoredFile {
  readonly #record: FileRecord;
  readonly size: number;
  readonly closed: boolean;
  readonly lastTimestamp: number;

  /**
   * The file up to the head, or all of it.
   *
   * @param record the file as it was committed
   * @param head the visible end, if it is in this file; without it all of the
   * file is visible
   */
  constructor(record: FileRecord, head: HeadRecord | undefined) {
    this.#record = record;
    this.size = head?.position ?? record.size;
    // The end of a file may be on disk before all that comes before it is.
    this.closed = record.closed && record.size === this.size;
    this.lastTimestamp = head === undefined
      ? record.lastTimestamp
      : record.firstTimestamp === 0
      ? 0
      : head.lastTimestamp;
  }

  get number(): number {
    return this.#record.number;
  }

  get name(): string {
    return this.#record.name;
  }

  get firstBlock(): number {
    return this.#record.firstBlock;
  }

  get serverUuid(): string {
    return this.#record.serverUuid;
  }

  get sourceName(): string {
    return this.#record.sourceName ?? this.#record.name;
  }

  get spliced(): boolean {
    return this.#record.spliced === true;
  }

  /** Decoded when asked for: of all files together it can be very much. */
  get previousGtids(): GtidSet {
    const bytes = this.#record.previousGtids;
    return bytes.length === 0 ? new GtidSet() : GtidSet.decode(bytes);
  }

  get mariadbStart(): MariadbGtidState | undefined {
    const bytes = this.#record.mariadbStart;
    return bytes && MariadbGtidState.decode(bytes);
  }

  get formatDescription(): Uint8Array {
    return this.#record.formatDescription;
  }

  get checksumAlgorithm(): ChecksumAlgorithm {
    return this.#record.checksumAlgorithm;
  }

  get firstTimestamp(): number {
    return this.#record.firstTimestamp;
  }
}
