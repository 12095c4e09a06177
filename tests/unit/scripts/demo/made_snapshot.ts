import { GtidSet } from "../../../../lib/gtid/gtid_set.ts";
import type { Snapshot } from "../../../../scripts/demo/snapshot.ts";

/** UUID of the source in {@linkcode madeSnapshot}. */
export const SOURCE_UUID = "3e11fa47-71ca-11e1-9e33-c80aa9429562";

/** A snapshot that is made up, with what a test wants different. */
export function madeSnapshot(different: Partial<Snapshot> = {}): Snapshot {
  const executed = (last: number): GtidSet =>
    GtidSet.parse(`${SOURCE_UUID}:1-${last}`);
  return {
    phase: "writing",
    elapsedMs: 12_345,
    seconds: 30,
    addresses: {
      source: "127.0.0.1:40001",
      kingbus: "127.0.0.1:40002",
      replica: "127.0.0.1:40003",
    },
    servers: {
      source: executed(2541),
      kingbus: executed(2540),
      file: "binlog.000002",
      position: 482_113,
      storedBytes: 1_234_567,
      storedFiles: 2,
      sentBytes: 1_240_000,
      replica: executed(2539),
      trouble: undefined,
    },
    transactions: 2531,
    rate: 212.4,
    behind: 2,
    lagMs: 3.14,
    recentLag: { count: 100, medianMs: 2.9, p99Ms: 80.2, maxMs: 90 },
    rateHistory: [100, 190, 212],
    lagHistory: [3, 2, 4],
    written: { schemaChanges: 3, large: 1, deadlocks: 0 },
    ...different,
  };
}
