import { assert, assertEquals, assertRejects } from "@std/assert";
import { ClientConnection } from "../../../lib/connection/client_connection.ts";
import { ServerError } from "../../../lib/protocol/server_error.ts";
import type { RefusalReason } from "../../../lib/server/refusal_log.ts";
import { REPLICATION_ACCOUNT } from "../../../scripts/test_servers/mysql56.ts";
import { DumpClient } from "../../support/dump_client.ts";
import { exchange } from "../../support/http_exchange.ts";
import { rawPacket, RawSocket } from "../../support/raw_socket.ts";
import { ScrapedMetrics } from "../../support/scraped_metrics.ts";
import { SemiSyncClient } from "../../support/semi_sync_client.ts";
import { SharedSource56 } from "../../support/shared_mysql56.ts";
import { executedOf } from "../../support/sql_server.ts";
import { TestApp } from "../../support/test_app.ts";

const source = new SharedSource56();

const UUID = "22222222-71ca-11e1-9e33-c80aa9429562";

const USERS = `
  users:
    - { name: ${REPLICATION_ACCOUNT.user}, password: ${REPLICATION_ACCOUNT.password} }
    - { name: keeper, password: keeperpass, rights: [admin] }`;

/** The server at which connections are refused for each reason. */
const PROVOKED: Readonly<
  Record<RefusalReason, "guarded" | "early and small">
> = {
  "access-denied": "guarded",
  "login-timeout": "guarded",
  "malformed-login": "guarded",
  "tls-failed": "guarded",
  "tls-required": "guarded",
  "no-source-yet": "early and small",
  "too-many-connections": "early and small",
  "too-many-logins": "guarded",
};

/** Reasons for which connections are refused at such a server. */
function reasonsOf(server: string): string[] {
  return Object.entries(PROVOKED).filter(([, at]) => at === server)
    .map(([reason]) => reason);
}

/** Waits until a counter is at least so high. */
async function reaches(
  test: TestApp,
  name: string,
  labels: Record<string, string>,
  count = 1,
): Promise<ScrapedMetrics> {
  return await ScrapedMetrics.until(
    test.adminUrl,
    `${name} ${JSON.stringify(labels)} reached ${count}`,
    (metrics) => metrics.value(name, labels)! >= count,
  );
}

/** Of a metric with one label: its values that are not 0. */
function counted(
  metrics: ScrapedMetrics,
  name: string,
  label: string,
): Record<string, number> {
  return Object.fromEntries(
    metrics.all(name).filter(({ value }) => value > 0)
      .map(({ labels, value }) => [labels[label] ?? "", value]),
  );
}

Deno.test("every reason for which a connection is refused is counted", async () => {
  await using test = await TestApp.with(`
server:
  listen: 127.0.0.1:0
  login-timeout: 400ms
  connections-max: 2
  tls: { mode: required }${USERS}`);
  const name = "kingbus_connections_refused_total";
  const before = await ScrapedMetrics.of(test.adminUrl);
  assertEquals(
    before.all(name).map(({ labels, value }) => [labels.reason, value]),
    Object.keys(PROVOKED).map((reason) => [reason, 0]),
  );
  const address = { hostname: "127.0.0.1", port: test.port };
  // The wrong password, and the right one without TLS.
  for (const password of ["wrong", REPLICATION_ACCOUNT.password]) {
    await assertRejects(
      () =>
        ClientConnection.connect({
          ...address,
          user: REPLICATION_ACCOUNT.user,
          password,
        }),
      ServerError,
    );
  }
  await reaches(test, name, { reason: "access-denied" });
  await reaches(test, name, { reason: "tls-required" });
  {
    using socket = await RawSocket.dial(test.port);
    await socket.readPacket();
    await socket.send(rawPacket(Uint8Array.from([1, 2, 3]), 1));
    await socket.readToEnd();
  }
  await reaches(test, name, { reason: "malformed-login" });
  {
    // Says that it goes on with TLS, and then does not.
    using socket = await RawSocket.dial(test.port);
    await socket.readPacket();
    const sslRequest = new Uint8Array(32);
    new DataView(sslRequest.buffer).setUint32(0, 0x0008_8a00 | 0x200, true);
    await socket.send(rawPacket(sslRequest, 1));
    await socket.send(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
    await socket.readToEnd();
  }
  await reaches(test, name, { reason: "tls-failed" });
  {
    using first = await RawSocket.dial(test.port);
    using second = await RawSocket.dial(test.port);
    using third = await RawSocket.dial(test.port);
    await third.readPacket();
    // One had to go for the third; the others never say who they are.
    await reaches(test, name, { reason: "too-many-logins" });
    await Promise.all([first, second, third].map((one) => one.readToEnd()));
  }
  const metrics = await reaches(test, name, { reason: "login-timeout" });
  assertEquals(
    Object.keys(counted(metrics, name, "reason")),
    reasonsOf("guarded"),
  );
  assert(metrics.value("kingbus_connections_total")! >= 7);
  assertEquals(metrics.value("kingbus_logins_total"), 0);
  assertEquals(metrics.value("kingbus_connections"), 0);
});

Deno.test("a connection over the limit is counted, and one that is too early", async () => {
  await using test = await TestApp.with(`
server:
  listen: 127.0.0.1:0
  connections-max: 1
  tls: { mode: disabled }${USERS}`);
  // What a MariaDB replica says of itself; nobody knows the log's kind yet.
  const attributes = new Map([["_server_host", "127.0.0.1"]]);
  await assertRejects(() => test.connect({ attributes }), ServerError);
  await reaches(test, "kingbus_connections_refused_total", {
    reason: "no-source-yet",
  });
  await using _only = await test.connect();
  await assertRejects(() => test.connect(), ServerError, "Too many");
  const metrics = await reaches(test, "kingbus_connections_refused_total", {
    reason: "too-many-connections",
  });
  assertEquals(
    Object.keys(
      counted(metrics, "kingbus_connections_refused_total", "reason"),
    ),
    reasonsOf("early and small"),
  );
  assertEquals(metrics.value("kingbus_connections"), 1);
  assertEquals(metrics.value("kingbus_connections_limit"), 1);
  assertEquals(metrics.value("kingbus_logins_total"), 1);
});

Deno.test("statements, and sessions that end in an error, are counted by kind", async () => {
  await using test = await TestApp.following(source);
  {
    await using client = await test.connect();
    for (let n = 0; n < 3; n++) await client.query("SELECT 1");
    await client.query("SHOW BINARY LOGS");
    // A command without its first byte ends the session.
    await client.writer.write(new Uint8Array(0), 0);
    await reaches(test, "kingbus_session_errors_total", { kind: "protocol" });
  }
  const name = "kingbus_session_errors_total";
  {
    // Who looks whether there is somebody, and goes, is none.
    using socket = await RawSocket.dial(test.port);
    await socket.readPacket();
  }
  {
    await using client = await test.connect();
    const begun = rawPacket(new TextEncoder().encode("\x03SELECT"), 0, 100);
    await client.writer.writeRaw(begun);
  }
  const metrics = await reaches(test, name, { kind: "lost" });
  assertEquals(counted(metrics, name, "kind"), { protocol: 1, lost: 1 });
  assertEquals(
    metrics.value("kingbus_statements_total", { kind: "select" }),
    3,
  );
  assertEquals(
    metrics.value("kingbus_statements_total", { kind: "show_binlogs" }),
    1,
  );
  assert(metrics.value("kingbus_commands_total")! >= 5);
});

Deno.test("dumps are counted by how they end, over a restart of the server", async () => {
  await using test = await TestApp.following(source);
  await source.run("CREATE TABLE test.t (id SERIAL)");
  await test.waitUntilHas(await executedOf(source.server));
  const name = "kingbus_dumps_ended_total";
  const open = (options: { serverId?: number; uuid?: string } = {}) =>
    DumpClient.open(test, { flags: 0, serverId: 7, executed: "", ...options });
  {
    await using whole = await DumpClient.open(test);
    await whole.rest();
  }
  await reaches(test, name, { reason: "complete" });
  {
    await using refused = await DumpClient.open(test, { fileName: "none.1" });
    await assertRejects(() => refused.rest(), ServerError);
  }
  await reaches(test, name, { reason: "refused" });
  {
    await using gone = await open();
    await gone.next();
  }
  await reaches(test, name, { reason: "client-gone" });
  {
    await using killed = await open();
    await killed.next();
    await using keeper = await test.connect();
    await keeper.query(`KILL ${killed.connectionId}`);
    await reaches(test, name, { reason: "killed" });
  }
  {
    await using older = await open({ uuid: UUID });
    await older.next();
    await using newer = await open({ uuid: UUID });
    await newer.next();
    await reaches(test, name, { reason: "superseded" });
    const sent = (await ScrapedMetrics.of(test.adminUrl)).value(
      "kingbus_sent_bytes_total",
    )!;
    await test.ask("PUT", "/binlog/server/stop");
    const stopped = await reaches(test, name, { reason: "shutdown" });
    assertEquals(stopped.value("kingbus_server_listening"), 0);
    assert(stopped.value("kingbus_sent_bytes_total")! >= sent);
  }
  await test.ask("PUT", "/binlog/server/start");
  const metrics = await ScrapedMetrics.of(test.adminUrl);
  assertEquals(metrics.value("kingbus_server_listening"), 1);
  assertEquals(counted(metrics, name, "reason"), {
    complete: 1,
    refused: 1,
    "client-gone": 1,
    killed: 1,
    superseded: 1,
    shutdown: 1,
  });
  assertEquals(metrics.value("kingbus_dumps_started_total"), 6);
});

Deno.test("a replica has series while it is sent the log, with what it was sent", async () => {
  await using test = await TestApp.following(source);
  await source.run(
    "CREATE TABLE test.t (id SERIAL)",
    "INSERT INTO test.t VALUES (1)",
  );
  await test.waitUntilHas(await executedOf(source.server));
  const { head } = test.app.store;
  const of = { replica: UUID };
  {
    await using dump = await DumpClient.open(test, {
      flags: 0,
      serverId: 42,
      uuid: UUID,
      executed: "",
    });
    await dump.logTo(head!.fileName, head!.position);
    const metrics = await ScrapedMetrics.until(
      test.adminUrl,
      "it was sent all",
      (one) => one.value("kingbus_replica_lag_bytes", of) === 0,
    );
    assertEquals(
      metrics.value("kingbus_replica_position_bytes", of),
      head!.position,
    );
    assertEquals(metrics.value("kingbus_replica_lag_seconds", of), 0);
    assertEquals(metrics.value("kingbus_replica_files_behind", of), 0);
    assert(
      metrics.value("kingbus_replica_sent_bytes_total", of)! > head!.position,
    );
    assertEquals(
      metrics.value("kingbus_replica_semi_sync_acks_total", of),
      undefined,
    );
    assertEquals(metrics.value("kingbus_replicas", { state: "dumping" }), 1);
    assertEquals(metrics.all("kingbus_replica_info")[0]?.labels, {
      replica: UUID,
      server_id: "42",
      uuid: UUID,
      host: "127.0.0.1",
      user: REPLICATION_ACCOUNT.user,
      mode: "gtid",
      tls: "none",
      compression: "none",
    });
  }
  const gone = await ScrapedMetrics.until(
    test.adminUrl,
    "its series had gone",
    (one) => one.all("kingbus_replica_info").length === 0,
  );
  assertEquals(
    gone.samples.filter(({ labels }) => labels.replica !== undefined),
    [],
  );
});

Deno.test("what a replica says of itself can neither break a scrape nor blow it up", async () => {
  await using test = await TestApp.following(source);
  await source.run("CREATE TABLE test.t (id SERIAL)");
  await test.waitUntilHas(await executedOf(source.server));
  const hostile = 'x"} 1\nkingbus_ready{part="node"} 0\n\\';
  await using dump = await DumpClient.open(test, {
    flags: 0,
    serverId: 42,
    executed: "",
    variables: {
      slave_uuid: `'${
        hostile.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")
      }${"é".repeat(3000)}'`,
    },
  });
  await dump.next();
  const metrics = await ScrapedMetrics.until(
    test.adminUrl,
    "it was listed",
    (one) => one.all("kingbus_replica_info").length === 1,
  );
  assertEquals(metrics.value("kingbus_ready", { part: "node" }), 1);
  // That is no uuid, so it is known by what is known of it.
  const { uuid, replica } = metrics.all("kingbus_replica_info")[0]!.labels;
  assertEquals([uuid, replica], ["", "42@127.0.0.1"]);
});

Deno.test("acknowledgements of replicas are counted, and bad ones end the dump", async () => {
  await source.run("CREATE TABLE test.t (id SERIAL)");
  await using test = await TestApp.with(`
server:
  listen: 127.0.0.1:0
  semi-sync: true
  tls: { mode: disabled }${USERS}
source:
  address: 127.0.0.1:${source.port}
  user: ${REPLICATION_ACCOUNT.user}
  password: ${REPLICATION_ACCOUNT.password}
  tls: { mode: disabled }`);
  await test.waitUntilHas(await executedOf(source.server));
  const { fileName, position } = test.app.store.head!;
  await using replica = await SemiSyncClient.open(test, {
    fileName,
    position,
    serverId: 42,
  });
  await replica.next();
  await source.run("INSERT INTO test.t VALUES (1)");
  await replica.nextAsked();
  await test.waitUntilHas(await executedOf(source.server));
  await replica.acknowledge(fileName, test.app.store.head!.position);
  const of = { replica: "42@127.0.0.1" };
  const metrics = await reaches(
    test,
    "kingbus_replica_semi_sync_acks_total",
    of,
  );
  assertEquals(metrics.value("kingbus_replica_semi_sync_asked_total", of), 1);
  assertEquals(metrics.value("kingbus_semi_sync_replicas"), 1);
  // The file is not the one that it is in.
  await replica.acknowledge("other.000001", 4_000_000);
  await reaches(test, "kingbus_dumps_ended_total", {
    reason: "bad-acknowledgement",
  });
});

Deno.test("requests of the admin API are counted by route and status", async () => {
  await using test = await TestApp.with(`
server: { listen: "127.0.0.1:0", tls: { mode: disabled } }`);
  await test.ask("GET", "/status");
  await test.ask("GET", "/status");
  await test.ask("POST", "/status");
  await test.ask("PUT", "/binlog/purge", { to: 5 });
  for (let n = 0; n < 20; n++) await test.ask("GET", `/made-up-${n}`);
  const port = Number(new URL(test.adminUrl).port);
  await exchange(port, "no HTTP\r\n\r\n");
  const metrics = await ScrapedMetrics.of(test.adminUrl);
  const refused = "kingbus_admin_connections_refused_total";
  assertEquals(metrics.value(refused, { reason: "malformed" }), 1);
  assertEquals(metrics.value(refused, { reason: "too-slow" }), 0);
  const requests = Object.fromEntries(
    metrics.all("kingbus_admin_requests_total").map(({ labels, value }) => [
      `${labels.method} ${labels.route} ${labels.status}`,
      value,
    ]),
  );
  assertEquals(requests, {
    "GET /status 200": 2,
    "POST /status 405": 1,
    "PUT /binlog/purge 400": 1,
    "GET other 404": 20,
  });
  assertEquals(
    metrics.value("kingbus_admin_request_duration_seconds_count", {
      route: "/status",
    }),
    3,
  );
});
