import { assert, assertEquals, assertMatch } from "@std/assert";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import type { DumpClientOptions } from "../../support/dump_client.ts";
import { startMariadb } from "../../support/mariadb.ts";
import {
  byGtid,
  isMadeGtidList,
  MARIADB_WORKLOAD,
  MARIADB_XA,
  MariadbComparison,
} from "../../support/mariadb_comparison.ts";

/** Positions by GTID of replicas, with what they stand for. */
const STATES: Record<string, string> = {
  "nothing": "",
  "the first statement": "0-7101-1",
  "some of the first file": "0-7101-4",
  "what the other server wrote": "0-55-5",
  "all of the first file": "0-55-5,3-7101-2,7-7101-1",
  "the first file but for one transaction": "0-55-5,3-7101-1,7-7101-1",
  "one transaction of the second file": "0-7101-6,3-7101-2,7-7101-1",
  "all but the last": "0-7101-11,3-7101-3,7-7101-1",
  "everything": "0-7101-12,3-7101-3,7-7101-1",
  "a domain that the source does not have": "0-7101-3,9-1-1",
  "only such a domain": "9-9-9",
  "a transaction that was not written yet": "0-7101-100",
  "a transaction of an unknown server": "0-99-3",
  "a later transaction of an unknown server": "0-99-300",
  "no position at all": "xx",
  "two positions in a domain": "0-1-1,0-1-2",
};

/** More that a replica by GTID may set. */
const WISHES: Record<string, DumpClientOptions> = {
  "in strict mode": byGtid("0-7101-3", { slave_gtid_strict_mode: 1 }),
  "in strict mode, from a hole": byGtid("0-55-4", {
    slave_gtid_strict_mode: 1,
  }),
  "not strict, from a hole": byGtid("0-55-4"),
  "ahead, by way of another source": byGtid("0-7101-100", {
    slave_gtid_ignore_duplicates: 1,
  }),
  "with a file and position, too": {
    ...byGtid("0-7101-4"),
    fileName: "binlog.000002",
    position: 600,
  },
  "with position 0": { ...byGtid("0-7101-4"), position: 0 },
  "without annotations": { ...byGtid("0-7101-4"), flags: 1 },
  "until a transaction": byGtid("0-7101-1", {
    slave_until_gtid: "'0-7101-3'",
  }),
  "until transactions of two domains": byGtid("0-7101-1", {
    slave_until_gtid: "'0-7101-6,3-7101-1'",
  }),
  "until what it has": byGtid("0-7101-4", { slave_until_gtid: "'0-7101-2'" }),
  "until what is not written yet": byGtid("0-7101-4", {
    slave_until_gtid: "'0-7101-200'",
  }),
  "until nothing": byGtid("0-7101-4", { slave_until_gtid: "''" }),
  "until a transaction that is missing": byGtid("", {
    slave_until_gtid: "'0-55-4'",
  }),
  "until a standalone statement": byGtid("", {
    slave_until_gtid: "'0-7101-2'",
  }),
  "until no position": byGtid("", { slave_until_gtid: "'0-1'" }),
  "ahead, until before that": byGtid("0-7101-100", {
    slave_until_gtid: "'0-7101-2'",
  }),
  "with capability 2": byGtid("0-7101-2", { mariadb_slave_capability: 2 }),
  "without capability": {
    flags: 3,
    variables: { slave_connect_state: "'0-7101-2'" },
  },
  "that verifies nothing": { ...byGtid("0-7101-2"), checksum: "NONE" },
  "that never asked for checksums": { ...byGtid("0-7101-2"), checksum: null },
};

/** The versions that are compared with. */
const VERSIONS = [
  {
    release: "installed",
    part: "mariadb",
    version: "MariaDB 10.11",
    args: [],
    // it has no BEGIN of the length of a GTID event with more in it, and ends
    translatesXa: false,
  },
  {
    release: "sid",
    part: "mariadb-sid",
    version: "MariaDB 11.8",
    // with it, it begins dumps inside of files; see the replicas' tests
    args: ["--binlog-gtid-index=OFF"],
    translatesXa: true,
  },
] as const;

for (const { release, part, version, args, translatesXa } of VERSIONS) {
  const parts = [part];

  await rigTest(
    `kingbus sends dumps of a ${version} source by GTID as the source does, to the byte`,
    parts,
    async (_rig, context) => {
      await using source = await startMariadb(7101, [...args], release);
      await using comparison = await MariadbComparison.open(
        source,
        MARIADB_WORKLOAD,
      );
      for (const [what, state] of Object.entries(STATES)) {
        await context.step(`a replica that has ${what}`, async () => {
          await comparison.compare(byGtid(state));
        });
      }
      for (const [what, request] of Object.entries(WISHES)) {
        await context.step(`a replica ${what}`, async () => {
          await comparison.compare(request);
        });
      }
      const { events } = await comparison.compare(
        byGtid(STATES["the first file but for one transaction"]!),
      );
      assertEquals(events.filter(isMadeGtidList).length, 3);
      await source.run(...MARIADB_XA);
      await comparison.catchUp();
      for (const state of ["", "0-7101-12,3-7101-3,7-7101-1"]) {
        await context.step(`XA, for a replica that has ${state}`, async () => {
          await comparison.compare(byGtid(state));
        });
      }
    },
  );

  await rigTest(
    `kingbus sends dumps of a ${version} source by position as the source does, whatever the client understands`,
    parts,
    async (_rig, context) => {
      await using source = await startMariadb(7101, [...args], release);
      await using comparison = await MariadbComparison.open(
        source,
        MARIADB_WORKLOAD,
      );
      const positions = await eventPositions(comparison, "binlog.000001");
      if (translatesXa) {
        await source.run(...MARIADB_XA);
        await comparison.catchUp();
      }
      for (const capability of [undefined, 0, 1, 2, 3, 4]) {
        for (const flags of [1, 3]) {
          for (const position of [4, positions[3]!, positions[5]!]) {
            const request: DumpClientOptions = {
              flags,
              fileName: "binlog.000001",
              position,
              variables: capability === undefined
                ? {}
                : { mariadb_slave_capability: capability },
            };
            await context.step(
              `capability ${capability}, flags ${flags}, from ${position}`,
              async () => {
                const { end } = await comparison.compare(request);
                assertEquals(end, "EOF");
              },
            );
          }
        }
      }
      const odd: Record<string, DumpClientOptions> = {
        "no file": {},
        "the end of the log": {
          fileName: "binlog.000002",
          position: (await eventPositions(comparison, "binlog.000002")).at(-1)!,
        },
        "a file that is not there": { fileName: "binlog.000009" },
        "a position behind the end": {
          fileName: "binlog.000001",
          position: 99_999_999,
        },
        "a position in front of the first event": {
          fileName: "binlog.000001",
          position: 2,
        },
        "no checksums": { fileName: "binlog.000001", checksum: null },
        "no checksums, no file": { checksum: null },
        "COM_BINLOG_DUMP_GTID": { executed: "" },
      };
      for (const [what, request] of Object.entries(odd)) {
        await context.step(what, async () => {
          await comparison.compare(request);
        });
      }
    },
  );

  await rigTest(
    `kingbus refuses replicas of a ${version} source whose position was purged, as the source does`,
    parts,
    async (_rig, context) => {
      await using source = await startMariadb(7101, [...args], release);
      await source.run(...MARIADB_WORKLOAD);
      await using client = await source.connect();
      // It keeps a file without a word while InnoDB may still need it.
      await waitUntil("the source has purged its first file", async () => {
        await client.query("PURGE BINARY LOGS TO 'binlog.000002'");
        const { rows } = await client.query("SHOW BINARY LOGS");
        return rows[0]![0] === "binlog.000002";
      });
      await using comparison = await MariadbComparison.open(source, []);
      const purged = [
        "",
        "0-55-5",
        "0-55-5,3-7101-2",
        "0-7101-4,3-7101-2,7-7101-1",
        "0-7101-6",
      ];
      for (const state of purged) {
        await context.step(`too old: ${state}`, async () => {
          const { end } = await comparison.compare(byGtid(state));
          assertMatch(end, /^1236: Could not find GTID state requested/);
        });
      }
      for (
        const state of [
          "0-55-5,3-7101-2,7-7101-1",
          "0-7101-6,3-7101-2,7-7101-1",
          "0-7101-6,3-7101-3,7-7101-1",
        ]
      ) {
        await context.step(`new enough: ${state}`, async () => {
          const { end, events } = await comparison.compare(byGtid(state));
          assertEquals(end, "EOF");
          assert(events.length > 4);
        });
      }
    },
  );
}

/** Where the events of a file begin. */
async function eventPositions(
  { source }: MariadbComparison,
  file: string,
): Promise<number[]> {
  const { rows } = await source.query(`SHOW BINLOG EVENTS IN '${file}'`);
  // what the last one says of its own end is right in every version
  return [...rows.map((row) => Number(row[1])), Number(rows.at(-1)![4])];
}
