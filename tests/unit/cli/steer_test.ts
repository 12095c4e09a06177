import { assertEquals, assertStringIncludes } from "@std/assert";
import { ControlError } from "../../../lib/admin/control.ts";
import { COMMANDS } from "../../../lib/cli/commands.ts";
import { runCli } from "../../../lib/cli/run_cli.ts";
import { memoryTerminal, type Surroundings } from "./memory_terminal.ts";
import { type RunningNode, runningNode } from "./running_node.ts";

async function run(
  args: string[],
  node: RunningNode,
  surroundings: Surroundings = {},
): Promise<{ code: number; output: string; errors: string }> {
  const terminal = memoryTerminal({ fetch: node.fetch, ...surroundings });
  const code = await runCli(args, COMMANDS, terminal);
  return { code, output: terminal.output(), errors: terminal.errors() };
}

Deno.test("kingbus source stops, starts and follows another one", async () => {
  const node = runningNode();
  const started = await run(["source", "start"], node);
  assertEquals([started.code, started.errors], [0, ""]);
  assertStringIncludes(started.output, "following 127.0.0.1:3306 as kb");
  assertEquals(node.syncer.request, undefined);
  assertEquals(await run(["source", "start"], node), {
    code: 0,
    output:
      "the source is followed already: following 127.0.0.1:3306 as kb; kingbus source status tells how it goes on\n",
    errors: "",
  });
  const stopped = await run(["source", "stop"], node);
  assertEquals(stopped, {
    code: 0,
    output: "the source is not followed any more\n",
    errors: "",
  });
  const other = await run(
    [
      "source",
      "start",
      "--address=db2:3306",
      "--user=kb",
      "--password-file=p",
      "--start=newest",
    ],
    node,
    { files: { p: "hunter2\n" } },
  );
  assertEquals(other.code, 0, other.errors);
  const { address, user, password, start } = node.syncer.request!;
  assertEquals([address, user, password, start], [
    { hostname: "db2", port: 3306 },
    "kb",
    "hunter2",
    "newest",
  ]);
  const wrong = await run(
    [
      "source",
      "start",
      "--address=db2:3306",
      "--user=kb",
      "--password-env=P",
      "--start=x",
    ],
    node,
    { env: { P: "hunter2" } },
  );
  assertEquals([wrong.code, wrong.output], [2, ""]);
  assertStringIncludes(wrong.errors, "kingbus: --start must be oldest");
  node.syncer.failWith = new ControlError("invalid", "give mysql_addr");
  assertEquals(await run(["source", "start"], node), {
    code: 1,
    output: "",
    errors:
      "kingbus: there is no source to follow: name it with --address, --user and --password-file, or as source in the node's configuration\n",
  });
});

Deno.test("kingbus source status tells by its exit code whether it is followed", async () => {
  const node = runningNode();
  await node.syncer.start(undefined);
  const well = await run(["source", "status"], node);
  assertEquals(well.code, 0);
  assertStringIncludes(
    well.output,
    "source    following 127.0.0.1:3306 as kb\n",
  );
  node.syncer.current = { wanted: true, state: "failed", cause: "purged" };
  assertEquals((await run(["source", "status"], node)).code, 3);
  node.syncer.current = { wanted: false, state: "stopped" };
  assertEquals((await run(["source", "status"], node)).code, 0);
  const { output } = await run(["source", "status", "--json"], node);
  const { from, data } = JSON.parse(output);
  assertEquals([from, data.state], ["node", "stopped"]);
});

Deno.test("kingbus server stops and starts", async () => {
  const node = runningNode();
  assertEquals((await run(["server", "stop"], node)).code, 0);
  assertEquals(node.server.report().state, "stopped");
  const plain = await run(["server", "start"], node);
  assertEquals([plain.code, plain.output], [
    0,
    "listening on 127.0.0.1:3390, users repl\n",
  ]);
  assertEquals(node.server.request, undefined);
  const given = await run(
    ["server", "start", "--listen=0.0.0.0:1", "--user=u", "--password-env=P"],
    node,
    { env: { P: "hunter2" } },
  );
  assertEquals(given.code, 0, given.errors);
  assertEquals(node.server.request, {
    listen: { hostname: "0.0.0.0", port: 1 },
    account: { name: "u", password: "hunter2" },
  });
});

Deno.test("kingbus replicas lists them, and kicks one", async () => {
  const node = runningNode();
  const [replica] = node.server.report().replicas;
  node.server.current = {
    replicas: [{ ...replica!, hostName: "\u001b]0;pwned\u0007" }],
  };
  const listed = await run(["replicas"], node);
  assertEquals([listed.code, listed.errors], [0, ""]);
  assertStringIncludes(listed.output, "18446744073709551615  10.0.0.2:51234");
  assertStringIncludes(listed.output, "?]0;pwned?");
  const { from, data } = JSON.parse(
    (await run(["replicas", "--json"], node)).output,
  );
  assertEquals([from, data.connected.length, data.kept_for], ["node", 1, []]);
  assertEquals(data.connected[0].host_name, "\u001b]0;pwned\u0007");
  const kicked = await run(["replicas", "kick", "18446744073709551615"], node);
  assertEquals([kicked.code, kicked.errors], [0, ""]);
  const nobody = await run(["replicas", "kick", "9"], node);
  assertEquals([nobody.code, nobody.output], [1, ""]);
});

Deno.test("kingbus files lists them with their sizes and times", async () => {
  const node = runningNode();
  const { code, output } = await run(["files"], node);
  assertEquals(code, 0);
  assertEquals(
    output,
    `NAME            SIZE  BYTES  FIRST EVENT          LAST EVENT  STATE    FROM SERVER
binlog.000042  157 B    157  2023-11-14 22:13:20              written  3e11fa47-71ca-11e1-9e33-c80aa9429562
1 file, 157 B
`,
  );
  const json = JSON.parse((await run(["files", "--json"], node)).output);
  assertEquals([json.from, json.data[0].name], ["node", "binlog.000042"]);
});

Deno.test("what only a running node can do is not done without one", async () => {
  const fetch = () =>
    Promise.reject(new TypeError("Connection refused (os error 111)"));
  const node = runningNode();
  for (
    const args of [
      ["source", "start"],
      ["source", "stop"],
      ["server", "start"],
      ["server", "stop"],
      ["replicas", "kick", "1"],
      ["status", "--admin", "127.0.0.1:9595"],
      ["replicas", "--admin", "127.0.0.1:9595"],
      ["files", "--admin", "127.0.0.1:9595"],
      ["source", "status", "--admin", "127.0.0.1:9595"],
      ["purge", "--to", "x", "--admin", "127.0.0.1:9595"],
    ]
  ) {
    assertEquals(await run(args, node, { fetch }), {
      code: 1,
      output: "",
      errors:
        "kingbus: no node answers at http://127.0.0.1:9595: connection refused; is it running, and is its address right (--admin, --admin-listen)?\n",
    });
  }
});
