import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { createConnection, type RowDataPacket } from "mysql2/promise";
import { type RigProgram, rigTest } from "../../../scripts/test_servers/rig.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { RawCopy } from "../../support/raw_copy.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";
import { assertSameBytes, readSourceFile } from "../../support/source_file.ts";
import { executedOf, logEndOf } from "../../support/sql_server.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";
import { TEST_TABLE } from "../../support/test_table.ts";
import { MODERN_KINDS } from "../../support/transaction_kinds.ts";

const sources = new SharedMysql97(9784, ["--max-allowed-packet=64M"]);

const BOTH = { compression: ["zlib", "zstd"] } as const;
const INSERT = "INSERT INTO test.t (data) VALUES (REPEAT('some text ', 300))";

/** A kingbus with two files of a source, one event of which has 20 MB. */
async function openKingbus(): Promise<{
  kingbus: TestKingbus;
  source: Awaited<ReturnType<typeof sources.asSource>>;
}> {
  const source = await sources.asSource();
  await source.run(
    TEST_TABLE,
    ...Array<string>(300).fill(INSERT),
    "INSERT INTO test.t (data) VALUES (REPEAT('y', 20000000))",
    ...Object.values(MODERN_KINDS).flat(),
    "FLUSH LOGS",
    INSERT,
  );
  const kingbus = await TestKingbus.following(source, { server: BOTH });
  await kingbus.waitUntilHas(await executedOf(source));
  return { kingbus, source };
}

const BY_GTID = "--read-from-remote-source=BINLOG-DUMP-GTIDS";
const BY_POSITION = "--read-from-remote-source=BINLOG-DUMP-NON-GTIDS";

for (
  const how of [
    ["--compression-algorithms=zlib"],
    ["--compression-algorithms=zstd"],
    ["--compression-algorithms=zstd", "--zstd-compression-level=1"],
    ["--compression-algorithms=zstd", "--zstd-compression-level=22"],
    ["--compress"],
  ]
) {
  await rigTest(
    `mysqlbinlog ${how.join(" ")} --raw copies files of kingbus byte for byte`,
    ["mysql97", "mysqlbinlog"],
    async (rig) => {
      const { kingbus, source } = await openKingbus();
      await using _ = kingbus;
      for (const mode of [BY_GTID, BY_POSITION]) {
        await using copy = await RawCopy.open(
          rig.program("mysqlbinlog"),
          kingbus.port,
        );
        await copy.run(...how, mode, "--to-last-log", "binlog.000001");
        const files = copy.files();
        assertEquals([...files.keys()], ["binlog.000001", "binlog.000002"]);
        for (const [name, bytes] of files) {
          const expected = await readSourceFile(source.onDisk, name);
          assertSameBytes(name, bytes, expected);
        }
      }
      await using copy = await RawCopy.open(
        rig.program("mysqlbinlog"),
        kingbus.port,
      );
      copy.start(...how, BY_POSITION, "--stop-never", "binlog.000002");
      const [status] = await kingbus.waitUntilDumping(1);
      assertEquals(
        status!.compression,
        how[0]!.includes("zstd") ? "zstd" : "zlib",
      );
      await source.run(INSERT, INSERT);
      const { fileName, position } = await logEndOf(source);
      await waitUntil(
        "all of it was copied",
        () => copy.sizeOf(fileName) >= position,
      );
      await copy.stop();
    },
  );
}

/** Runs statements by a client of the rig; answers what it prints. */
async function runClient(
  client: RigProgram,
  port: number,
  args: readonly string[],
  sql: string,
): Promise<string> {
  const { success, stdout, stderr } = await client.run([
    "--no-defaults",
    "--host=127.0.0.1",
    `--port=${port}`,
    "--user=repl",
    "--password=replpass",
    "--batch",
    ...args,
    `--execute=${sql}`,
  ]);
  const text = new TextDecoder().decode(success ? stdout : stderr);
  assert(success, text);
  return text;
}

await rigTest(
  "the mysql client asks kingbus over compressed connections what it asks without",
  ["mysql97", "mysql-client"],
  async (rig) => {
    const { kingbus } = await openKingbus();
    await using _ = kingbus;
    const mysql = rig.program("mysql-client");
    const sql = "SHOW VARIABLES; SELECT 1; SHOW BINARY LOGS; " +
      // an answer, and a statement, of several hundred thousand bytes
      `SELECT '${"x".repeat(100_000)}' AS long_text; ` +
      "SHOW BINLOG EVENTS IN 'binlog.000001' LIMIT 1500; " +
      "SELECT @@protocol_compression_algorithms";
    const status = "SHOW STATUS LIKE 'Compression%'";
    const plain = await runClient(mysql, kingbus.port, [], sql);
    assert(plain.length > 200_000, `${plain.length} bytes`);
    assertStringIncludes(plain, "zlib,zstd,uncompressed");
    for (
      const args of [
        ["--compress"],
        ["--compression-algorithms=zlib"],
        ["--compression-algorithms=zstd"],
        ["--compression-algorithms=zstd", "--zstd-compression-level=22"],
        ["--compression-algorithms=uncompressed"],
      ]
    ) {
      assertEquals(await runClient(mysql, kingbus.port, args, sql), plain);
    }
    const ways = [
      [["--compress"], "ON", "zlib", "6"],
      [["--compression-algorithms=zstd"], "ON", "zstd", "3"],
      [
        ["--compression-algorithms=zstd", "--zstd-compression-level=7"],
        "ON",
        "zstd",
        "7",
      ],
      // more is served with the highest that is worth its time
      [
        ["--compression-algorithms=zstd", "--zstd-compression-level=22"],
        "ON",
        "zstd",
        "9",
      ],
      [[], "OFF", "", "0"],
    ] as const;
    for (const [args, on, algorithm, level] of ways) {
      const rows = (await runClient(mysql, kingbus.port, args, status)).trim()
        .split("\n").slice(1).map((row) => row.split("\t"));
      assertEquals(rows, [
        ["Compression", on],
        ["Compression_algorithm", algorithm],
        ["Compression_level", level],
      ]);
    }
  },
);

await rigTest(
  "the mariadb client with --compress asks kingbus what it asks without",
  ["mysql97", "mariadb-client"],
  async (rig) => {
    const { kingbus } = await openKingbus();
    await using _ = kingbus;
    const mariadb = rig.program("mariadb-client");
    const sql = "SHOW VARIABLES; SHOW BINARY LOGS; " +
      `SELECT '${"x".repeat(100_000)}' AS long_text`;
    const plain = await runClient(mariadb, kingbus.port, [], sql);
    assert(plain.length > 100_000, `${plain.length} bytes`);
    const compressed = ["--compress"];
    assertEquals(
      await runClient(mariadb, kingbus.port, compressed, sql),
      plain,
    );
    const used = await runClient(
      mariadb,
      kingbus.port,
      compressed,
      "SHOW STATUS LIKE 'Compression_algorithm'",
    );
    assertStringIncludes(used, "zlib");
  },
);

await rigTest(
  "mysql2 with compress asks kingbus what it asks without",
  ["mysql97"],
  async () => {
    const { kingbus } = await openKingbus();
    await using _ = kingbus;
    const complaints: unknown[] = [];
    const { error } = console;
    console.error = (...said: unknown[]) => complaints.push(said);
    try {
      const answers: unknown[] = [];
      for (const compress of [false, true]) {
        const connection = await createConnection({
          host: "127.0.0.1",
          port: kingbus.port,
          user: "repl",
          password: "replpass",
          compress,
        });
        const rows: unknown[] = [];
        for (
          const sql of [
            "SELECT 1 AS one",
            "SHOW VARIABLES",
            `SELECT '${"x".repeat(300_000)}' AS long_text`,
            "SHOW BINLOG EVENTS IN 'binlog.000001' LIMIT 1500",
            "SHOW BINARY LOGS",
          ]
        ) {
          rows.push((await connection.query<RowDataPacket[]>(sql))[0]);
        }
        const [[status]] = await connection.query<RowDataPacket[]>(
          "SHOW STATUS LIKE 'Compression_algorithm'",
        );
        assertEquals(status!.Value, compress ? "zlib" : "");
        answers.push(rows);
        await connection.end();
      }
      assertEquals(answers[1], answers[0]);
      assertEquals(complaints, []);
    } finally {
      console.error = error;
    }
  },
);
