import { formatMariadbGtidPosition } from "../gtid/mariadb_gtid_position.ts";
import type { BinlogStore } from "./binlog_store.ts";

/** What a log holds, and what it held, as text. */
export interface ExecutedText {
  /**
   * GTIDs of all transactions up to the head: a GTID set, or of a MariaDB log
   * its state (`@@gtid_binlog_state`). Empty for an empty log.
   */
  readonly executed: string;
  /** Those from before the first file, in the same form. */
  readonly purged: string;
  /**
   * Of a MariaDB log the newest GTID of each domain (`@@gtid_binlog_pos`);
   * absent of any other.
   */
  readonly gtidBinlogPos?: string;
}

/** The GTIDs of a log as text, whatever its source's flavour. */
export function executedText(
  { head, files }: Pick<BinlogStore, "head" | "files">,
): ExecutedText {
  const mariadb = head?.mariadb;
  if (mariadb === undefined) {
    return {
      executed: head?.executed.toString() ?? "",
      purged: head?.purged.toString() ?? "",
    };
  }
  return {
    executed: mariadb.toString(),
    purged: files[0]?.mariadbStart?.toString() ?? "",
    gtidBinlogPos: formatMariadbGtidPosition(mariadb.position()),
  };
}
