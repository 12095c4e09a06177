import { appendingSuite } from "./suite/appending.ts";
import { durabilitySuite } from "./suite/durability.ts";
import { gtidSuite } from "./suite/gtid_sets.ts";
import { lifetimeSuite } from "./suite/lifetime.ts";
import { mariadbSuite } from "./suite/mariadb.ts";
import { purgingSuite } from "./suite/purging.ts";
import { readingSuite } from "./suite/reading.ts";
import type { NewDisk } from "./suite/log_run.ts";
import { visibilitySuite } from "./suite/visibility.ts";

/**
 * Tests every sentence of `BinlogStore`, `LogWriter` and `LogReader`.
 *
 * @param name of the implementation, for the tests' names
 * @param newDisk an empty place for a log
 */
export function storeConformance(name: string, newDisk: NewDisk): void {
  for (
    const suite of [
      appendingSuite,
      readingSuite,
      visibilitySuite,
      durabilitySuite,
      gtidSuite,
      purgingSuite,
      mariadbSuite,
      lifetimeSuite,
    ]
  ) suite(name, newDisk);
}
