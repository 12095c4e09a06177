import { assert, assertEquals } from "@std/assert";
import { AdminApi } from "../../../lib/admin/admin_api.ts";
import { adminRoutes } from "../../../lib/admin/admin_routes.ts";
import { runCli } from "../../../lib/cli/run_cli.ts";
import { statusCommand } from "../../../lib/cli/status_command.ts";
import type { Terminal } from "../../../lib/cli/terminal.ts";
import { silentLog } from "../../../lib/log/log.ts";
import {
  BUSY_RETENTION,
  listFiles,
  MemoryRetentionControl,
  MemoryServerControl,
  MemorySyncerControl,
  NODE,
  QUIET_LIVE,
} from "../admin/memory_controls.ts";
import { memoryTerminal, type Surroundings } from "./memory_terminal.ts";

async function status(
  args: string[],
  surroundings: Surroundings,
): Promise<{ code: number; output: string; errors: string }> {
  const terminal = memoryTerminal(surroundings);
  const code = await runCli(["status", ...args], [statusCommand], terminal);
  return { code, output: terminal.output(), errors: terminal.errors() };
}

function runningNode(): {
  asked: string[];
  fetch: Terminal["fetch"];
  syncer: MemorySyncerControl;
  server: MemoryServerControl;
  retention: MemoryRetentionControl;
} {
  const asked: string[] = [];
  const syncer = new MemorySyncerControl();
  const server = new MemoryServerControl();
  const retention = new MemoryRetentionControl();
  const api = new AdminApi({
    routes: adminRoutes({
      live: QUIET_LIVE,
      syncer,
      server,
      retention,
      files: listFiles,
      node: () => NODE,
    }),
    log: silentLog(),
  });
  const fetch = async (url: string): Promise<Response> => {
    asked.push(url);
    return await api.handle(new Request(url));
  };
  return { asked, fetch, syncer, server, retention };
}

Deno.test("kingbus status prints what the node says, for people", async () => {
  const { fetch, syncer, server } = runningNode();
  const [replica] = server.report().replicas;
  server.current = { replicas: [{ ...replica!, bytesSent: 3n * 2n ** 19n }] };
  await syncer.start(undefined);
  syncer.current = {
    since: new Date(1_700_000_000_000),
    source: { serverId: "1", uuid: "u-1", version: "9.7.4" },
    log: {
      ...syncer.report().log,
      executed: "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-23,u-2:1",
    },
  };
  const { code, output, errors } = await status([], { fetch });
  assertEquals([code, errors], [0, ""]);
  assertEquals(
    output,
    `node      node-1, kingbus 0.1.0, since 2023-11-14T22:13:20.000Z, ready
source    following 127.0.0.1:3306 as kb since 2023-11-14T22:13:20.000Z
          9.7.4, server id 1, uuid u-1
log       binlog.000042:157, 2 files, 4 KiB, newest event 2023-11-14T22:13:20.000Z
executed  3e11fa47-71ca-11e1-9e33-c80aa9429562:1-23
          u-2:1
purged    none
kept      everything
server    listening on 127.0.0.1:3390, users repl
replicas  1

                  ID  FROM            USER   SERVER ID  CLIENT                  STATE            AT                 BEHIND      SENT
18446744073709551615  10.0.0.2:51234  repl  4294967295  replica-1 mysqld 9.7.4  dumping by gtid  binlog.000042:120    37 B  1.50 MiB
`,
  );
});

Deno.test("kingbus status says why a node is not ready", async () => {
  const { fetch, syncer, server } = runningNode();
  syncer.current = {
    wanted: true,
    state: "waiting",
    reason: "connection refused",
    target: undefined,
  };
  server.current = { wanted: true, state: "stopped", replicas: [], users: [] };
  const { code, output } = await status([], { fetch });
  assertEquals(code, 0);
  assert(output.includes(", not ready:\n"), output);
  assert(output.includes("source    none\n"), output);
  assert(output.includes("connection refused\n"), output);
  assert(
    output.includes("server    stopped, 127.0.0.1:3390, no user can log in\n"),
    output,
  );
});

Deno.test("kingbus status says what keeps it from its source, and until when", async () => {
  const { fetch, syncer } = runningNode();
  const at = new Date(1_700_000_000_000);
  syncer.current = {
    wanted: true,
    state: "waiting",
    cause: "unreachable",
    reason: "connection refused",
    since: at,
    attempts: 3,
    nextAttemptAt: new Date(1_700_000_001_000),
    connectedAt: at,
    heardAt: at,
  };
  const { output } = await status([], { fetch });
  assert(
    output.includes(`
source    waiting 127.0.0.1:3306 as kb since 2023-11-14T22:13:20.000Z
          unreachable: connection refused
          3 attempts failed, next 2023-11-14T22:13:21.000Z, last connected 2023-11-14T22:13:20.000Z, last heard of 2023-11-14T22:13:20.000Z
`),
    output,
  );
});

Deno.test("kingbus status names the candidates, and which is followed", async () => {
  const { fetch, syncer } = runningNode();
  syncer.current = {
    wanted: true,
    state: "following",
    candidates: [
      {
        address: "127.0.0.1:3306",
        followed: false,
        cause: "behind",
        reason: "it lacks transactions",
        failedAt: new Date(1_700_000_000_000),
      },
      { address: "db2:3306", followed: true },
    ],
  };
  const { output } = await status([], { fetch });
  assert(
    output.includes(`
source    following db2:3306 as kb
            127.0.0.1:3306, behind: it lacks transactions
          * db2:3306
`),
    output,
  );
  assert(output.includes("ready"), output);
  assert(!output.includes("not ready"), output);
});

Deno.test("kingbus status says what is purged and what holds it back", async () => {
  const { fetch, retention } = runningNode();
  retention.current = BUSY_RETENTION;
  const { output } = await status([], { fetch });
  const expected = `
kept      size 20GiB, age 7d, 100 files, free disk 1GiB (1.50 GiB now)
          the last check failed: no such disk
          purged 2 files, 3 KiB, to binlog.000041 at 2023-11-14T22:13:22.000Z (size, age)
          not kept since 2023-11-14T22:13:21.000Z: free-disk; 1 file, 100 B should go
          replica reports (22222222-71ca-11e1-9e33-c80aa9429562) needs binlog.000042:120, since 2023-11-14T22:13:21.000Z
          connection 7 from 10.0.0.2:51234 is at binlog.000042:157, since 2023-11-14T22:13:21.000Z
          reports (22222222-71ca-11e1-9e33-c80aa9429562): away, needs binlog.000042:120, noted 2023-11-14T22:13:20.000Z
          33333333-71ca-11e1-9e33-c80aa9429562: connected, never seen: needs everything
`;
  assert(output.includes(expected), output);
});

Deno.test("kingbus status lets no text of a replica drive the terminal", async () => {
  const { fetch, server } = runningNode();
  const [replica] = server.report().replicas;
  server.current = {
    replicas: [{ ...replica!, hostName: "\u001b[2Jx\r\n", program: "\u009b" }],
  };
  const { output } = await status([], { fetch });
  // deno-lint-ignore no-control-regex -- they are what must not be there
  assertEquals(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/.test(output), false);
});

Deno.test("kingbus status --json prints the answer as it is", async () => {
  const { fetch } = runningNode();
  const { code, output } = await status(["--json"], { fetch });
  assertEquals(code, 0);
  assertEquals(JSON.parse(output).data.name, "node-1");
  assertEquals(output.endsWith("}\n"), true);
});

Deno.test("kingbus status finds the node by configuration, flag and default", async () => {
  const files = { "k.yaml": "admin: { listen: '[::]:9000' }" };
  const cases: [string[], string][] = [
    [[], "http://127.0.0.1:9595/status"],
    [["--config", "k.yaml"], "http://[::1]:9000/status"],
    [["--admin-listen", "0.0.0.0:1"], "http://127.0.0.1:1/status"],
    [
      ["--config", "k.yaml", "--admin-listen", "db1:1"],
      "http://db1:1/status",
    ],
  ];
  for (const [args, url] of cases) {
    const { asked, fetch } = runningNode();
    const { code } = await status(args, { fetch, files });
    assertEquals([code, asked], [0, [url]]);
  }
});

Deno.test("kingbus status needs none of the configuration's secrets", async () => {
  const { fetch } = runningNode();
  const files = {
    "k.yaml": "server:\n  users:\n    - { name: a, password-file: /gone }\n",
  };
  const { code } = await status(["--config", "k.yaml"], { fetch, files });
  assertEquals(code, 0);
});

Deno.test("kingbus status gives exit code 1 when no node answers", async () => {
  const answers: [Terminal["fetch"], string][] = [
    [() => Promise.reject(new TypeError("refused")), "refused"],
    [
      () => Promise.resolve(new Response("x", { status: 404 })),
      "it answered with HTTP status 404",
    ],
    [
      () => Promise.resolve(new Response("<html>")),
      "what answers there is no kingbus of this version",
    ],
    [
      () => Promise.resolve(new Response("null")),
      "what answers there is no kingbus of this version",
    ],
  ];
  for (const [fetch, why] of answers) {
    const { code, output, errors } = await status([], { fetch });
    assertEquals([code, output], [1, ""]);
    assert(
      errors.startsWith(
        `kingbus: no node answers at http://127.0.0.1:9595/status: ${why}`,
      ),
      errors,
    );
    assertEquals(errors.split("\n").length, 2);
  }
});

Deno.test("kingbus status gives exit code 2 to a configuration it can't use", async () => {
  const { code, errors } = await status(["--admin-listen", "127.0.0.1:0"], {});
  assertEquals([code, errors], [
    2,
    "kingbus: admin.listen: a node can't be asked at port 0: name its port\n",
  ]);
  assertEquals((await status(["--config", "none"], {})).code, 2);
});

Deno.test("kingbus status says how the acknowledging stands", async () => {
  const { fetch, syncer, server } = runningNode();
  await syncer.start(undefined);
  const [replica] = server.report().replicas;
  const acks = { asked: 5, received: 5, file: "b.000001", position: 300 };
  server.current = { replicas: [{ ...replica!, acks }] };
  const link = {
    active: true,
    acks: 12,
    file: "b.000001",
    position: 300,
    waiting: 2,
  };
  const gate = {
    state: "synchronous" as const,
    since: new Date(1_700_000_000_000),
    required: 1,
    replicas: 3,
    timeouts: 0,
    acknowledged: 0,
    unacknowledged: 0,
  };
  const cases = [
    [link, undefined, [
      "semi-sync: 12 acknowledgements, the newest b.000001:300, 2 waited for",
    ]],
    [{ ...link, active: false }, undefined, [
      "semi-sync: none, the source lacks it; followed asynchronously",
    ]],
    [link, gate, ["waiting for replicas: 1 required, 3 connected"]],
    [link, { ...gate, state: "degraded" as const }, [
      "waiting for no replica since 2023-11-14T22:13:20.000Z, they took too long: 1 required, 3 connected",
    ]],
  ] as const;
  for (const [link, gate, lines] of cases) {
    syncer.current = { semiSync: { wanted: true, link, gate } };
    const { output } = await status([], { fetch });
    for (const line of lines) assert(output.includes(line), output);
    assert(output.includes("dumping by gtid, semi-sync"), output);
  }
});
