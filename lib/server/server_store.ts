import type { MariadbGtidState } from "../gtid/mariadb_gtid_state.ts";
import type {
  LogPosition,
  LogReader,
  StoredFile,
} from "../store/binlog_store.ts";

/** What the binlog server reads of a GTID set. */
interface GtidSetText {
  /** See `GtidSet.toLines`. */
  toLines(): string;
}

/**
 * The part of the log that the sessions need: where it ends, which files it
 * has, and the small values kept beside it. A `BinlogStore` is one.
 */
export interface ServerStore {
  /** The visible end of the log; undefined while it is empty. */
  readonly head:
    | {
      readonly fileName: string;
      readonly position: number;
      readonly executed: GtidSetText;
      readonly purged: GtidSetText;
      readonly mariadb?: MariadbGtidState | undefined;
    }
    | undefined;
  /** The visible files, oldest first. */
  readonly files: readonly StoredFile[];
  /** See `BinlogStore.openReader`. */
  openReader(start: LogPosition): Promise<LogReader>;
  /** See `BinlogStore.metaVersion`. */
  readonly metaVersion: number;
  /** A small value kept beside the log, by name; undefined if there is none. */
  getMeta(name: string): Promise<unknown>;
  /** Keeps a small value beside the log. */
  setMeta(name: string, value: unknown): Promise<void>;
}
