import { GtidSet } from "../gtid/gtid_set.ts";
import { MariadbGtidState } from "../gtid/mariadb_gtid_state.ts";
import type { StoreHead } from "./binlog_store.ts";
import type { HeadRecord } from "./block_engine.ts";

/** The head as it was committed; its GTID sets are decoded when asked for. */
export class VisibleHead implements StoreHead {
  readonly version: number;
  readonly fileName: string;
  /** What was committed. */
  readonly record: HeadRecord;
  #executed: GtidSet | undefined;
  #purged: GtidSet | undefined;
  #mariadb: MariadbGtidState | undefined;

  /**
   * A head that was just committed.
   *
   * @param version how often the head has moved
   * @param record what was committed
   * @param fileName name of the file it is in
   */
  constructor(version: number, record: HeadRecord, fileName: string) {
    this.version = version;
    this.record = record;
    this.fileName = fileName;
  }

  get fileNumber(): number {
    return this.record.fileNumber;
  }

  get position(): number {
    return this.record.position;
  }

  get executed(): GtidSet {
    return this.#executed ??= GtidSet.decode(this.record.executed);
  }

  get purged(): GtidSet {
    return this.#purged ??= GtidSet.decode(this.record.purged);
  }

  get mariadb(): MariadbGtidState | undefined {
    const { mariadb } = this.record;
    return this.#mariadb ??= mariadb && MariadbGtidState.decode(mariadb);
  }

  get lastGtid(): string {
    return this.record.lastGtid;
  }

  get lastTimestamp(): number {
    return this.record.lastTimestamp;
  }
}
