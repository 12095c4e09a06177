import { assertEquals, assertStringIncludes } from "@std/assert";
import { REPLICATION_ACCOUNT } from "../../../scripts/test_servers/mysql56.ts";
import { freePort } from "../../../scripts/test_servers/free_port.ts";
import { documentedCommands } from "../../../scripts/cli_docs.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { DumpClient } from "../../support/dump_client.ts";
import {
  KingbusProcess,
  kingbusProgram,
  type ProcessEnd,
  runToEnd,
} from "../../support/kingbus_process.ts";
import { SharedSource56 } from "../../support/shared_mysql56.ts";

const source = new SharedSource56();

const UUID = "22222222-71ca-11e1-9e33-c80aa9429562";

/** What a command ends with, where that is not 0, and what it prints. */
const EXPECTED: Readonly<
  Record<string, { code?: number; output: readonly string[] }>
> = {
  "config check": { output: ["source 127.0.0.1:", "0 problems"] },
  "ready": { output: [] },
  "status": { output: ["ready", "following 127.0.0.1:", "LAG"] },
  "replicas": { output: ["FROM", "repl"] },
  // nobody has that number
  "replicas kick": { code: 1, output: [] },
  "files": { output: ["binlog.000001", "1 file, "] },
  "source status": { output: ["following 127.0.0.1:"] },
  "source stop": { output: ["the source is not followed any more"] },
  "source start": { output: ["127.0.0.1:"] },
  "server stop": { output: ["replicas are not served any more"] },
  "server start": { output: ["listening on 127.0.0.1:", "users repl"] },
  "events": { output: ["binlog.000001\n", "CREATE DATABASE"] },
  "verify": { output: ["\nsound\n"] },
  "export": { output: ["1 file in ./backup"] },
  "import": { output: ["imported 1 file"] },
  "purge": { output: ["would remove nothing"] },
  "completions": { output: ["complete -F _kingbus kingbus"] },
  "version": { output: ["kingbus "] },
  "help": { output: ["Usage: kingbus status"] },
};

Deno.test("each command's example does what it is for, beside a node and without one", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kingbus-examples-" });
  try {
    await source.run("CREATE DATABASE shop");
    const { user, password } = REPLICATION_ACCOUNT;
    await Deno.writeTextFile(
      `${folder}/kingbus.yaml`,
      `data-dir: ./data
server:
  users:
    - { name: repl, password: replpass }
source:
  address: 127.0.0.1:${source.port}
  user: ${user}
  password: ${password}
`,
    );
    await using kingbus = await KingbusProcess.start([
      `--config=${folder}/kingbus.yaml`,
      `--data-dir=${folder}/data`,
    ]);
    const admin = kingbus.adminUrl.replace("http://", "");
    const run = (args: readonly string[]): Promise<ProcessEnd> => {
      const [program = "", ...rest] = kingbusProgram(args);
      return runToEnd(
        new Deno.Command(program, {
          args: rest,
          cwd: folder,
          env: { NO_COLOR: "1", KINGBUS_CONFIG: "kingbus.yaml" },
          stdin: "null",
          stdout: "piped",
          stderr: "piped",
        }),
      );
    };
    await kingbus.ask("GET", "/status");
    await waitUntil("the log has the database", async () => {
      const { data } = await kingbus.ask("GET", "/binlog/syncer/status");
      return (data as { executed_gtid_set: string }).executed_gtid_set !== "";
    });
    await using _replica = await DumpClient.open({
      port: Number(kingbus.serverListen.split(":")[1]),
    }, { serverId: 77, flags: 0, executed: "", uuid: UUID });
    const commands = documentedCommands().filter(({ name }) =>
      name !== "serve"
    );
    for (const { name, example, flags } of commands) {
      const [, ...args] = example.split(" ");
      // the node's port is its own, so that others on this machine may run
      const takesAdmin = flags.some((flag) => flag.name === "admin-listen");
      const found = takesAdmin ? [`--admin-listen=${admin}`] : [];
      const { code = 0, output } = EXPECTED[name]!;
      const end = await run([...args, ...found]);
      assertEquals(end.code, code, `${example}: ${end.stdout}${end.stderr}`);
      for (const text of output) assertStringIncludes(end.stdout, text);
      if (name === "source start") await kingbus.logged("following the source");
    }
    assertEquals(
      Object.keys(EXPECTED).length,
      commands.length,
      "each command is looked at",
    );
    const nobody = `127.0.0.1:${freePort()}`;
    kingbus.signal("SIGTERM");
    await kingbus.ended();
    for (
      const [args, expected, text] of [
        [["status"], 1, "node      kingbus, kingbus "],
        [["source", "status"], 1, `source    stopped 127.0.0.1:${source.port}`],
        [["files"], 0, "binlog.000001"],
        [["replicas"], 0, "no replica is connected"],
      ] as const
    ) {
      const { code, stdout, stderr } = await run([
        ...args,
        `--admin-listen=${nobody}`,
      ]);
      assertEquals(code, expected, stderr);
      assertStringIncludes(stdout, text);
      assertEquals(
        stderr,
        `kingbus: no node runs at http://${nobody}, so this is what the store in ./data knows\n`,
      );
      const json = await run([...args, "--json", `--admin-listen=${nobody}`]);
      assertEquals(JSON.parse(json.stdout).from, "store");
    }
    const nothing = await run([
      "files",
      "--data-dir=./none",
      `--admin-listen=${nobody}`,
    ]);
    assertEquals([nothing.code, nothing.stdout], [1, ""]);
    assertStringIncludes(nothing.stderr, "is the data-dir right?");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
