import { assert, assertEquals, assertRejects } from "@std/assert";
import { ControlError } from "../../../../lib/admin/control.ts";
import {
  ServerController,
  type SteeredServer,
} from "../../../../lib/admin/intent/server_controller.ts";
import type { ServerSettings } from "../../../../lib/config/options.ts";
import { openLog } from "../../../../lib/log/log.ts";
import type { BinlogServerStatus } from "../../../../lib/server/binlog_server.ts";
import { noRefusals } from "../../../../lib/server/refusal_log.ts";
import type { ReplicaStatus } from "../../../../lib/server/replica_status.ts";
import type { ServerOptions } from "../../../../lib/server/server_options.ts";
import { MemoryMetaStore } from "./memory_meta_store.ts";

const CONFIGURED: ServerSettings = {
  listen: { hostname: "127.0.0.1", port: 3390 },
  identity: "own",
  version: "8.4.0",
  serverId: undefined,
  users: [{ name: "repl", password: "hunter2", rights: ["replicate"] }],
  tls: { mode: "disabled", files: {}, clientCertificate: "ignored" },
  compression: ["zlib"],
  semiSync: true,
  waitForReplicas: 2,
  waitTimeoutMs: 500,
  connectionsMax: 10,
  loginTimeoutMs: 1000,
};

const SERVED: ServerOptions = {
  hostname: "127.0.0.1",
  port: 3390,
  accounts: [{ name: "repl", password: "hunter2", rights: ["replicate"] }],
  identity: "own",
  serverId: undefined,
  version: "8.4.0",
  machineName: "node-1",
  semiSync: { replicas: 2, timeoutMs: 500 },
  tls: undefined,
  compression: ["zlib"],
  connectionsMax: 10,
  loginTimeoutMs: 1000,
};

const REQUEST = {
  listen: { hostname: "::1", port: 3391 },
  account: { name: "other", password: "hunter3" },
};

const NOW_MS = 1_700_000_010_500;

class RecordingServer implements SteeredServer {
  serving: ServerOptions | undefined;
  replicas: ReplicaStatus[] = [];
  failWith: Error | undefined;

  get running(): boolean {
    return this.serving !== undefined;
  }

  start(options: ServerOptions): Promise<void> {
    if (this.failWith !== undefined) return Promise.reject(this.failWith);
    this.serving = options;
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.serving = undefined;
    return Promise.resolve();
  }

  kick(connectionId: number): Promise<ReplicaStatus | undefined> {
    return Promise.resolve(
      this.replicas.find((replica) =>
        replica.connectionId === String(connectionId)
      ),
    );
  }

  status(): BinlogServerStatus {
    return {
      state: this.running ? "running" : "stopped",
      listen: "",
      connections: 0,
      refusals: noRefusals(),
      replicas: this.replicas,
    };
  }
}

async function openNode(
  store: MemoryMetaStore,
  configured = CONFIGURED,
): Promise<{
  controller: ServerController;
  server: RecordingServer;
  lines: string[];
}> {
  const server = new RecordingServer();
  const lines: string[] = [];
  const controller = await ServerController.open({
    server,
    store,
    configured,
    nodeName: "node-1",
    rates: { rateOf: ({ bytesSent }, ageMs) => bytesSent / ageMs },
    now: () => NOW_MS,
    log: openLog({
      level: "debug",
      format: "text",
      write: (line) => lines.push(line),
    }),
  });
  return { controller, server, lines };
}

async function startNode(
  store: MemoryMetaStore,
  configured = CONFIGURED,
): ReturnType<typeof openNode> {
  const node = await openNode(store, configured);
  await node.controller.resume();
  return node;
}

Deno.test("ServerController serves as configured at the first start", async () => {
  const { server, controller } = await startNode(new MemoryMetaStore());
  assertEquals(server.serving, SERVED);
  const { listen, users, wanted, state } = controller.report();
  assertEquals([listen, users, wanted, state], [
    "127.0.0.1:3390",
    ["repl"],
    true,
    "running",
  ]);
});

Deno.test("ServerController keeps address and account it was given over restarts", async () => {
  const store = new MemoryMetaStore();
  const { controller } = await startNode(store);
  await controller.stop();
  await controller.start(REQUEST);
  const again = await startNode(store, { ...CONFIGURED, connectionsMax: 99 });
  assertEquals(again.server.serving, {
    ...SERVED,
    hostname: "::1",
    port: 3391,
    accounts: [{ ...REQUEST.account, rights: ["replicate", "monitor"] }],
    connectionsMax: 99,
  });
  assertEquals(again.lines, []);
  assert(!JSON.stringify(again.controller.report()).includes("hunter"));
  await again.controller.stop();
  await again.controller.start(undefined);
  assertEquals(again.server.serving?.port, 3390);
});

Deno.test("ServerController keeps a stop over restarts", async () => {
  const store = new MemoryMetaStore();
  await (await startNode(store)).controller.stop();
  const { server, controller } = await startNode(store);
  assertEquals(server.serving, undefined);
  assertEquals(controller.report().wanted, false);
});

Deno.test("ServerController lets a changed configuration win, and says so", async () => {
  const store = new MemoryMetaStore();
  await (await startNode(store)).controller.stop();
  const changed = { ...CONFIGURED, users: [] };
  const { server, lines } = await startNode(store, changed);
  assertEquals(server.serving?.accounts, []);
  assertEquals(lines.length, 1);
  // Nothing was overridden this time, so there is nothing to say.
  assertEquals((await startNode(store)).lines, []);
});

Deno.test("ServerController.resume() throws why it can't listen, and reports it", async () => {
  const { controller, server } = await openNode(new MemoryMetaStore());
  server.failWith = new Error("address in use");
  const error = await assertRejects(() => controller.resume(), ControlError);
  assertEquals(error.kind, "unavailable");
  const { wanted, state, reason } = controller.report();
  assertEquals([wanted, state, reason], [true, "stopped", "address in use"]);
});

Deno.test("ServerController.start() refuses what runs already, keeps what it had on failure", async () => {
  const store = new MemoryMetaStore();
  const { controller, server } = await startNode(store);
  const running = await assertRejects(
    () => controller.start(REQUEST),
    ControlError,
  );
  assertEquals(running.kind, "conflict");
  await controller.stop();
  server.failWith = new Error("address in use");
  await assertRejects(() => controller.start(REQUEST), ControlError);
  const { wanted, listen } = controller.report();
  assertEquals([wanted, listen], [false, "127.0.0.1:3390"]);
  assertEquals((await startNode(store)).server.serving, undefined);
});
