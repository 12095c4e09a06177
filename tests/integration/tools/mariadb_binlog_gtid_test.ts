import { assertEquals, assertMatch } from "@std/assert";
import {
  type RigPart,
  type RigProgram,
  rigTest,
} from "../../../scripts/test_servers/rig.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { type MariadbRelease, startMariadb } from "../../support/mariadb.ts";
import { checkpointed } from "../../support/mariadb_checkpoint.ts";
import {
  MARIADB_WORKLOAD,
  MariadbComparison,
} from "../../support/mariadb_comparison.ts";
import { RawCopy } from "../../support/raw_copy.ts";
import { SharedSource56 } from "../../support/shared_mysql56.ts";
import {
  assertSameBytes,
  assertSameCopies,
} from "../../support/source_file.ts";
import { logEndOf } from "../../support/sql_server.ts";
import { type ServerAddress, TestKingbus } from "../../support/test_kingbus.ts";
import { TEST_TABLE } from "../../support/test_table.ts";

const mysqlSource = new SharedSource56();

/** What a program that reads a server's log said and ended with. */
interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Reads a server's log with `mariadb-binlog`. */
async function read(
  program: RigProgram,
  { port }: ServerAddress,
  args: readonly string[],
): Promise<Outcome> {
  const { code, stdout, stderr } = await program.run([
    "--no-defaults",
    "--protocol=tcp",
    "--host=127.0.0.1",
    `--port=${port}`,
    "--user=repl",
    "--password=replpass",
    "--skip-ssl",
    "--read-from-remote-server",
    ...args,
  ]);
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** The tools, with the version of the source they are compared on. */
const TOOLS: readonly {
  release: MariadbRelease;
  title: string;
  program: RigPart;
  parts: RigPart[];
  /** What the source is started with. */
  args: string[];
}[] = [
  {
    release: "installed",
    title: "mariadb-binlog 10.11",
    program: "mariadb-binlog",
    parts: ["mariadb", "mariadb-binlog"],
    args: [],
  },
  {
    release: "sid",
    title: "mariadb-binlog 11.8",
    program: "mariadb-sid-binlog",
    parts: ["mariadb-sid", "mariadb-sid-binlog"],
    // With its index it begins inside of files, which its own tool then reads
    // with errors: it misses what comes before.
    args: ["--binlog-gtid-index=OFF"],
  },
];

const FIRST = "binlog.000001";
const SECOND = "binlog.000002";

for (const { release, title, program: part, parts, args: more } of TOOLS) {
  await rigTest(
    `${title} reads a MariaDB log of kingbus as that of the source`,
    parts,
    async (rig, context) => {
      await using source = await startMariadb(7101, more, release);
      await using comparison = await MariadbComparison.open(
        source,
        MARIADB_WORKLOAD,
      );
      const { rows } = await source.query(`SHOW BINLOG EVENTS IN '${FIRST}'`);
      const gtids = rows.filter((row) => row[2] === "Gtid")
        .map((row) => Number(row[1]));
      const begin = gtids[2]!;
      const end = gtids[4]!;
      const commands: Record<string, string[]> = {
        "a file": [FIRST],
        "a file with its rows": ["-vv", "--base64-output=decode-rows", FIRST],
        "two files": [FIRST, SECOND],
        "up to the last file": ["--to-last-log", FIRST],
        "from a position": [`--start-position=${begin}`, FIRST],
        "up to a position": [`--stop-position=${end}`, FIRST],
        "between two positions": [
          `--start-position=${begin}`,
          `--stop-position=${end}`,
          FIRST,
        ],
        "from a GTID": ["--start-position=0-7101-2", "--to-last-log", FIRST],
        "from GTIDs of all domains": [
          "--start-position=0-55-5,3-7101-2,7-7101-1",
          "--to-last-log",
          FIRST,
        ],
        "up to a GTID": ["--stop-position=0-7101-3", FIRST],
        "between two GTIDs": [
          "--start-position=0-7101-2",
          "--stop-position=0-7101-4",
          "--to-last-log",
          FIRST,
        ],
        "one server's": ["--server-id=55", "--to-last-log", FIRST],
        "from a GTID that is not there": [
          "--start-position=0-7101-999",
          FIRST,
        ],
        "from a GTID of another history": ["--start-position=0-9-1", FIRST],
        "a file that is not there": ["binlog.000009"],
        "a position behind the end": ["--start-position=99999999", FIRST],
      };
      for (const [what, args] of Object.entries(commands)) {
        await context.step(what, async () => {
          const program = rig.program(part);
          const expected = await read(program, source, args);
          const actual = await read(program, comparison.kingbus, args);
          assertEquals(actual, expected);
          const fails = what.includes("not there") ||
            what.includes("another history") || what.includes("behind the end");
          assertEquals(expected.code !== 0, fails, expected.stderr);
          if (!fails) assertMatch(expected.stdout, /end_log_pos/);
        });
      }
    },
  );

  await rigTest(
    `${title} --raw copies files of a MariaDB log of kingbus as those of the source`,
    parts,
    async (rig, context) => {
      await using source = await startMariadb(7101, more, release);
      await using comparison = await MariadbComparison.open(
        source,
        MARIADB_WORKLOAD,
      );
      const { kingbus } = comparison;
      const commands: Record<string, string[]> = {
        "a file": ["-R", "--skip-ssl", FIRST],
        "up to the last file": ["-R", "--skip-ssl", "--to-last-log", FIRST],
      };
      for (const [what, args] of Object.entries(commands)) {
        await context.step(what, async () => {
          const copies: Map<string, Uint8Array>[] = [];
          for (const { port } of [source, kingbus]) {
            await using copy = await RawCopy.open(rig.program(part), port);
            await copy.run(...args);
            copies.push(copy.files());
          }
          const [expected, actual] = copies;
          assertSameCopies(actual!, expected!);
        });
      }
      await context.step("for ever", async () => {
        await using copy = await RawCopy.open(rig.program(part), kingbus.port);
        copy.start("-R", "--skip-ssl", "--stop-never", FIRST);
        await kingbus.waitUntilDumping(1);
        await source.run(
          "INSERT INTO test.t (d) VALUES ('more')",
          "FLUSH LOGS",
          "INSERT INTO test.t (d) VALUES ('and more')",
        );
        await checkpointed(source);
        const { fileName, position } = await logEndOf(source);
        await waitUntil(
          "all of it was copied",
          () => copy.sizeOf(fileName) >= position,
        );
        await copy.stop();
        await using other = await RawCopy.open(rig.program(part), source.port);
        await other.run("-R", "--skip-ssl", "--to-last-log", FIRST);
        const expected = other.files();
        const actual = copy.files();
        assertEquals([...actual.keys()], [...expected.keys()]);
        for (const [name, bytes] of expected) {
          assertSameBytes(name, actual.get(name)!, bytes);
        }
      });
    },
  );

  await rigTest(
    `${title} reads a MySQL 5.6 log of kingbus as that of the source`,
    parts.slice(1),
    async (rig, context) => {
      await mysqlSource.run(
        TEST_TABLE,
        "INSERT INTO test.t (data) VALUES ('one')",
        "FLUSH LOGS",
        "INSERT INTO test.t (data) VALUES ('two')",
      );
      await using kingbus = await TestKingbus.following(mysqlSource, {
        server: { identity: "source" },
      });
      await kingbus.waitUntilHas(await mysqlSource.executed());
      const commands: Record<string, string[]> = {
        "a file": [FIRST],
        "up to the last file": ["--to-last-log", FIRST],
        "between two positions": [
          "--start-position=151",
          "--stop-position=500",
          FIRST,
        ],
        "a file that is not there": ["binlog.000009"],
        "by GTID": ["--start-position=0-1-1", FIRST],
      };
      for (const [what, args] of Object.entries(commands)) {
        await context.step(what, async () => {
          const program = rig.program(part);
          const expected = await read(program, mysqlSource, args);
          const actual = await read(program, kingbus, args);
          assertEquals(actual, expected);
        });
      }
    },
  );
}
