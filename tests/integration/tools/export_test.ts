import { assert, assertEquals } from "@std/assert";
import { type Rig, rigTest } from "../../../scripts/test_servers/rig.ts";
import {
  APPLICATION_ACCOUNT,
  REPLICATION_ACCOUNT,
  startMysql56,
} from "../../../scripts/test_servers/mysql56.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { GtidSet } from "../../../lib/gtid/gtid_set.ts";
import { ExportedFolder } from "../../support/exported_folder.ts";
import { KingbusProcess, runKingbus } from "../../support/kingbus_process.ts";
import { startMysql97 } from "../../support/mysql97.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";
import { SharedSource56 } from "../../support/shared_mysql56.ts";
import {
  assertSameBytes,
  readSourceFile,
  type SourceOnDisk,
} from "../../support/source_file.ts";
import {
  binlogsOf,
  checksumTables,
  executedOf,
  logEndOf,
  type SqlServer,
} from "../../support/sql_server.ts";
import { TEST_TABLE } from "../../support/test_table.ts";
import {
  MODERN_KINDS,
  TRANSACTION_KINDS,
} from "../../support/transaction_kinds.ts";

/** Room for rows of more than 16 MiB. */
const LARGE = "--max-allowed-packet=64M";

/** A transaction larger than InnoDB's log would take here. */
const LARGE_ROW = [
  "CREATE TABLE test.huge (data LONGBLOB) ENGINE=MyISAM",
  "INSERT INTO test.huge VALUES (REPEAT('x', 17000000))",
];

const source56 = new SharedSource56([LARGE]);
const sources97 = new SharedMysql97(9796);

const { user, password } = REPLICATION_ACCOUNT;

/** A `kingbus serve` with its data in a folder of its own. */
class ServingKingbus implements AsyncDisposable {
  readonly dataDir: string = Deno.makeTempDirSync({ prefix: "kingbus-data-" });
  process: KingbusProcess | undefined;

  /** Starts it, following a source from its oldest file. */
  async start(sourcePort: number): Promise<void> {
    this.process = await KingbusProcess.start([`--data-dir=${this.dataDir}`]);
    const { status, message } = await this.process.ask(
      "PUT",
      "/binlog/syncer/start",
      {
        syncer_id: 4711,
        mysql_addr: `127.0.0.1:${sourcePort}`,
        mysql_user: user,
        mysql_password: password,
      },
    );
    assertEquals([status, message], [200, "success"]);
  }

  /** Waits until it has all of the source's log. */
  async waitUntilHasAll(source: SqlServer): Promise<void> {
    const { fileName, position } = await logEndOf(source);
    await waitUntil(`kingbus was at ${fileName}:${position}`, async () => {
      const { data } = await this.process!.ask("GET", "/status");
      const { syncer } = data as {
        syncer: { last_binlog_file: string; last_file_position: number };
      };
      return syncer.last_binlog_file > fileName ||
        syncer.last_binlog_file === fileName &&
          syncer.last_file_position >= position;
    }, { deadlineMs: 60_000 });
  }

  async stop(): Promise<void> {
    this.process?.signal("SIGTERM");
    assertEquals(await this.process?.ended(), 0);
    await this.process?.[Symbol.asyncDispose]();
    this.process = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process?.[Symbol.asyncDispose]();
    await Deno.remove(this.dataDir, { recursive: true });
  }
}

async function assertSameAsSource(
  folder: ExportedFolder,
  source: SourceOnDisk,
): Promise<void> {
  const names = (await binlogsOf(source.server)).map(({ name }) => name);
  assertEquals(folder.names(), names);
  for (const name of names) {
    const expected = await readSourceFile(source, name);
    assertSameBytes(name, folder.read(name), expected);
  }
}

Deno.test("kingbus export writes the source's files byte for byte, beside a running kingbus", async () => {
  await using kingbus = new ServingKingbus();
  await source56.run(
    TEST_TABLE,
    "INSERT INTO test.t (data) VALUES ('one')",
    ...Object.values(TRANSACTION_KINDS).flat(),
    "FLUSH LOGS",
    ...LARGE_ROW,
    "FLUSH LOGS",
    "INSERT INTO test.t (data) VALUES ('three')",
  );
  await kingbus.start(source56.port);
  await kingbus.waitUntilHasAll(source56.server);
  await using folder = await ExportedFolder.for();
  const first = await folder.export(kingbus.dataDir);
  await assertSameAsSource(folder, source56.onDisk);
  assertEquals(first.files.at(-1)!.cut, "open");
  // What has come since, and the same from a stopped one.
  await source56.run(
    "INSERT INTO test.t (data) VALUES (REPEAT('more', 100000))",
    "FLUSH LOGS",
    "INSERT INTO test.t (data) VALUES ('four')",
  );
  await kingbus.waitUntilHasAll(source56.server);
  await kingbus.stop();
  const second = await folder.export(kingbus.dataDir);
  await assertSameAsSource(folder, source56.onDisk);
  assertEquals(
    second.files.map(({ state }) => state),
    ["kept", "kept", "replaced", "written"],
  );
});

Deno.test("kingbus export under load shows whole transactions, and never less than before", async () => {
  await using kingbus = new ServingKingbus();
  await source56.run(
    TEST_TABLE,
  );
  await kingbus.start(source56.port);
  let loading = true;
  const load = (async () => {
    for (let count = 0; loading; count++) {
      await source56.run(
        `INSERT INTO test.t (data) VALUES (REPEAT('${count % 10}', ${
          count % 7 === 6 ? 900_000 : 300
        }))`,
        ...(count % 40 === 39 ? ["FLUSH LOGS"] : []),
      );
    }
  })();
  try {
    await using folder = await ExportedFolder.for();
    let last = 0;
    for (let count = 0; count < 4; count++) {
      const report = await folder.export(kingbus.dataDir);
      const total = report.files.reduce((sum, { size }) => sum + size, 0);
      assert(total >= last, `${total} bytes after ${last}`);
      last = total;
    }
    loading = false;
    await load;
    await kingbus.waitUntilHasAll(source56.server);
    await folder.export(kingbus.dataDir);
    await assertSameAsSource(folder, source56.onDisk);
  } finally {
    loading = false;
    await load;
  }
});

Deno.test("kingbus export and events say in one line what is wrong, and change nothing", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kingbus-none-" });
  try {
    const cases = [
      [2, "export", `--data-dir=${folder}`],
      [2, "export", `--data-dir=${folder}`, "--to=x", "--stop-at=noon"],
      [2, "export", `--data-dir=${folder}`, "--to=x", "--gtids=1-5"],
      [1, "export", `--data-dir=${folder}`, `--to=${folder}/out`],
      [1, "events", `--data-dir=${folder}`],
      [2, "events", `--data-dir=${folder}`, "--limit=few"],
    ] as const;
    for (const [expected, ...args] of cases) {
      const { code, stdout, stderr } = await runKingbus(args);
      assertEquals([args, code, stdout], [args, expected, ""]);
      assertEquals(stderr.trimEnd().split("\n").length, 1, stderr);
      assert(stderr.startsWith("kingbus: "), stderr);
    }
    assertEquals([...Deno.readDirSync(folder)], []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("kingbus events lists the events of a file, or of a transaction", async () => {
  await using kingbus = new ServingKingbus();
  await source56.run(
    TEST_TABLE,
    ...Array(30).fill(
      "INSERT INTO test.t (data) VALUES (REPEAT('x', 10000))",
    ),
  );
  await kingbus.start(source56.port);
  await kingbus.waitUntilHasAll(source56.server);
  const list = async (
    ...args: string[]
  ): Promise<Record<string, unknown>[]> => {
    const { code, stdout, stderr } = await runKingbus(
      ["events", `--data-dir=${kingbus.dataDir}`, "--json", ...args],
    );
    assertEquals([code, stderr], [0, ""]);
    return stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  };
  const { rows } = await source56.server.query(
    "SHOW BINLOG EVENTS IN 'binlog.000001'",
  );
  const all = await list();
  assertEquals(
    all.map(({ file, position, type, serverId, endPosition, info }) =>
      [file, position, type, serverId, endPosition, info].map(String)
    ),
    rows,
  );
  const uuid = GtidSet.parse(await source56.executed()).uuids()[0]!;
  const one = await list(`--gtid=${uuid}:17`);
  assertEquals(
    one.map(({ type }) => type),
    ["Gtid", "Query", "Table_map", "Write_rows", "Xid"],
  );
  assertEquals(one[0]!.gtid, `${uuid}:17`);
  assertEquals([one[3]!.database, one[3]!.table], ["test", "t"]);
  const from = await list(`--from=${one[0]!.position}`, "--limit=2");
  assertEquals(from, one.slice(0, 2));
  const last = await list(`--gtid=${uuid}:31`);
  assertEquals(last.length, 5);
  const shown = await runKingbus([
    "events",
    `--data-dir=${kingbus.dataDir}`,
    "--limit=3",
  ]);
  assert(/^binlog\.000001\n +POSITION +SIZE +TIME/.test(shown.stdout));
  assert(
    shown.stdout.includes("CREATE TABLE") || shown.stdout.includes("Gtid"),
  );
});

/** Replays exported files into an empty server. */
async function replay(
  rig: Rig,
  folder: ExportedFolder,
  options: {
    reader: "mysqlbinlog" | "mariadb-binlog";
    client: "mysql-client" | "mariadb-client";
    port: number;
    /** Removed from what the reader writes. */
    without?: RegExp;
  },
): Promise<void> {
  const { success, stdout, stderr } = await rig.program(options.reader).run([
    "--no-defaults",
    ...folder.itsPaths(),
  ]);
  const decoder = new TextDecoder();
  assertEquals([success, decoder.decode(stderr)], [true, ""]);
  const { without } = options;
  const sql = without === undefined
    ? stdout
    : new TextEncoder().encode(decoder.decode(stdout).replaceAll(without, ""));
  const loaded = await rig.program(options.client).runWith(sql, [
    "--no-defaults",
    "--host=127.0.0.1",
    `--port=${options.port}`,
    `--user=${APPLICATION_ACCOUNT.user}`,
    `--password=${APPLICATION_ACCOUNT.password}`,
    "--max-allowed-packet=256M",
    "--binary-mode",
  ]);
  assert(loaded.success, decoder.decode(loaded.stderr));
}

/** What a server holds at one moment. */
interface Moment {
  readonly executed: string;
  readonly tables: Record<string, string>;
}

async function momentOf(server: SqlServer): Promise<Moment> {
  return {
    executed: await executedOf(server),
    tables: await checksumTables(server),
  };
}

/** The GTID of the newest transaction of a server's own. */
async function lastGtid(server: SqlServer, uuid: string): Promise<string> {
  const set = GtidSet.parse(await executedOf(server)).restrictedTo(uuid);
  const interval = [...set.intervals()].filter(({ tag }) => tag === "").at(-1)!;
  return `${uuid}:${interval.last}`;
}

/**
 * What a 5.6 server does not take of later programs: an empty statement while
 * GTID_NEXT is set, as a comment for later servers is one, and MariaDB's own
 * variables.
 */
const TOO_NEW = {
  "mysqlbinlog": /^\/\*!8\d{4} .*\n/gm,
  "mariadb-binlog":
    /, @@session\.(?:check_constraint_checks|system_versioning_insert_history|sql_if_exists|explicit_defaults_for_timestamp)=\w+/g,
} as const;

for (const reader of ["mysqlbinlog", "mariadb-binlog"] as const) {
  await rigTest(
    `a 5.6 server is restored to a GTID from an export by ${reader}`,
    [reader, "mariadb-client"],
    async (rig) => {
      await using kingbus = new ServingKingbus();
      const { server } = source56;
      const uuid = (await server.query("SELECT @@server_uuid")).rows[0]![0]!;
      await source56.run(
        TEST_TABLE,
        "INSERT INTO test.t (data) VALUES ('one'), ('two')",
        "FLUSH LOGS",
        ...Object.values(TRANSACTION_KINDS).flat(),
        ...LARGE_ROW,
      );
      const moment = await momentOf(server);
      const gtid = await lastGtid(server, uuid);
      await source56.run(
        "DELETE FROM test.t",
        "FLUSH LOGS",
        "DROP TABLE test.t",
      );
      await kingbus.start(source56.port);
      await kingbus.waitUntilHasAll(server);
      await using folder = await ExportedFolder.for(rig.program(reader));
      const report = await folder.export(kingbus.dataDir, `--stop-at=${gtid}`);
      assertEquals([report.stopped, report.files.length], [true, 2]);
      await using target = await startMysql56({
        role: "replica",
        extraArgs: [LARGE],
      });
      await replay(rig, folder, {
        reader,
        client: "mariadb-client",
        port: target.port,
        without: TOO_NEW[reader],
      });
      const restored = await momentOf(target);
      assertEquals(restored.tables, moment.tables);
      // MariaDB's program leaves MySQL's GTIDs out.
      if (reader === "mysqlbinlog") assertEquals(restored, moment);
    },
  );
}

await rigTest(
  "a 9.7 server is restored to a GTID, and gets chosen transactions only, from exports",
  ["mysql97", "mysqlbinlog", "mysql-client"],
  async (rig) => {
    await using kingbus = new ServingKingbus();
    const source = await sources97.asSource();
    const uuid = (await source.query("SELECT @@server_uuid")).rows[0]![0]!;
    await source.run(
      TEST_TABLE,
      "INSERT INTO test.t (data) VALUES ('one'), ('two')",
      "CREATE TABLE test.other (id INT PRIMARY KEY)",
      "FLUSH LOGS",
      ...Object.values(MODERN_KINDS).flat(),
      "INSERT INTO test.t (data) VALUES (REPEAT('x', 17000000))",
      "SET SESSION binlog_transaction_compression = ON",
      "INSERT INTO test.t (data) VALUES (REPEAT('y', 100000))",
      "SET SESSION binlog_transaction_compression = OFF",
    );
    const moment = await momentOf(source);
    const gtid = await lastGtid(source, uuid);
    await source.run("DELETE FROM test.t", "FLUSH LOGS");
    await source.run("INSERT INTO test.other VALUES (1)");
    const wanted = [`${uuid}:1-3`, await lastGtid(source, uuid)].join(",");
    await kingbus.start(source.port);
    await kingbus.waitUntilHasAll(source);
    const mysqlbinlog = rig.program("mysqlbinlog");
    const how = { reader: "mysqlbinlog", client: "mysql-client" } as const;
    {
      await using folder = await ExportedFolder.for(mysqlbinlog);
      await folder.export(kingbus.dataDir, `--stop-at=${gtid}`);
      await using target = await startMysql97(9795);
      await replay(rig, folder, { ...how, port: target.port });
      assertEquals(await momentOf(target), moment);
    }
    await using folder = await ExportedFolder.for(mysqlbinlog);
    const report = await folder.export(kingbus.dataDir, `--gtids=${wanted}`);
    assertEquals(report.transactions, 4);
    await using target = await startMysql97(9794);
    await replay(rig, folder, { ...how, port: target.port });
    assertEquals(
      GtidSet.parse(await executedOf(target)).toString(),
      GtidSet.parse(wanted).toString(),
    );
    const { rows } = await target.query(
      "SELECT (SELECT COUNT(*) FROM test.t), (SELECT COUNT(*) FROM test.other)",
    );
    assertEquals(rows, [["2", "1"]]);
  },
);

await rigTest(
  "an export stops at a time where mysqlbinlog --stop-datetime does",
  ["mysqlbinlog"],
  async (rig) => {
    await using kingbus = new ServingKingbus();
    // Later than the files themselves, whose begin counts, too.
    const begin = 2_000_000_000;
    await source56.run(
      `SET TIMESTAMP = ${begin}`,
      TEST_TABLE,
    );
    // Sessions can set their timestamp to anything, the past included.
    for (const second of [10, 20, 20, 30, 25, 40, 50]) {
      await source56.run(
        `SET TIMESTAMP = ${begin + second}`,
        "BEGIN",
        `INSERT INTO test.t (data) VALUES ('${second}')`,
        `SET TIMESTAMP = ${begin + second + 2}`,
        "INSERT INTO test.t (data) VALUES ('later')",
        "COMMIT",
        ...second === 30 ? ["FLUSH LOGS"] : [],
      );
    }
    await source56.run("SET TIMESTAMP = DEFAULT");
    await kingbus.start(source56.port);
    await kingbus.waitUntilHasAll(source56.server);
    const mysqlbinlog = rig.program("mysqlbinlog");
    await using all = await ExportedFolder.for(mysqlbinlog);
    await all.export(kingbus.dataDir);
    const read = async (...args: string[]): Promise<string[]> => {
      const { success, stdout } = await mysqlbinlog.run([
        "--no-defaults",
        "--base64-output=DECODE-ROWS",
        ...args,
      ]);
      assert(success);
      return new TextDecoder().decode(stdout).split("\n").filter((line) =>
        /^(SET @@SESSION.GTID_NEXT= '[^A]|CREATE|COMMIT)/.test(line)
      );
    };
    const whole = await read(...all.itsPaths());
    for (const second of [1, 11, 12, 13, 20, 23, 25, 30, 31, 33, 41, 51]) {
      await using cut = await ExportedFolder.for(mysqlbinlog);
      const time = new Date((begin + second) * 1000);
      const report = await cut.export(
        kingbus.dataDir,
        `--stop-at=${time.toISOString()}`,
      );
      assertEquals([second, report.stopped], [second, true]);
      // What mysqlbinlog begins of a transaction it does not commit.
      const stop = `--stop-datetime=${localTime(time)}`;
      const expected = await read(stop, ...all.itsPaths());
      const commits = expected.findLastIndex((line) =>
        line.startsWith("COMMIT")
      );
      const shown = await read(...cut.itsPaths());
      assertEquals(
        [second, ...shown],
        [second, ...expected.slice(0, Math.max(commits + 1, 2))],
      );
      assert(shown.length < whole.length);
    }
  },
);

function localTime(time: Date): string {
  const pad = (value: number) => String(value).padStart(2, "0");
  const date = [time.getFullYear(), time.getMonth() + 1, time.getDate()];
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()];
  return `${date.map(pad).join("-")} ${clock.map(pad).join(":")}`;
}
