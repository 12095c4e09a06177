import { GtidSet } from "../../gtid/gtid_set.ts";
import { type FoundRecords, valueOf } from "./verify_source.ts";

/** The GTIDs from before a log's first file, as far as its records tell. */
export function purgedBefore(
  { head, files }: Pick<FoundRecords, "head" | "files">,
): GtidSet {
  const purged = valueOf(head)?.purged;
  if (purged !== undefined) return GtidSet.decode(purged);
  for (const found of files.values()) {
    const record = valueOf(found);
    if (record === undefined || record.previousGtids.length === 0) break;
    return GtidSet.decode(record.previousGtids);
  }
  return new GtidSet();
}
