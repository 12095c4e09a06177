import { assert, assertEquals, assertRejects } from "@std/assert";
import { ControlError } from "../../../../lib/admin/control.ts";
import {
  type SteeredSyncer,
  SYNCER_INTENT_META,
  SyncerController,
} from "../../../../lib/admin/intent/syncer_controller.ts";
import type { SourceSettings } from "../../../../lib/config/options.ts";
import { FOLLOWED_META } from "../../../../lib/syncer/candidates.ts";
import { openLog } from "../../../../lib/log/log.ts";
import type { SourceOptions } from "../../../../lib/syncer/source_options.ts";
import type { SyncerStatus } from "../../../../lib/syncer/syncer_status.ts";
import { MemoryMetaStore } from "./memory_meta_store.ts";

const OWN = {
  serverId: "3000000000",
  uuid: "11111111-71ca-11e1-9e33-c80aa9429562",
};

const SOURCE: SourceSettings = {
  address: { hostname: "db1", port: 3306 },
  user: "kb",
  password: "hunter2",
  serverId: undefined,
  uuid: undefined,
  start: "newest",
  semiSync: false,
  candidates: [],
};

const FOLLOWED: SourceOptions = {
  hostname: "db1",
  port: 3306,
  user: "kb",
  password: "hunter2",
  serverId: 3000000001,
  uuid: OWN.uuid,
  name: "node-1",
  start: "newest",
  semiSync: false,
  heartbeatMs: 1,
  readTimeoutMs: 2,
  connectTimeoutMs: 3,
  candidates: [],
  switchAfterMs: 4,
  tls: { mode: "verify-ca", files: { ca: "/etc/ca.pem" } },
  compression: undefined,
};

const REQUEST = {
  address: { hostname: "db2", port: 3307 },
  user: "other",
  password: "hunter3",
  serverId: 7,
  uuid: "22222222-71ca-11e1-9e33-c80aa9429562",
  start: undefined,
  semiSync: undefined,
};

class RecordingSyncer implements SteeredSyncer {
  following: SourceOptions | undefined;

  get running(): boolean {
    return this.following !== undefined;
  }

  start(options: SourceOptions): Promise<void> {
    this.following = options;
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.following = undefined;
    return Promise.resolve();
  }

  status(): SyncerStatus {
    return {
      state: this.running ? "following" : "stopped",
      ...(this.following === undefined ? {} : {
        source: {
          address: `${this.following.hostname}:${this.following.port}`,
          user: this.following.user,
          serverId: "",
          uuid: "",
          version: "",
        },
      }),
      since: new Date(0),
      attempts: 0,
      currentGtid: "",
      file: "",
      position: 0,
      sourceFile: "",
      sourcePosition: 0,
      executed: "",
      purged: "",
      bytesReceived: 0,
    };
  }
}

/** A node's start: the controller opened and resumed on what the store has. */
async function startNode(
  store: MemoryMetaStore,
  configured: SourceSettings | undefined,
): Promise<{
  controller: SyncerController;
  syncer: RecordingSyncer;
  lines: string[];
}> {
  const syncer = new RecordingSyncer();
  const lines: string[] = [];
  const controller = await SyncerController.open({
    syncer,
    store,
    configured,
    follow: {
      heartbeatMs: 1,
      readTimeoutMs: 2,
      connectTimeoutMs: 3,
      tls: { mode: "verify-ca", files: { ca: "/etc/ca.pem" } },
      compression: undefined,
      switchAfterMs: 4,
    },
    own: OWN,
    nodeName: "node-1",
    ownAddresses: () => [{ hostname: "0.0.0.0", port: 3390 }],
    log: openLog({
      level: "debug",
      format: "text",
      write: (line) => lines.push(line),
    }),
  });
  await controller.resume();
  return { controller, syncer, lines };
}

Deno.test("SyncerController follows the configuration's source at the first start", async () => {
  const store = new MemoryMetaStore();
  const { controller, syncer, lines } = await startNode(store, SOURCE);
  assertEquals(syncer.following, FOLLOWED);
  assertEquals(lines, []);
  assertEquals(controller.report().target, {
    address: "db1:3306",
    user: "kb",
    serverId: 3000000001,
    uuid: OWN.uuid,
  });
});

Deno.test("SyncerController follows nothing without a source", async () => {
  const { controller, syncer } = await startNode(
    new MemoryMetaStore(),
    undefined,
  );
  assertEquals(syncer.following, undefined);
  const { wanted, target } = controller.report();
  assertEquals([wanted, target], [false, undefined]);
  const error = await assertRejects(
    () => controller.start(undefined),
    ControlError,
  );
  assertEquals(error.kind, "invalid");
});

Deno.test("SyncerController resumes what it was asked for after a restart", async () => {
  const store = new MemoryMetaStore();
  const before = await startNode(store, undefined);
  await before.controller.start(REQUEST);
  await before.controller.close();
  const { syncer, lines, controller } = await startNode(store, undefined);
  assertEquals(syncer.following, {
    ...FOLLOWED,
    hostname: "db2",
    port: 3307,
    user: "other",
    password: "hunter3",
    serverId: 7,
    uuid: REQUEST.uuid,
    start: "oldest",
  });
  assertEquals(lines, []);
  assert(!JSON.stringify(controller.report()).includes("hunter"));
});

Deno.test("SyncerController keeps a stop over restarts, until it is started again", async () => {
  const store = new MemoryMetaStore();
  await (await startNode(store, SOURCE)).controller.stop();
  for (let restart = 0; restart < 2; restart++) {
    const { syncer, controller } = await startNode(store, SOURCE);
    assertEquals(syncer.following, undefined);
    assertEquals(controller.report().wanted, false);
  }
  const { controller, syncer } = await startNode(store, SOURCE);
  await controller.start(undefined);
  assertEquals(syncer.following, FOLLOWED);
  assertEquals((await startNode(store, SOURCE)).syncer.following, FOLLOWED);
});

Deno.test("SyncerController acknowledges if it was asked to, else as configured", async () => {
  for (const configured of [false, true]) {
    for (const semiSync of [undefined, false, true]) {
      const store = new MemoryMetaStore();
      const source = { ...SOURCE, semiSync: configured };
      const { controller } = await startNode(store, source);
      await controller.stop();
      await controller.start({ ...REQUEST, semiSync });
      const { syncer, controller: again } = await startNode(store, source);
      const wanted = semiSync ?? configured;
      assertEquals(syncer.following?.semiSync, wanted);
      assertEquals(again.report().semiSync.wanted, wanted);
    }
  }
});

Deno.test("SyncerController lets a changed source win, and says so without secrets", async () => {
  const changes: SourceSettings[] = [
    { ...SOURCE, address: { hostname: "db9", port: 3306 } },
    { ...SOURCE, password: "hunter9" },
    { ...SOURCE, semiSync: true },
  ];
  for (const changed of changes) {
    const store = new MemoryMetaStore();
    const before = await startNode(store, SOURCE);
    await before.controller.stop();
    const { syncer, lines } = await startNode(store, changed);
    assertEquals(syncer.following?.hostname, changed.address.hostname);
    assertEquals(syncer.following?.password, changed.password);
    assertEquals(syncer.following?.semiSync, changed.semiSync);
    assertEquals(lines.length, 1);
    assert(lines[0]!.includes("last=db1:3306"), lines[0]);
    assert(!lines[0]!.includes("hunter"), lines[0]);
    assertEquals((await startNode(store, changed)).lines, []);
  }
});

Deno.test("SyncerController stops following a source that was taken out", async () => {
  const store = new MemoryMetaStore();
  await startNode(store, SOURCE);
  const { syncer, controller } = await startNode(store, undefined);
  assertEquals(syncer.following, undefined);
  assertEquals(controller.report().wanted, false);
});

Deno.test("SyncerController.start() refuses what runs already and itself as source", async () => {
  const store = new MemoryMetaStore();
  const { controller, syncer } = await startNode(store, SOURCE);
  for (const request of [undefined, { ...REQUEST, address: SOURCE.address }]) {
    const running = await assertRejects(
      () => controller.start(request),
      ControlError,
    );
    assertEquals(running.kind, "conflict");
  }
  await controller.stop();
  const bad = [
    { ...REQUEST, address: { hostname: "localhost", port: 3390 } },
    { ...REQUEST, serverId: 3000000000 },
    { ...REQUEST, candidates: [{ hostname: "127.0.0.1", port: 3390 }] },
  ];
  for (const request of bad) {
    const error = await assertRejects(
      () => controller.start(request),
      ControlError,
    );
    assertEquals(error.kind, "invalid");
  }
  assertEquals(syncer.following, undefined);
});

Deno.test("SyncerController.start() does not run what the store can't keep", async () => {
  const store = new MemoryMetaStore();
  const { controller, syncer } = await startNode(store, undefined);
  store.failWith = new Error("disk full");
  const error = await assertRejects(
    () => controller.start(REQUEST),
    ControlError,
  );
  assertEquals(error.kind, "unavailable");
  assertEquals(syncer.following, undefined);
  assertEquals(controller.report().wanted, false);
});

Deno.test("SyncerController takes an intent it can't read for none", async () => {
  const store = new MemoryMetaStore();
  for (const value of [5, {}, { run: true, target: 5, configured: "x" }]) {
    store.values.set(SYNCER_INTENT_META, value);
    assertEquals((await startNode(store, SOURCE)).syncer.following, FOLLOWED);
  }
});

Deno.test("SyncerController does one thing at a time", async () => {
  const { controller, syncer } = await startNode(
    new MemoryMetaStore(),
    undefined,
  );
  const results = await Promise.allSettled([
    controller.start(REQUEST),
    controller.start(REQUEST),
    controller.stop(),
    controller.start(undefined),
  ]);
  assertEquals(results.map(({ status }) => status), [
    "fulfilled",
    "rejected",
    "fulfilled",
    "fulfilled",
  ]);
  assertEquals(syncer.following?.hostname, "db2");
});

Deno.test("SyncerController.start() changes to another source while it runs", async () => {
  const store = new MemoryMetaStore();
  const configured = {
    ...SOURCE,
    candidates: [SOURCE.address, { hostname: "db3", port: 3306 }],
  };
  const { controller, syncer } = await startNode(store, configured);
  assertEquals(syncer.following?.candidates, configured.candidates);
  store.values.set(FOLLOWED_META, "db3:3306");
  await controller.start(REQUEST);
  assertEquals(syncer.following?.hostname, "db2");
  // another account: the candidates would refuse it
  assertEquals(syncer.following?.candidates, []);
  assertEquals(store.values.get(FOLLOWED_META), undefined);
  const { user, password } = configured;
  await controller.start({
    ...REQUEST,
    address: { hostname: "db4", port: 1 },
    user,
    password,
  });
  assertEquals(syncer.following?.hostname, "db4");
  assertEquals(syncer.following?.candidates, configured.candidates);
  const candidates = [{ hostname: "db5", port: 2 }];
  await controller.start({ ...REQUEST, candidates });
  assertEquals(syncer.following?.candidates, candidates);
  // a restart goes on with it, and with the candidate that was followed
  store.values.set(FOLLOWED_META, "db5:2");
  const again = await startNode(store, configured);
  assertEquals(again.syncer.following?.candidates, candidates);
  assertEquals(store.values.get(FOLLOWED_META), "db5:2");
});

Deno.test("SyncerController changes what the next start follows, and keeps it", async () => {
  const store = new MemoryMetaStore();
  const { controller, syncer } = await startNode(store, SOURCE);
  const running = await assertRejects(
    () => controller.change({ port: 1 }),
    ControlError,
  );
  assertEquals(running.kind, "conflict");
  await controller.stop();
  const silent = await assertRejects(
    () => controller.change({ heartbeatMs: 2 }),
    ControlError,
  );
  assertEquals(silent.kind, "invalid");
  await controller.change({ hostname: "db2", heartbeatMs: 1.5 });
  await controller.change({
    password: "hunter4",
    tls: { enabled: true, ca: "/ca.pem" },
  });
  assertEquals(syncer.following, undefined);
  assertEquals(controller.report().target?.address, "db2:3306");
  const { controller: next, syncer: resumed } = await startNode(store, SOURCE);
  assertEquals(resumed.following, undefined);
  await next.start(undefined);
  assertEquals(resumed.following, {
    ...FOLLOWED,
    hostname: "db2",
    password: "hunter4",
    heartbeatMs: 1.5,
    candidates: [],
    tls: { mode: "verify-ca", files: { ca: "/ca.pem" } },
  });
});

Deno.test("SyncerController takes its first source from a change, and no impossible one", async () => {
  const store = new MemoryMetaStore();
  const { controller, syncer } = await startNode(store, undefined);
  const nowhere = await assertRejects(
    () => controller.change({ user: "kb" }),
    ControlError,
  );
  assertEquals(nowhere.kind, "invalid");
  const itself = await assertRejects(
    () => controller.change({ hostname: "127.0.0.1", port: 3390 }),
    ControlError,
  );
  assertEquals(itself.kind, "invalid");
  await controller.change({ hostname: "db1", user: "kb", password: "hunter2" });
  assertEquals(controller.report().wanted, false);
  await controller.start(undefined);
  assertEquals(syncer.following?.port, 3306);
  assertEquals(syncer.following?.start, "oldest");
});
