import { assertEquals, assertStringIncludes } from "@std/assert";
import { Mysql56 } from "../../../scripts/test_servers/mysql56.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { readDumpedFiles } from "../../support/dump_client.ts";
import { KingbusProcess, runKingbus } from "../../support/kingbus_process.ts";
import {
  assertSameBytes,
  readSourceFile,
  type SourceOnDisk,
} from "../../support/source_file.ts";
import { binlogsOf, logEndOf } from "../../support/sql_server.ts";
import { TEST_TABLE } from "../../support/test_table.ts";
import { TRANSACTION_KINDS } from "../../support/transaction_kinds.ts";

/** Writes transactions of all kinds into several files. */
async function writeFiles(source: Mysql56): Promise<void> {
  await source.query(
    TEST_TABLE,
  );
  await source.query("INSERT INTO test.t (data) VALUES ('one'), ('two')");
  for (const statements of Object.values(TRANSACTION_KINDS)) {
    for (const statement of statements) await source.query(statement);
    await source.query("FLUSH LOGS");
  }
  await source.query("INSERT INTO test.t (data) VALUES (REPEAT('x', 100000))");
}

function onDisk(source: Mysql56): SourceOnDisk {
  return { server: source, binlogFolder: `${source.dir}/data` };
}

Deno.test("kingbus import takes a dead source's files, and then kingbus follows it", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kingbus-import-" });
  const dataDir = `${folder}/data`;
  await using source = await Mysql56.start();
  try {
    await writeFiles(source);
    await source.kill();
    const files = `${source.dir}/data`;
    const first = await runKingbus(["import", `--data-dir=${dataDir}`, files]);
    assertEquals(first.code, 0, first.stderr);
    const count = Object.keys(TRANSACTION_KINDS).length + 1;
    assertStringIncludes(first.stdout, `imported ${count} files`);
    const again = await runKingbus([
      "import",
      "--json",
      `--data-dir=${dataDir}`,
      files,
    ]);
    assertEquals(again.code, 0, again.stderr);
    const result = JSON.parse(again.stdout);
    assertStringIncludes(result.executed_gtid_set, source.uuid);
    assertEquals(
      result.files.map(({ bytes }: { bytes: number }) => bytes),
      Array(count).fill(0),
    );

    await source.restart();
    await source.query("INSERT INTO test.t (data) VALUES ('after the crash')");
    await Deno.writeTextFile(
      `${folder}/kingbus.yaml`,
      `source: { address: "127.0.0.1:${source.port}", user: repl, password: replpass }
server: { users: [{ name: repl, password: replpass }] }
`,
    );
    await using kingbus = await KingbusProcess.start([
      `--config=${folder}/kingbus.yaml`,
      `--data-dir=${dataDir}`,
    ]);
    const busy = await runKingbus(["import", `--data-dir=${dataDir}`, files]);
    assertEquals(busy.code, 1);
    assertStringIncludes(busy.stderr, "has it open");
    const end = await logEndOf(source);
    await waitUntil("kingbus had the rest", async () => {
      const { data } = await kingbus.ask("GET", "/binlog/syncer/status");
      const status = data as Record<string, unknown>;
      return status["last_binlog_file"] === end.fileName &&
        status["last_file_position"] === end.position;
    });
    const port = Number(kingbus.serverListen.split(":")[1]);
    const served = await readDumpedFiles({ port });
    const names = (await binlogsOf(source)).map(({ name }) => name);
    assertEquals([...served.keys()], names);
    for (const [name, bytes] of served) {
      assertSameBytes(name, bytes, await readSourceFile(onDisk(source), name));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("kingbus import says in one line what is wrong with a file", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kingbus-import-" });
  try {
    const path = `${folder}/binlog.000001`;
    await Deno.writeTextFile(path, "not a binlog");
    const bad = await runKingbus(["import", `--data-dir=${folder}/d`, path]);
    assertEquals([bad.code, bad.stdout], [1, ""]);
    assertEquals(
      bad.stderr,
      `kingbus: Cannot import ${path}: it begins with 6e6f7420, a binlog file with fe62696e\n`,
    );
    const none = await runKingbus(["import"]);
    assertEquals(none.code, 2);
    assertStringIncludes(none.stderr, "import needs files or folders");
    const uuid = await runKingbus(["import", "--server-uuid=7", path]);
    assertEquals(uuid.code, 2);
    assertStringIncludes(uuid.stderr, "--server-uuid must be a uuid");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
