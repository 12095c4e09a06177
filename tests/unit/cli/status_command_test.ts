import { assert, assertEquals } from "@std/assert";
import { unicodeWidth } from "@std/cli";
import { runCli } from "../../../lib/cli/run_cli.ts";
import { statusCommand } from "../../../lib/cli/status_command.ts";
import type { Terminal } from "../../../lib/cli/terminal.ts";
import { BUSY_RETENTION } from "../admin/memory_controls.ts";
import { memoryTerminal, type Surroundings } from "./memory_terminal.ts";
import { runningNode } from "./running_node.ts";

async function status(
  args: string[],
  surroundings: Surroundings,
): Promise<{ code: number; output: string; errors: string }> {
  const terminal = memoryTerminal(surroundings);
  const code = await runCli(["status", ...args], [statusCommand], terminal);
  return { code, output: terminal.output(), errors: terminal.errors() };
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
          up to date
log       binlog.000042:157, 2 files, 4 KiB, newest event 2023-11-14T22:13:20.000Z
executed  3e11fa47-71ca-11e1-9e33-c80aa9429562:1-23
          u-2:1
purged    none
kept      everything
server    listening on 127.0.0.1:3390, users repl
replicas  1

                  ID  FROM            USER   SERVER ID  CLIENT                  STATE            AT                 LAG  BEHIND        RATE      SENT
18446744073709551615  10.0.0.2:51234  repl  4294967295  replica-1 mysqld 9.7.4  dumping by gtid  binlog.000042:120  2 s    37 B  1.21 KiB/s  1.50 MiB
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
  assertEquals(code, 3);
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
          to do: Start the source, or correct source.address.
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
          up to date
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

Deno.test("kingbus status says what is wrong where no node answers", async () => {
  const json = (status: number, message: string) => () =>
    Promise.resolve(Response.json({ message, data: null }, { status }));
  const token =
    "give the token: --token-file, KINGBUS_ADMIN_TOKEN, or --config with the node's configuration\n";
  const other =
    "what answers there is no kingbus of this version; is the address right (--admin, --admin-listen)?\n";
  const url = "http://127.0.0.1:9595";
  const answers: [Terminal["fetch"], number, string][] = [
    [
      () => Promise.reject(new TypeError("dns error: no such host")),
      1,
      `no node can be asked at ${url}: dns error: no such host; is it running, and is its address right (--admin, --admin-listen)?\n`,
    ],
    [
      () =>
        Promise.reject(
          new TypeError(
            `error sending request for url (${url}/status): client error (Connect): dns error: no such host`,
          ),
        ),
      1,
      `no node can be asked at ${url}: dns error: no such host; is it running, and is its address right (--admin, --admin-listen)?\n`,
    ],
    [
      () =>
        Promise.reject(
          new TypeError(
            "client error (SendRequest): invalid HTTP version parsed",
          ),
        ),
      1,
      `${url} can't be used: what answers there does not speak HTTP; is that the port of the replicas, or one with TLS (https://)?\n`,
    ],
    [
      () => Promise.reject(new TypeError("invalid peer certificate: Expired")),
      1,
      `no node can be asked at ${url}: invalid peer certificate: Expired; give the authority's certificate with --admin-ca, and the name the certificate is for with --admin https://NAME:PORT (http:// where the admin API has no TLS)\n`,
    ],
    [
      () => Promise.reject(new DOMException("too slow", "TimeoutError")),
      1,
      `no answer from ${url} within 10 s: is it kingbus that listens there, and is the machine reachable?\n`,
    ],
    [
      () => Promise.resolve(new Response("x", { status: 404 })),
      1,
      `${url} can't be used: it answered with HTTP status 404; ${other}`,
    ],
    [
      () => Promise.resolve(new Response("<html>")),
      1,
      `${url} can't be used: ${other}`,
    ],
    [
      () => Promise.resolve(new Response("null")),
      1,
      `${url} can't be used: ${other}`,
    ],
    [json(200, "success"), 1, `${url} can't be used: ${other}`],
    [json(503, "is stopping\u001b[2J"), 1, "is stopping?[2J\n"],
    [
      json(401, "no token"),
      4,
      `${url} refuses access (it wants a token): no token; ${token}`,
    ],
    [
      // how to send one by hand is not for the command line
      json(
        401,
        "this needs a token: send it as Authorization: Bearer TOKEN",
      ),
      4,
      `${url} refuses access (it wants a token): this needs a token; ${token}`,
    ],
    [
      json(403, "read only"),
      4,
      `${url} refuses access: read only; give the admin token: --token-file, KINGBUS_ADMIN_TOKEN, or --config with the node's configuration\n`,
    ],
    [
      json(421, "unknown host"),
      4,
      `${url} refuses access: unknown host; ask it by an address, or add the name to admin.hosts of its configuration\n`,
    ],
  ];
  for (const [fetch, expected, why] of answers) {
    const { code, output, errors } = await status([], { fetch });
    assertEquals([code, output, errors], [expected, "", `kingbus: ${why}`]);
  }
});

Deno.test("kingbus status sends the token of the file, or of the environment", async () => {
  const sent: (string | undefined)[] = [];
  const fetch: Terminal["fetch"] = (_url, _signal, request) => {
    sent.push(request?.headers?.["authorization"]);
    return Promise.resolve(Response.json({ message: "x" }, { status: 401 }));
  };
  const env = { KINGBUS_ADMIN_TOKEN: "from-env" };
  const files = { t: "from-file\r\n", two: "a\nb\n", none: "\n" };
  const file = await status(["--token-file", "t"], { fetch, env, files });
  assertEquals([file.code, sent.pop()], [4, "Bearer from-file"]);
  assert(file.errors.includes("it does not know the token given"), file.errors);
  assert(!file.errors.includes("from-file"), file.errors);
  await status([], { fetch, env });
  assertEquals(sent.pop(), "Bearer from-env");
  await status([], { fetch });
  assertEquals(sent.pop(), undefined);
  for (
    const [args, why] of [
      [["--token-file", "two"], "--token-file: two holds no token"],
      [["--token-file", "none"], "--token-file: none holds no token"],
      [["--token-file", "gone"], "--token-file: gone does not exist"],
      [["--admin-ca", "t"], "--admin-ca: t holds no certificate in PEM"],
      [["--admin", "x:1", "--admin-listen", "x:1"], "both name the node"],
      [["--admin", "x"], '--admin: "x" is not host:port'],
      [["--admin", "x:0"], "--admin: 0 is the port of nobody"],
      [["--admin", "ftp://x"], "--admin takes host:port, or a URL"],
      [["--admin", "http://u:p@x"], "--admin takes host:port, or a URL"],
      [["--admin", "http://x/y"], "--admin takes host:port, or a URL"],
      [["--watch"], "--watch draws on a terminal"],
      [["--interval", "2s"], "--interval goes with --watch"],
      [["--watch", "--interval", "2"], "--interval takes a duration"],
      [["--watch", "--interval", "2ms"], "--interval takes 200ms to 1h"],
      [["--color", "red"], "--color takes auto, always or never"],
    ] as const
  ) {
    const { code, output, errors } = await status([...args], { fetch, files });
    assertEquals([code, output], [2, ""], errors);
    assert(errors.includes(why), errors);
  }
});

Deno.test("kingbus status asks the node that --admin names", async () => {
  for (
    const [admin, url] of [
      ["db1:9000", "http://db1:9000/status"],
      ["[::1]:9000", "http://[::1]:9000/status"],
      ["https://db1:9000", "https://db1:9000/status"],
      ["https://db1/", "https://db1/status"],
    ] as const
  ) {
    const { asked, fetch } = runningNode();
    const { code } = await status(["--admin", admin], { fetch });
    assertEquals([code, asked], [0, [url]]);
  }
});

Deno.test("kingbus status fits 80 columns, and colours on demand", async () => {
  const { fetch, syncer, server } = runningNode();
  const [replica] = server.report().replicas;
  server.current = {
    replicas: [{ ...replica!, hostName: "数据库".repeat(20) }],
  };
  await syncer.start(undefined);
  syncer.current = {
    log: {
      ...syncer.report().log,
      executed: "3e11fa47-71ca-11e1-9e33-c80aa9429562:" +
        Array.from({ length: 40 }, (_, at) => `${at * 3 + 1}`).join(":"),
    },
  };
  const size = { columns: 80, rows: 24 };
  const surroundings = { fetch, outIsTerminal: true, size };
  const { output } = await status([], surroundings);
  // deno-lint-ignore no-control-regex -- they are what is taken out
  const plain = output.replaceAll(/\u001b\[\d+m/g, "");
  assert(plain.includes("18446744073709551615"), plain);
  for (const line of plain.split("\n")) {
    assert(unicodeWidth(line) <= 80, `${unicodeWidth(line)}: ${line}`);
  }
  for (
    const [args, env, colored] of [
      [[], {}, true],
      [[], { NO_COLOR: "1" }, false],
      [[], { TERM: "dumb" }, false],
      [["--color", "never"], { FORCE_COLOR: "1" }, false],
      [["--color=always"], { NO_COLOR: "1" }, true],
    ] as const
  ) {
    const { output } = await status([...args], { ...surroundings, env });
    assertEquals(output.includes("\u001b["), colored, JSON.stringify(args));
  }
  const piped = await status([], { fetch, env: { FORCE_COLOR: "1" } });
  assert(piped.output.includes("\u001b["));
  assert(!(await status([], { fetch })).output.includes("\u001b["));
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
