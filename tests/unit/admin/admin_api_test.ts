import { assert, assertEquals } from "@std/assert";
import { AdminApi } from "../../../lib/admin/admin_api.ts";
import { adminRoutes } from "../../../lib/admin/admin_routes.ts";
import { ControlError } from "../../../lib/admin/control.ts";
import { BODY_BYTES_MAX } from "../../../lib/admin/read_text.ts";
import { openLog } from "../../../lib/log/log.ts";
import { RetentionError } from "../../../lib/retention/retention_error.ts";
import {
  BUSY_RETENTION,
  type MemoryRetentionControl,
  type MemoryServerControl,
  type MemorySyncerControl,
  NODE,
} from "./memory_controls.ts";
import { MemoryNode } from "./memory_node.ts";

function openApi(info = NODE): {
  api: AdminApi;
  ask: (method: string, path: string, body?: unknown) => Promise<Answer>;
  syncer: MemorySyncerControl;
  server: MemoryServerControl;
  retention: MemoryRetentionControl;
  lines: string[];
} {
  const node = new MemoryNode(info);
  const { syncer, server, retention } = node;
  const lines: string[] = [];
  const log = openLog({
    level: "debug",
    format: "text",
    write: (line) => lines.push(line),
  });
  const api = new AdminApi({
    routes: adminRoutes(node),
    log,
  });
  const ask = async (
    method: string,
    path: string,
    body?: unknown,
  ): Promise<Answer> => {
    const text = typeof body === "string" || body === undefined
      ? body
      : JSON.stringify(body);
    const response = await api.handle(
      new Request(`http://localhost${path}`, {
        method,
        ...(text === undefined ? {} : { body: text }),
      }),
    );
    const answer = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: answer === "" ? undefined : JSON.parse(answer),
    };
  };
  return { api, ask, syncer, server, retention, lines };
}

interface Answer {
  status: number;
  headers: Headers;
  body: { message: string; data?: unknown };
}

const START = {
  syncer_id: 1001,
  syncer_uuid: "3E11FA47-71CA-11E1-9E33-C80AA9429562",
  mysql_addr: "[::1]:3306",
  mysql_user: "kb",
  mysql_password: "hunter2",
  semi_sync: false,
  candidates: ["db2:3306"],
};

Deno.test("GET /cluster answers the node alone, its id in hexadecimal", async () => {
  const { body, status, headers } = await openApi().ask("GET", "/cluster");
  assertEquals(status, 200);
  assertEquals(headers.get("content-type"), "application/json");
  assertEquals(body, {
    message: "success",
    data: [{
      Id: "fedcba9876543210",
      peerURLs: [],
      name: "node-1",
      adminURLs: ["http://127.0.0.1:9595"],
      isLeader: true,
    }],
  });
});

Deno.test("GET /members answers the node alone, its id as text", async () => {
  const { body } = await openApi().ask("GET", "/members");
  assertEquals(body.data, [{
    Id: "18364758544493064720",
    peerURLs: [],
    name: "node-1",
    adminURLs: ["http://127.0.0.1:9595"],
  }]);
});

Deno.test("membership changes are refused with 501 and a reason", async () => {
  const { ask } = openApi();
  for (
    const [method, path] of [
      ["POST", "/members"],
      ["PUT", "/members"],
      ["DELETE", "/members"],
      ["PUT", "/admin/url"],
    ] as const
  ) {
    const { status, body } = await ask(method, path, { name: "x" });
    assertEquals(status, 501, `${method} ${path}`);
    assert(body.message.includes("runs alone"));
    assertEquals("data" in body, false);
  }
});

Deno.test("PUT /binlog/syncer/start passes kingbus's body on", async () => {
  const { ask, syncer, lines } = openApi();
  const { status, body } = await ask("PUT", "/binlog/syncer/start", START);
  assertEquals([status, body], [200, { message: "success", data: "" }]);
  assertEquals(syncer.request, {
    address: { hostname: "::1", port: 3306 },
    user: "kb",
    password: "hunter2",
    serverId: 1001,
    uuid: "3e11fa47-71ca-11e1-9e33-c80aa9429562",
    start: undefined,
    semiSync: false,
    candidates: [{ hostname: "db2", port: 3306 }],
  });
  assertEquals(lines.some((line) => line.includes("hunter2")), false);
});

Deno.test("PUT /binlog/syncer/start needs only address, user and password", async () => {
  const { ask, syncer } = openApi();
  const body = {
    mysql_addr: "db:3306",
    mysql_user: "kb",
    mysql_password: "",
    start: "newest",
  };
  assertEquals((await ask("PUT", "/binlog/syncer/start", body)).status, 200);
  assertEquals(syncer.request?.start, "newest");
  assertEquals(syncer.request?.serverId, undefined);
});

Deno.test("PUT /binlog/syncer/start with an empty body means what was configured", async () => {
  for (const text of [undefined, "", " \n", "{}"]) {
    const { ask, syncer } = openApi();
    assertEquals((await ask("PUT", "/binlog/syncer/start", text)).status, 200);
    assertEquals(syncer.started, 1);
    assertEquals(syncer.request, undefined);
  }
});

Deno.test("PUT /binlog/syncer/start refuses bad arguments with 400 and the key", async () => {
  const cases: [unknown, string][] = [
    [
      { ...START, syncer_id: -1 },
      "syncer_id: must be from 1 to 4294967295, not -1",
    ],
    [
      { ...START, syncer_id: 1.5 },
      "syncer_id: must be a whole number, not 1.5",
    ],
    [
      { ...START, syncer_uuid: "x" },
      'syncer_uuid: must be a uuid such as 3e11fa47-71ca-11e1-9e33-c80aa9429562, not "x"',
    ],
    [{ ...START, mysql_addr: "db1" }, 'mysql_addr: "db1" is not host:port'],
    [
      { ...START, mysql_addr: "db1:0" },
      "mysql_addr: must have a port from 1 to 65535",
    ],
    [{ ...START, mysql_addr: undefined }, "mysql_addr: is missing"],
    [{ ...START, mysql_user: "" }, "mysql_user: must not be empty"],
    [
      { ...START, mysql_password: 5 },
      "mysql_password: must be a text: put it in quotes",
    ],
    [
      { ...START, mysql_pasword: "hunter2" },
      'mysql_pasword: is no key here; did you mean "mysql_password"?',
    ],
    [
      { ...START, semi_sync: 1 },
      "semi_sync: must be true or false, not 1",
    ],
    [
      { ...START, start: "x" },
      'start: must be oldest, newest, a GTID set or a MariaDB GTID position, not "x"',
    ],
    ["[]", "the body must be a JSON object"],
    ["null", "the body must be a JSON object"],
    ["{hunter2", "the body is no valid JSON"],
  ];
  const { ask, syncer } = openApi();
  for (const [given, message] of cases) {
    const { status, body } = await ask("PUT", "/binlog/syncer/start", given);
    assertEquals([status, body], [400, { message }]);
  }
  assertEquals(syncer.started, 0);
});

Deno.test("PUT /binlog/syncer/start answers 409 when it runs already", async () => {
  const { ask } = openApi();
  await ask("PUT", "/binlog/syncer/start", START);
  const { status, body } = await ask("PUT", "/binlog/syncer/start", START);
  assertEquals([status, body.message], [
    409,
    "kingbus: server already started",
  ]);
});

Deno.test("a control's error keeps its cause and gets its status", async () => {
  const cases: [unknown, number, string][] = [
    [
      new ControlError("unavailable", "cannot listen", {
        cause: new Error("address in use"),
      }),
      503,
      "cannot listen: address in use",
    ],
    [
      new ControlError("invalid", "no source is configured"),
      400,
      "no source is configured",
    ],
    [
      new TypeError("broken mysql://u:hunter2@h/"),
      500,
      "a fault in kingbus itself: its log says more",
    ],
  ];
  for (const [error, status, message] of cases) {
    const { ask, syncer, lines } = openApi();
    syncer.failWith = error;
    const answer = await ask("PUT", "/binlog/syncer/start", START);
    assertEquals([answer.status, answer.body], [status, { message }]);
    assertEquals(lines.some((line) => line.includes("hunter2")), false);
  }
});

Deno.test("PUT /binlog/syncer/stop answers 200, also when it is stopped", async () => {
  const { ask } = openApi();
  for (let time = 0; time < 2; time++) {
    const { status, body } = await ask("PUT", "/binlog/syncer/stop");
    assertEquals([status, body], [200, { message: "success", data: "" }]);
  }
});

Deno.test("GET /binlog/syncer/status has kingbus's fields, and no password", async () => {
  const { ask, syncer } = openApi();
  await ask("PUT", "/binlog/syncer/start", START);
  syncer.current = {
    since: new Date(1_700_000_000_000),
    source: {
      serverId: "1",
      uuid: "u",
      version: "9.7.4",
      tls: { version: "TLSv1.2", cipher: "ECDHE-RSA-AES256-GCM-SHA384" },
      compression: "zstd",
    },
    candidates: [
      { address: "127.0.0.1:3306", followed: true },
      {
        address: "db2:3306",
        followed: false,
        cause: "behind",
        reason: "lacks some",
        failedAt: new Date(1_700_000_000_000),
      },
    ],
  };
  const { body } = await ask("GET", "/binlog/syncer/status");
  assertEquals(body.data, {
    syncer_id: 1001,
    syncer_uuid: "11111111-71ca-11e1-9e33-c80aa9429562",
    mysql_addr: "127.0.0.1:3306",
    mysql_user: "kb",
    semi_sync: false,
    current_gtid: "3e11fa47-71ca-11e1-9e33-c80aa9429562:23",
    last_binlog_file: "binlog.000042",
    last_file_position: 157,
    executed_gtid_set: "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-23",
    purged_gtid_set: "",
    last_event_time: "2023-11-14T22:13:20.000Z",
    status: "running",
    wanted: true,
    state: "following",
    since: "2023-11-14T22:13:20.000Z",
    attempts: 0,
    lag_seconds: 0,
    lag_bytes: 0,
    source: {
      server_id: "1",
      server_uuid: "u",
      version: "9.7.4",
      tls: "TLSv1.2",
      tls_cipher: "ECDHE-RSA-AES256-GCM-SHA384",
      compression: "zstd",
    },
    candidates: [
      { mysql_addr: "127.0.0.1:3306", followed: true },
      {
        mysql_addr: "db2:3306",
        followed: false,
        cause: "behind",
        reason: "lacks some",
        failed_at: "2023-11-14T22:13:20.000Z",
      },
    ],
  });
});

Deno.test("GET /binlog/syncer/status says stopped and why of a failed syncer", async () => {
  const { ask, syncer } = openApi();
  const at = new Date(1_700_000_000_000);
  syncer.current = {
    wanted: true,
    state: "failed",
    cause: "purged",
    reason: "was purged",
    attempts: 1,
    connectedAt: at,
    heardAt: at,
  };
  const { body } = await ask("GET", "/binlog/syncer/status");
  const data = body.data as Record<string, unknown>;
  assertEquals([data.status, data.wanted, data.state], [
    "stopped",
    true,
    "failed",
  ]);
  assertEquals([data.cause, data.reason], ["purged", "was purged"]);
  assertEquals(data.attempts, 1);
  assertEquals(data.next_attempt_at, undefined);
  assertEquals([data.connected_at, data.heard_at], [
    "2023-11-14T22:13:20.000Z",
    "2023-11-14T22:13:20.000Z",
  ]);
});

Deno.test("PUT /binlog/server/start passes address and account on", async () => {
  const { ask, server } = openApi();
  const body = { addr: "[::]:3390", user: "r", password: "hunter2" };
  assertEquals((await ask("PUT", "/binlog/server/start", body)).status, 200);
  assertEquals(server.request, {
    listen: { hostname: "::", port: 3390 },
    account: { name: "r", password: "hunter2" },
  });
  await ask("PUT", "/binlog/server/start", { addr: "127.0.0.1:0" });
  assertEquals(server.request, {
    listen: { hostname: "127.0.0.1", port: 0 },
    account: undefined,
  });
  await ask("PUT", "/binlog/server/start");
  assertEquals(server.request, undefined);
});

Deno.test("PUT /binlog/server/start refuses bad arguments with 400 and the key", async () => {
  const cases: [unknown, string][] = [
    [{ addr: "x" }, 'addr: "x" is not host:port'],
    [{ user: "r" }, "password: is missing: give both or none"],
    [{ password: "p" }, "user: is missing: give both or none"],
    [{ user: "r", password: "" }, "password: must not be empty"],
    [
      { user: "r\u0000", password: "p" },
      "user: must not have control characters",
    ],
    [{ adr: "x" }, 'adr: is no key here; did you mean "addr"?'],
  ];
  const { ask, server } = openApi();
  for (const [given, message] of cases) {
    const { status, body } = await ask("PUT", "/binlog/server/start", given);
    assertEquals([status, body], [400, { message }]);
  }
  assertEquals(server.request, undefined);
});

Deno.test("GET /binlog/server/status has kingbus's fields, and no password", async () => {
  const { body } = await openApi().ask("GET", "/binlog/server/status");
  assertEquals(body.data, {
    addr: "127.0.0.1:3390",
    user: "repl",
    slaves: [{
      replication_state: 1,
      server_id: 4294967295,
      server_uuid: "22222222-71ca-11e1-9e33-c80aa9429562",
      host_name: "replica-1",
      port: 65535,
      user: "repl",
      connect_time: "2023-11-14T22:13:20.000Z",
      heartbeat: 30_000_000_000,
      connection_id: "18446744073709551615",
      remote: "10.0.0.2:51234",
      mode: "gtid",
      file: "binlog.000042",
      position: 120,
      lag_bytes: 37,
      lag_seconds: 2,
      bytes_per_second: 1234,
      program: "mysqld",
      client_version: "9.7.4",
      tls: "TLSv1.3",
      tls_cipher: "TLS_AES_256_GCM_SHA384",
      compression: "none",
      stats: { bytes_sent: "1152921504606846976" },
    }],
    current_gtid: "3e11fa47-71ca-11e1-9e33-c80aa9429562:23",
    last_binlog_file: "binlog.000042",
    last_file_position: 157,
    executed_gtid_set: "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-23",
    purged_gtid_set: "",
    last_event_time: "2023-11-14T22:13:20.000Z",
    status: "running",
    users: ["repl"],
    wanted: true,
  });
});

Deno.test("DELETE /binlog/server/replicas/{connection_id} says whom it disconnected", async () => {
  const { ask, server } = openApi();
  const id = "18446744073709551615";
  const { status, body } = await ask("DELETE", `/binlog/server/replicas/${id}`);
  assertEquals(status, 200);
  assertEquals(body.data, {
    connection_id: id,
    remote: "10.0.0.2:51234",
    user: "repl",
    server_id: 4294967295,
    server_uuid: "22222222-71ca-11e1-9e33-c80aa9429562",
  });
  assertEquals(server.kicked, [id]);
});

Deno.test("DELETE /binlog/server/replicas/{connection_id} refuses what is no replica", async () => {
  const { ask, server } = openApi();
  const unknown = await ask("DELETE", "/binlog/server/replicas/7");
  assertEquals([unknown.status, unknown.body.message], [
    404,
    "there is no replica with connection 7",
  ]);
  for (const id of ["x", "-1", "7.5", "123456789012345678901", "7%2f8"]) {
    const path = `/binlog/server/replicas/${id}`;
    assertEquals((await ask("DELETE", path)).status, 400, id);
  }
  assertEquals((await ask("GET", "/binlog/server/replicas/7")).status, 405);
  assertEquals(server.kicked, ["7"]);
});

Deno.test("GET /status/history and /status/warnings answer what was seen", async () => {
  const { ask } = openApi();
  assertEquals((await ask("GET", "/status/history")).body.data, {
    interval_ms: 2000,
    samples: [],
  });
  assertEquals((await ask("GET", "/status/warnings")).body.data, []);
  const stream = await ask("GET", "/status/stream");
  assertEquals([stream.status, stream.body.message], [
    503,
    "kingbus is stopping",
  ]);
});

Deno.test("PUT /binlog/server/stop stops it", async () => {
  const { ask, server } = openApi();
  assertEquals((await ask("PUT", "/binlog/server/stop")).status, 200);
  assertEquals(server.report().state, "stopped");
});

Deno.test("GET /readyz compares what should run with what runs", async () => {
  const { ask, syncer, server } = openApi();
  assertEquals((await ask("GET", "/readyz")).status, 200); // stopped on purpose

  await ask("PUT", "/binlog/syncer/start", START);
  assertEquals((await ask("GET", "/readyz")).status, 200);

  syncer.current = { state: "waiting", reason: "connection refused" };
  let answer = await ask("GET", "/readyz");
  assertEquals(answer.status, 503);
  assertEquals(
    answer.body.message,
    "not ready: syncer waiting, not following 127.0.0.1:3306: connection refused",
  );

  syncer.current = {};
  server.current = { state: "stopped", reason: "address in use" };
  answer = await ask("GET", "/readyz");
  assertEquals(
    [answer.status, answer.body.message],
    [503, "not ready: server not listening on 127.0.0.1:3390: address in use"],
  );

  const draining = openApi({ ...NODE, draining: "stopping" });
  answer = await draining.ask("GET", "/readyz");
  assertEquals([answer.status, answer.body.message], [
    503,
    "not ready: node stopping",
  ]);
});

Deno.test("GET /healthz answers 200 while the process is there", async () => {
  const { status, body } = await openApi({ ...NODE, draining: "stopping" })
    .ask("GET", "/healthz");
  assertEquals([status, body], [200, {
    message: "success",
    data: { version: "0.1.0" },
  }]);
});

Deno.test("GET /status answers everything at once", async () => {
  const { body } = await openApi().ask("GET", "/status");
  const data = body.data as Record<string, unknown>;
  assertEquals(Object.keys(data), [
    "name",
    "version",
    "started_at",
    "admin_token",
    "ready",
    "checks",
    "syncer",
    "server",
    "store",
    "retention",
  ]);
  assertEquals(data["store"], { files: 2, bytes: 4096 });
});

Deno.test("unknown paths and methods are refused in the envelope", async () => {
  const { ask } = openApi();
  for (
    const path of ["/pages", "/clusters", "/cluster/", "/binlog", "/%2e%2e/x"]
  ) {
    const { status, body } = await ask("GET", path);
    assertEquals(status, 404, path);
    assertEquals(Object.keys(body), ["message"]);
  }
  const { status, body, headers } = await ask("PATCH", "/members");
  assertEquals(status, 405);
  assertEquals(headers.get("allow"), "GET, HEAD, POST, PUT, DELETE");
  assertEquals(
    body.message,
    "/members takes GET, HEAD, POST, PUT, DELETE, not PATCH",
  );
  assertEquals((await ask("GET", "/binlog/syncer/start")).status, 405);
  assertEquals((await ask("POST", "/binlog/server/stop")).status, 405);
  assertEquals((await ask("HEAD", "/binlog/server/stop")).status, 405);
});

Deno.test("GET /binlog/files lists the log's files", async () => {
  const { body } = await openApi().ask("GET", "/binlog/files");
  assertEquals(body.data, [{
    name: "binlog.000042",
    size: 157,
    first_event_time: "2023-11-14T22:13:20.000Z",
    closed: false,
    server_uuid: "3e11fa47-71ca-11e1-9e33-c80aa9429562",
    previous_gtids: "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-20",
  }]);
});

Deno.test("PUT /binlog/purge removes files up to a file or a time", async () => {
  const { ask, retention } = openApi();
  const { status, body } = await ask("PUT", "/binlog/purge", {
    to: "binlog.000042",
  });
  assertEquals([status, body.message], [200, "success"]);
  assertEquals(body.data, {
    removed: [
      { name: "binlog.000040", size: 1024 },
      { name: "binlog.000041", size: 2048 },
    ],
    bytes: 3072,
    asked: 2,
    first_kept: "binlog.000042",
    kept_active: false,
    held_back_by: [],
    dry_run: false,
    purged_gtid_set: "",
  });
  await ask("PUT", "/binlog/purge", {
    before: "2023-11-14T23:13:20+01:00",
    force: true,
    dry_run: true,
  });
  assertEquals(retention.asked, [
    [{ to: "binlog.000042" }, { force: false, dryRun: false }],
    [{ beforeMs: 1_700_000_000_000 }, { force: true, dryRun: true }],
  ]);
});

Deno.test("PUT /binlog/purge names who holds files back", async () => {
  const { ask, retention } = openApi();
  const heldBy = BUSY_RETENTION.heldBack!.by;
  retention.outcome = { ...retention.outcome, asked: 3, heldBy };
  const { body } = await ask("PUT", "/binlog/purge", { to: "binlog.000043" });
  const { held_back_by } = body.data as { held_back_by: unknown };
  assertEquals(held_back_by, [{
    kind: "declared",
    uuid: "22222222-71ca-11e1-9e33-c80aa9429562",
    name: "reports",
    file: "binlog.000042",
    position: 120,
  }, {
    kind: "connected",
    uuid: "",
    name: "10.0.0.2:51234",
    connection_id: "7",
    file: "binlog.000042",
    position: 157,
  }]);
});

Deno.test("PUT /binlog/purge refuses what it can't understand", async () => {
  const { ask, retention } = openApi();
  const neither =
    'give what to purge: {"to": "<first file to keep>"} or {"before": "<time>"}';
  const time = "before: must be a time such as 2026-11-23T10:00:00Z";
  const cases: [unknown, string][] = [
    [undefined, neither],
    [{ force: true }, neither],
    [
      { to: "a", before: "2026-11-23T10:00:00Z" },
      "before: is given besides to: give only one of them",
    ],
    [{ before: "yesterday" }, time],
    [{ before: "2026-11-23" }, time],
    [{ before: "2026-13-23T10:00:00Z" }, time],
    [{ before: 5 }, time],
    [{ to: 5 }, "to: must be a text, not 5: put it in quotes"],
    [{ to: "a", forse: true }, 'forse: is no key here; did you mean "force"?'],
    [{ to: "a", force: "yes" }, 'force: must be true or false, not "yes"'],
  ];
  for (const [request, message] of cases) {
    const { status, body } = await ask("PUT", "/binlog/purge", request);
    assertEquals([status, body.message], [400, message]);
  }
  assertEquals(retention.asked, []);
  assertEquals((await ask("GET", "/binlog/purge")).status, 405);
});

Deno.test("PUT /binlog/purge answers 404 for a file there is none of", async () => {
  const { ask, retention } = openApi();
  retention.failWith = new RetentionError("unknown-file", "no such file");
  const { status, body } = await ask("PUT", "/binlog/purge", { to: "x" });
  assertEquals([status, body.message], [404, "no such file"]);
});

Deno.test("GET /binlog/retention/status says what was purged and what is held back", async () => {
  const { ask, retention } = openApi();
  const idle = await ask("GET", "/binlog/retention/status");
  assertEquals(idle.body.data, {
    limits: {},
    purged_files: 0,
    purged_bytes: 0,
    replicas: [],
  });
  retention.current = BUSY_RETENTION;
  const { body } = await ask("GET", "/binlog/retention/status");
  const expected = {
    limits: {
      bytes: 20 * 2 ** 30,
      age_ms: 604_800_000,
      files: 100,
      free_disk_bytes: 2 ** 30,
    },
    checked_at: "2023-11-14T22:13:23.000Z",
    failure: "no such disk",
    free_bytes: 3 * 2 ** 29,
    last_purge: {
      at: "2023-11-14T22:13:22.000Z",
      limits: ["size", "age"],
      files: 2,
      bytes: 3072,
      first: "binlog.000040",
      last: "binlog.000041",
    },
    purged_files: 5,
    purged_bytes: 9000,
    held_back: {
      limits: ["free-disk"],
      files: 1,
      bytes: 100,
      since: "2023-11-14T22:13:21.000Z",
      by: [{
        kind: "declared",
        uuid: "22222222-71ca-11e1-9e33-c80aa9429562",
        name: "reports",
        file: "binlog.000042",
        position: 120,
        since: "2023-11-14T22:13:21.000Z",
      }, {
        kind: "connected",
        uuid: "",
        name: "10.0.0.2:51234",
        connection_id: "7",
        file: "binlog.000042",
        position: 157,
        since: "2023-11-14T22:13:21.000Z",
      }],
    },
    replicas: [{
      uuid: "22222222-71ca-11e1-9e33-c80aa9429562",
      name: "reports",
      connected: false,
      lost: false,
      file: "binlog.000042",
      position: 120,
      noted_at: "2023-11-14T22:13:20.000Z",
    }, {
      uuid: "33333333-71ca-11e1-9e33-c80aa9429562",
      name: "33333333-71ca-11e1-9e33-c80aa9429562",
      connected: true,
      lost: false,
    }],
  };
  assertEquals(body.data, expected);
  const whole = await ask("GET", "/status");
  assertEquals((whole.body.data as { retention: unknown }).retention, expected);
});

Deno.test("HEAD answers as GET does, without a body", async () => {
  const { status, body } = await openApi().ask("HEAD", "/readyz");
  assertEquals([status, body], [200, undefined] as never);
});

Deno.test("a body over the limit is refused with 413, declared or not", async () => {
  const { api, ask, syncer } = openApi();
  const text = `{"start":"${"x".repeat(BODY_BYTES_MAX)}"}`;
  const declared = await ask("PUT", "/binlog/syncer/start", text);
  assertEquals([declared.status, declared.body.message], [
    413,
    "the body is too large",
  ]);
  const chunk = new TextEncoder().encode("x".repeat(65536));
  let sent = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += chunk.length;
      controller.enqueue(chunk);
    },
  });
  const response = await api.handle(
    new Request("http://localhost/binlog/syncer/start", {
      method: "PUT",
      body: stream,
    }),
  );
  assertEquals(response.status, 413);
  assertEquals(await response.json(), { message: "the body is too large" });
  assert(sent <= BODY_BYTES_MAX + 4 * chunk.length);
  assertEquals(syncer.started, 0);
});

Deno.test("no answer has a password in it", async () => {
  const { ask } = openApi();
  await ask("PUT", "/binlog/syncer/start", START);
  await ask("PUT", "/binlog/server/start", { user: "r", password: "hunter2" });
  for (
    const path of [
      "/binlog/syncer/status",
      "/binlog/server/status",
      "/status",
      "/readyz",
    ]
  ) {
    const text = JSON.stringify((await ask("GET", path)).body);
    assertEquals(/password|hunter2/.test(text), false, text);
  }
});
