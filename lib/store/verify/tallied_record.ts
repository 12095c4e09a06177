import { GtidSet } from "../../gtid/gtid_set.ts";
import type { FileRecord } from "../block_engine.ts";
import type { TalliedFile } from "./log_tally.ts";

/**
 * The record that a file is to have.
 *
 * @param file what its blocks say
 * @param found the record it has, for what is in no event; undefined if that is
 * lost
 * @param purged for the first file: the GTIDs from before it
 */
export function talliedRecord(
  file: TalliedFile,
  found: FileRecord | undefined,
  purged: GtidSet | undefined,
): FileRecord {
  const { announced, before, ...rest } = file;
  // The first file's may count what its event lacks: see `EventAppender`.
  const known = found === undefined || found.previousGtids.length === 0
    ? undefined
    : GtidSet.decode(found.previousGtids);
  const keeps = purged !== undefined && known !== undefined &&
    purged.containsSet(known) &&
    known.containsSet(announced ?? new GtidSet());
  const previous = keeps ? known : announced ?? before;
  // These are in no event.
  const { sourceName, spliced } = found ?? {};
  return {
    ...rest,
    ...(sourceName === undefined ? {} : { sourceName }),
    ...(spliced === undefined ? {} : { spliced }),
    previousGtids: previous.encode(),
  };
}
