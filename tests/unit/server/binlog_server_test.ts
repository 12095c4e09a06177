import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  Command,
  encodeBinlogDump,
  encodeCommand,
} from "../../../lib/protocol/command.ts";
import { doubleSha1 } from "../../../lib/protocol/auth.ts";
import { BinlogServerError } from "../../../lib/server/binlog_server_error.ts";
import { eventually, TestServer, testStore } from "./test_server.ts";

const DUMP = encodeBinlogDump({
  position: 4,
  flags: 0,
  serverId: 5,
  fileName: "",
});

Deno.test("BinlogServer.start() refuses to run twice", async () => {
  await using server = await TestServer.start();
  const error = await assertRejects(
    () =>
      server.server.start({
        hostname: "127.0.0.1",
        port: 0,
        accounts: [],
        identity: "own",
        connectionsMax: 1,
        loginTimeoutMs: 1000,
      }),
    BinlogServerError,
  );
  assertEquals(error.kind, "already-running");
});

Deno.test("BinlogServer.start() says where it cannot listen, and may be started again", async () => {
  await using server = await TestServer.start();
  const error = await assertRejects(
    () => TestServer.start({ server: { port: server.port } }),
    BinlogServerError,
  );
  assertEquals(error.kind, "listen");
  assertEquals(
    error.message,
    `Cannot listen on 127.0.0.1:${server.port} (something else listens there: stop it, or choose another server.listen)`,
  );
  assert(error.cause instanceof Deno.errors.AddrInUse);
});

Deno.test("BinlogServer.stop() frees its port, and it starts again", async () => {
  const store = testStore();
  const first = await TestServer.start({ store });
  await first.server.stop();
  await first.server.stop();
  assertEquals(first.server.running, false);
  assertEquals(first.server.status().listen, "");
  await using second = await TestServer.start({
    store,
    server: { port: first.port },
  });
  await using client = await second.connect();
  await client.command(encodeCommand(Command.PING));
});

Deno.test("BinlogServer.stop() ends dumps and idle clients with a plain close", async () => {
  const server = await TestServer.start();
  await using dumping = await server.connect();
  await dumping.sendCommand(DUMP);
  await using idle = await server.connect();
  await eventually(() => server.server.status().connections === 2);
  const [dumped, idled] = [dumping.reader.read(), idle.reader.read()];
  const stopped = server.server.stop();
  assertEquals([await dumped, await idled], [null, null]);
  dumping.close();
  idle.close();
  await stopped;
});

Deno.test("BinlogServer.stop() cuts a dump that does not end in time", async () => {
  const never = Promise.withResolvers<void>();
  const server = await TestServer.start({
    server: { drainTimeoutMs: 50 },
    // a replica that takes nothing more keeps the handler in a write
    dump: ({ writer }) =>
      writer.writeRaw(new Uint8Array(64 * 1024 * 1024)).then(() =>
        never.promise
      ),
  });
  await using client = await server.connect();
  await client.sendCommand(DUMP);
  await eventually(() => server.server.status().replicas.length === 1);
  const startedMs = performance.now();
  await server.server.stop();
  assert(performance.now() - startedMs < 3000);
});

Deno.test("BinlogServer.status() describes each replica", async () => {
  await using server = await TestServer.start({
    dump: async ({ status, signal }) => {
      status.file = "binlog.000001";
      status.position = 839;
      status.bytesSent = 1000n;
      status.unsentSince = 1_700_000_000;
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    },
  });
  await using plain = await server.connect();
  await plain.query("SELECT 1");
  await using client = await server.connect({
    attributes: new Map([
      ["program_name", "mysqld"],
      ["_client_version", "9.7.4"],
    ]),
  });
  await client.query("SET @master_heartbeat_period = 1500000000");
  await client.sendCommand(DUMP);
  await eventually(() => server.server.status().replicas.length === 1);
  const { replicas, connections, listen, state } = server.server.status();
  assertEquals([connections, state], [2, "running"]);
  assertEquals(listen, `127.0.0.1:${server.port}`);
  const [{ connectedAt, remote, ...replica }] = replicas as [
    typeof replicas[0],
  ];
  assert(Math.abs(connectedAt.getTime() - Date.now()) < 10_000);
  assert(remote.startsWith("127.0.0.1:"));
  assertEquals(replica, {
    connectionId: client.connectionId.toString(),
    user: "repl",
    serverId: "5",
    uuid: "",
    hostName: "",
    port: 0,
    state: "dumping",
    mode: "position",
    file: "binlog.000001",
    position: 839,
    heartbeatMs: 1500,
    bytesSent: 1000n,
    unsentSince: 1_700_000_000,
    acks: undefined,
    program: "mysqld",
    clientVersion: "9.7.4",
    tls: undefined,
    compression: undefined,
  });
});

Deno.test("BinlogServer lets an account without a SHA-256 secret in by RSA", async () => {
  await using server = await TestServer.start({
    server: {
      accounts: [{ name: "repl", doubleSha1: doubleSha1("replpass") }],
    },
  });
  await using client = await server.connect();
  await client.command(encodeCommand(Command.PING));
});

Deno.test("BinlogServer listens on IPv6", async () => {
  let server: TestServer;
  try {
    server = await TestServer.start({ server: { hostname: "::1" } });
  } catch (error) {
    assert(error instanceof BinlogServerError);
    console.warn("SKIPPED: this machine has no IPv6 loopback");
    return;
  }
  await using _server = server;
  assertEquals(server.server.status().listen, `[::1]:${server.port}`);
  await using client = await server.connect({ hostname: "::1" });
  assertEquals((await client.query("SELECT USER()")).rows, [["repl@::1"]]);
});
