import { assert, assertEquals, assertRejects } from "@std/assert";
import { importFlags } from "../../../scripts/import_flags.ts";
import {
  REPLICATION_ACCOUNT,
  startMysql56,
} from "../../../scripts/test_servers/mysql56.ts";
import { TestServerError } from "../../../scripts/test_servers/test_server_error.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { ServerError } from "../../../lib/protocol/server_error.ts";

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

Deno.test("startMysql56() starts a fresh source with GTIDs", async () => {
  await using server = await startMysql56();
  const { columns, rows } = await server.query(
    "SELECT @@server_id, @@server_uuid, @@gtid_mode, @@binlog_format, @@log_slave_updates, @@global.gtid_executed",
  );
  assertEquals(columns.length, 6);
  assertEquals(rows, [["5601", server.uuid, "ON", "ROW", "1", ""]]);
  await server.query("CREATE TABLE test.t (id INT PRIMARY KEY)");
  const executed = await server.query("SELECT @@global.gtid_executed");
  assertEquals(executed.rows, [[`${server.uuid}:1`]]);
  await assertRejects(() => server.query("SELECT nothing"), ServerError);
  assertEquals((await server.query("SELECT 1")).rows, [["1"]]);
  await using replication = await server.connect(REPLICATION_ACCOUNT);
  await replication.query("SHOW MASTER STATUS");
});

Deno.test("startMysql56() starts servers beside each other", async () => {
  const [source, replica] = await Promise.all([
    startMysql56(),
    startMysql56({ role: "replica", extraArgs: ["--binlog-checksum=NONE"] }),
  ]);
  await using _source = source;
  await using _replica = replica;
  assert(source.port !== replica.port);
  assert(source.uuid !== replica.uuid);
  const { rows } = await replica.query("SELECT @@server_id, @@binlog_checksum");
  assertEquals(rows, [["5602", "NONE"]]);
});

Deno.test("Mysql56 keeps port, uuid and data over kill() and restart()", async () => {
  await using server = await startMysql56();
  const { port, uuid } = server;
  await server.query("CREATE TABLE test.t (id INT PRIMARY KEY)");
  await server.query("INSERT INTO test.t VALUES (1)");
  await server.kill();
  assertEquals(server.running, false);
  await assertRejects(() => server.query("SELECT 1"));
  await server.restart(["--binlog-checksum=NONE"]);
  assertEquals([server.port, server.uuid], [port, uuid]);
  assertEquals((await server.query("SELECT id FROM test.t")).rows, [["1"]]);
  const { rows } = await server.query("SELECT @@binlog_checksum");
  assertEquals(rows, [["NONE"]]);
});

Deno.test("Mysql56 goes with its folder, and keeps one it was given", async () => {
  const given = await Deno.makeTempDir();
  let temporary: string;
  {
    await using server = await startMysql56();
    await using keeper = await startMysql56({ dataDir: given });
    await keeper.query("CREATE TABLE test.t (id INT PRIMARY KEY)");
    temporary = server.dir;
    assert(isThere(`${temporary}/data/ibdata1`));
  }
  assertEquals(isThere(temporary), false);
  {
    await using keeper = await startMysql56({ dataDir: given });
    assertEquals((await keeper.query("SELECT id FROM test.t")).rows, []);
  }
  await Deno.remove(given, { recursive: true });
});

Deno.test("startMysql56() says why a server does not come up", async () => {
  const error = await assertRejects(
    () => startMysql56({ extraArgs: ["--no-such-option"] }),
    TestServerError,
  );
  assert(error.message.includes("unknown option '--no-such-option'"));
});

Deno.test("Mysql56 ends when its process is killed", async () => {
  const module = import.meta.resolve(
    "../../../scripts/test_servers/mysql56.ts",
  );
  const script = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(
    script,
    `import { startMysql56 } from "${module}";
const server = await startMysql56();
console.log(JSON.stringify([server.pid, server.dir]));
await new Promise(() => setInterval(() => {}, 1000));
`,
  );
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", ...await importFlags(), script],
    cwd: new URL("../../../", import.meta.url),
    stdout: "piped",
  }).spawn();
  let output = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    output += text;
    if (output.includes("\n")) break;
  }
  const [pid, dir] = JSON.parse(output) as [number, string];
  assert(isThere(`/proc/${pid}`));
  child.kill("SIGKILL");
  await child.status;
  await waitUntil("the server was gone", () => !isThere(`/proc/${pid}`));
  await waitUntil("its folder was gone", () => !isThere(dir));
  await Deno.remove(script);
});
