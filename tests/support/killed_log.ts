import { GtidSet } from "../../lib/gtid/gtid_set.ts";
import { numberedUuid } from "./made_log.ts";

/** The n-th transaction that `kv_writer_process.ts` writes. */
export function killedTransaction(count: number): { rows: number[] } {
  return { rows: count % 10 === 9 ? Array(20).fill(60_000) : [40 + count] };
}

/** A set of so many GTIDs that are not next to each other. */
export function scatteredGtids(intervals: number): GtidSet {
  const set = new GtidSet();
  for (let count = 1; count <= intervals; count++) {
    const gno = BigInt(2 * count);
    set.addInterval(numberedUuid(1), "", gno, gno);
  }
  return set;
}
