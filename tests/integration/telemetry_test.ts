import { assert, assertEquals, assertRejects } from "@std/assert";
import { ServerError } from "../../lib/protocol/server_error.ts";
import { waitUntil } from "../../scripts/test_servers/wait_until.ts";
import {
  REPLICATION_ACCOUNT,
  startMysql56,
} from "../../scripts/test_servers/mysql56.ts";
import { freePort } from "../../scripts/test_servers/free_port.ts";
import { readDump } from "../support/dump_client.ts";
import { commandOf, KingbusProcess } from "../support/kingbus_process.ts";
import { OtlpCollector } from "../support/otlp_collector.ts";

const DOCUMENT = await Deno.readTextFile(
  new URL("../../docs/opentelemetry.md", import.meta.url),
);

/** Names of metrics that the document says appear. */
function documentedMetrics(): string[] {
  return [...DOCUMENT.matchAll(/^\| `((?:http|v8js)\.[a-z_.]+)`/gm)]
    .map(([, name]) => name!).sort();
}

/** What a command asks the node, and the node's answer, are one trace. */
async function commandIsTraced(
  kingbus: KingbusProcess,
  collector: OtlpCollector,
): Promise<void> {
  const args = ["status", "--admin", kingbus.adminUrl];
  const child = commandOf(args, collector.env).spawn();
  const output = child.output();
  const asked = await collector.span(
    "what a command asks",
    ({ kind, scope }) => kind === 3 && scope === "deno",
  );
  await collector.span(
    "the answer to it",
    ({ kind, parent }) => kind === 2 && parent === asked.id,
  );
  // It has ended by now, unless Deno hangs (see the document).
  try {
    child.kill("SIGKILL");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  await output;
}

async function writeConfig(
  folder: string,
  sourcePort: number,
): Promise<string> {
  const { user, password } = REPLICATION_ACCOUNT;
  const path = `${folder}/kingbus.yaml`;
  await Deno.writeTextFile(
    path,
    `
data-dir: ${folder}/data
server:
  tls: { mode: disabled }
  users: [{ name: ${user}, password: ${password} }]
source:
  address: 127.0.0.1:${sourcePort}
  user: ${user}
  password: ${password}
  tls: { mode: disabled }
`,
  );
  return path;
}

/** Starts kingbus with these variables. */
function start(
  config: string,
  env: Record<string, string>,
): Promise<KingbusProcess> {
  const launch = (args: readonly string[]) => commandOf(args, env);
  return KingbusProcess.start(["--config", config], launch);
}

async function portOf(kingbus: KingbusProcess): Promise<number> {
  await kingbus.logged("following the source");
  return Number(kingbus.serverListen.split(":").at(-1));
}

Deno.test("kingbus sends OpenTelemetry what docs/opentelemetry.md says", async () => {
  await using source = await startMysql56();
  await using collector = new OtlpCollector();
  const folder = await Deno.makeTempDir();
  try {
    const config = await writeConfig(folder, source.port);
    await using kingbus = await start(config, collector.env);
    const port = await portOf(kingbus);
    await waitUntil("the log has begun", async () => {
      const { data } = await kingbus.ask("GET", "/binlog/files");
      return (data as unknown[]).length > 0;
    });
    const uuid = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
    await readDump({ port }, { uuid });
    await assertRejects(
      () => readDump({ port }, { fileName: "nonsense.000001" }),
      ServerError,
    );

    const request = await collector.span(
      "a request to the admin API",
      ({ attributes }) => attributes["url.path"] === "/binlog/files",
    );
    assertEquals([request.scope, request.kind], ["deno", 2]);
    assertEquals(request.attributes["http.request.method"], "GET");
    assertEquals(
      String(request.attributes["http.response.status_code"]),
      "200",
    );

    await commandIsTraced(kingbus, collector);

    const connect = await collector.span(
      "the connection to the source",
      ({ name }) => name === "connect source",
    );
    assertEquals([connect.scope, connect.kind], ["kingbus", 3]);
    assertEquals(connect.status, 0);
    const address = `127.0.0.1:${source.port}`;
    assertEquals(connect.attributes["server.address"], address);

    const dump = await collector.span(
      "a dump",
      ({ attributes }) => attributes["kingbus.replica.uuid"] === uuid,
    );
    assertEquals([dump.name, dump.kind, dump.status], ["dump", 2, 0]);
    assertEquals(dump.attributes["kingbus.dump.mode"], "position");
    assert(Number(dump.attributes["kingbus.bytes_sent"]) > 100);

    const refused = await collector.span(
      "a dump that was refused",
      ({ name, status }) => name === "dump" && status === 2,
    );
    assertEquals(refused.attributes["error.type"], "1236");

    assertEquals(collector.resource["service.name"], "kingbus");
    const wanted = documentedMetrics();
    assert(wanted.length >= 8, "the document names the metrics");
    await waitUntil(
      "all metrics of the document came",
      () => wanted.every((name) => collector.metrics.has(name)),
      { deadlineMs: 30_000 },
    );
    assertEquals([...collector.metrics].sort(), wanted);
    assertEquals(collector.logs, 0, "kingbus's log does not go this way");

    // It drains as without; that the process ends is up to Deno, which can
    // hang while it sends the last of it.
    kingbus.signal("SIGTERM");
    await kingbus.logged("stopped");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("kingbus's attempts to reach a source that is away are spans with the cause", async () => {
  await using collector = new OtlpCollector();
  const folder = await Deno.makeTempDir();
  try {
    const config = await writeConfig(folder, freePort());
    await using _kingbus = await start(config, collector.env);
    const failed = await collector.span(
      "a failed attempt",
      ({ name, status }) => name === "connect source" && status === 2,
    );
    assertEquals(failed.attributes["error.type"], "unreachable");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("kingbus sends nothing and goes on when the collector is away or not wanted", async () => {
  const collector = new OtlpCollector();
  const { env } = collector;
  const folder = await Deno.makeTempDir();
  try {
    const config = await writeConfig(folder, freePort());
    {
      const { OTEL_DENO: _, ...unwanted } = env;
      await using kingbus = await start(config, unwanted);
      assertEquals((await kingbus.ask("GET", "/healthz")).status, 200);
      kingbus.signal("SIGTERM");
      assertEquals(await kingbus.ended(), 0);
      assertEquals(collector.spans, []);
      assertEquals(collector.metrics.size, 0);
    }
    await collector[Symbol.asyncDispose]();
    await using kingbus = await start(config, env);
    assertEquals((await kingbus.ask("GET", "/healthz")).status, 200);
    kingbus.signal("SIGTERM");
    await kingbus.logged("stopped");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
