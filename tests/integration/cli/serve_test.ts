import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ClientConnection } from "../../../lib/connection/client_connection.ts";
import { ServerError } from "../../../lib/protocol/server_error.ts";
import { VERSION } from "../../../lib/version.ts";
import { KingbusProcess, runKingbus } from "../../support/kingbus_process.ts";

async function withFolder(
  test: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "kingbus-serve-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function login(
  listen: string,
  user: string,
  password: string,
): Promise<string> {
  const [hostname, port] = listen.split(":");
  try {
    await using connection = await ClientConnection.connect({
      hostname: hostname!,
      port: Number(port),
      user,
      password,
      connectTimeoutMs: 5000,
    });
    return connection.serverVersion;
  } catch (error) {
    if (error instanceof ServerError) return `error ${error.code}`;
    throw error;
  }
}

/** A source that nobody listens at: following it means waiting for it. */
const NOBODY = {
  mysql_addr: "127.0.0.1:1",
  mysql_user: "kb",
  mysql_password: "hunter2",
};

Deno.test("kingbus serve runs without configuration and says how to give it a source", () =>
  withFolder(async (folder) => {
    await using kingbus = await KingbusProcess.start([
      `--data-dir=${folder}/d`,
    ]);
    const hint = await kingbus.logged("no source yet");
    assertStringIncludes(hint.message, "--source-address");
    assertStringIncludes(hint.message, "kingbus source start --address");
    const { message } = await kingbus.logged("no account yet");
    assertStringIncludes(message, "kingbus server start --user");
    assertEquals(await login(kingbus.serverListen, "root", ""), "error 1045");
    assertEquals((await kingbus.ask("GET", "/healthz")).status, 200);
    assertEquals((await kingbus.ask("GET", "/readyz")).status, 200);
    const address = kingbus.adminUrl.replace("http://", "");
    const status = await runKingbus(["status", `--admin-listen=${address}`]);
    assertEquals([status.code, status.stderr], [0, ""]);
    assert(status.stdout.includes(`kingbus ${VERSION}`), status.stdout);
    kingbus.signal("SIGTERM");
    assertEquals(await kingbus.ended(), 0);
    assertEquals(kingbus.lines.at(-1)?.message, "stopped");
  }));

Deno.test("kingbus serve ends with 0 on SIGINT, with 1 on a second signal", () =>
  withFolder(async (folder) => {
    await using kingbus = await KingbusProcess.start([`--data-dir=${folder}`]);
    // A request that never ends holds the drain up for a while.
    const [hostname, port] = kingbus.adminUrl.replace("http://", "").split(":");
    using held = await Deno.connect({
      hostname: hostname!,
      port: Number(port),
    });
    await held.write(
      new TextEncoder().encode(
        "PUT /binlog/syncer/start HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n",
      ),
    );
    await kingbus.logged("admin request");
    kingbus.signal("SIGINT");
    await kingbus.logged("draining");
    kingbus.signal("SIGINT");
    assertEquals(await kingbus.ended(), 1);

    await using again = await KingbusProcess.start([`--data-dir=${folder}`]);
    again.signal("SIGINT");
    assertEquals(await again.ended(), 0);
  }));

Deno.test("kingbus serve resumes after kill -9 what the admin API was told", () =>
  withFolder(async (folder) => {
    const args = [`--data-dir=${folder}`, "--log-level=debug"];
    const asked: string[] = [];
    for (let life = 0; life < 4; life++) {
      await using kingbus = await KingbusProcess.start(args);
      const { data } = await kingbus.ask("GET", "/status");
      const { syncer, server } = data as Record<string, {
        wanted: boolean;
        mysql_addr: string;
        user: string;
        status: string;
      }>;
      asked.push(
        [syncer!.wanted, syncer!.mysql_addr, server!.wanted, server!.user]
          .join(" "),
      );
      if (life === 0) {
        await kingbus.ask("PUT", "/binlog/syncer/start", NOBODY);
        await kingbus.ask("PUT", "/binlog/server/stop");
        const account = { user: "repl", password: "hunter3" };
        await kingbus.ask("PUT", "/binlog/server/start", account);
      }
      if (life === 1) {
        assertEquals(
          await login(kingbus.serverListen, "repl", "hunter3"),
          "8.4.0-kingbus",
        );
        assertEquals((await kingbus.ask("GET", "/readyz")).status, 503);
        await kingbus.ask("PUT", "/binlog/syncer/stop");
      }
      if (life === 2) {
        await kingbus.logged(
          "the syncer was stopped on purpose; kingbus source start",
        );
        assertEquals((await kingbus.ask("GET", "/readyz")).status, 200);
        await kingbus.ask("PUT", "/binlog/server/stop");
      }
      if (life === 3) {
        await kingbus.logged(
          "the server was stopped on purpose; kingbus server start",
        );
      }
      kingbus.signal("SIGKILL");
      await kingbus.ended();
      const said = JSON.stringify(kingbus.lines);
      assertEquals(/hunter/.test(said), false, said);
    }
    assertEquals(asked, [
      "false  true ",
      "true 127.0.0.1:1 true repl",
      "false 127.0.0.1:1 true repl",
      "false 127.0.0.1:1 false repl",
    ]);
  }));

Deno.test("kingbus serve says in one line why it can't start", () =>
  withFolder(async (folder) => {
    await using first = await KingbusProcess.start([`--data-dir=${folder}/1`]);
    const admin = first.adminUrl.replace("http://", "");
    const cases: [string[], string][] = [
      [
        [`--data-dir=${folder}/1`, "--admin-listen=127.0.0.1:0"],
        "has it open",
      ],
      [[`--data-dir=${folder}/2`, `--admin-listen=${admin}`], admin],
      [
        [
          `--data-dir=${folder}/2`,
          "--admin-listen=127.0.0.1:0",
          `--server-listen=${first.serverListen}`,
        ],
        first.serverListen,
      ],
    ];
    for (const [args, why] of cases) {
      const free = args.some((arg) => arg.startsWith("--server-listen"))
        ? []
        : ["--server-listen=127.0.0.1:0"];
      const { code, stderr } = await runKingbus([...args, ...free]);
      assertEquals(code, 1, stderr);
      const last = stderr.trimEnd().split("\n").at(-1)!;
      assert(last.includes("can't start") && last.includes(why), stderr);
    }
  }));

Deno.test("kingbus serve refuses a broken configuration with exit code 2 and one line", () =>
  withFolder(async (folder) => {
    const file = `${folder}/kingbus.yaml`;
    await Deno.writeTextFile(file, "name: a\nserver:\n  lisen: 127.0.0.1:1\n");
    const expected =
      `kingbus: ${file}:3: server.lisen: is no key here; did you mean "listen"?\n`;
    const byFlag = await runKingbus(["--config", file]);
    assertEquals([byFlag.code, byFlag.stderr], [2, expected]);
    const byVariable = await runKingbus(["serve"], { KINGBUS_CONFIG: file });
    assertEquals([byVariable.code, byVariable.stderr], [2, expected]);
    const gone = await runKingbus(["status", "--admin-listen=127.0.0.1:1"]);
    assertEquals(gone.code, 1);
    assertEquals(gone.stderr.split("\n").length, 2, gone.stderr);
  }));
