import type { Cell, ClientGroup } from "./cell.ts";

/** Tests of a file below `tests/integration/`, by their names. */
function shown(file: string, ...names: string[]): Cell {
  return {
    tests: names.map((name) => ({ file: `integration/${file}`, name })),
  };
}

const never = (reason: string): Cell => ({ never: reason });
const untested = (reason: string): Cell => ({ untested: reason });

const NO_SEMI_SYNC = never(
  "A client that reads the log once acknowledges nothing.",
);
const NO_PLUGIN_56 = untested(
  "The MySQL 5.6 that can be had has no semi-sync plugin.",
);

/** Every client that was attached to kingbus, and the tests that show how. */
export const COMPATIBILITY: readonly ClientGroup[] = [
  {
    title: "Replicas",
    rows: [
      {
        client: "MySQL replica",
        version: "9.7",
        cells: {
          "GTID": shown(
            "replica/mysql97_test.ts",
            "a 9.7 replica of kingbus gets tagged GTIDs",
          ),
          "position": shown(
            "replica/mysql97_test.ts",
            "a 9.7 replica of kingbus replicates by file and position",
          ),
          "TLS": untested("-"),
          "semi-sync": shown(
            "semi_sync/replica_test.ts",
            "a semi-synchronous MySQL 9.7 replica acknowledges to kingbus what is new",
          ),
          "compression": untested("-"),
        },
      },
      {
        client: "MySQL replica",
        version: "5.6",
        cells: {
          "GTID": shown(
            "replica/mysql56_test.ts",
            "a 5.6 replica of kingbus gets DDL",
          ),
          "position": shown(
            "replica/mysql56_test.ts",
            "a 5.6 replica of kingbus replicates by file and position",
          ),
          "TLS": never("It speaks TLS 1.0 only, which kingbus refuses."),
          "semi-sync": NO_PLUGIN_56,
          "compression": untested("-"),
        },
      },
    ],
  },
];

void NO_SEMI_SYNC;
