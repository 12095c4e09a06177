import { assert, assertEquals } from "@std/assert";
import {
  loadOwnIdentity,
  loadSourceIdentity,
  serverFactsOf,
} from "../../../lib/server/server_identity.ts";
import { SOURCE, testStore } from "./test_server.ts";

const RANDOM = {
  randomUuid: () => "00000000-0000-4000-8000-000000000001",
  randomU32: () => 5,
};

Deno.test("loadOwnIdentity() makes an identity once and keeps it", async () => {
  const store = testStore();
  const made = await loadOwnIdentity(store, RANDOM);
  // 2^30 and what the random number adds
  assertEquals(made, { serverId: "1073741829", uuid: RANDOM.randomUuid() });
  const kept = await loadOwnIdentity(store, {
    randomUuid: () => "other",
    randomU32: () => 7,
  });
  assertEquals(kept, made);
});

Deno.test("loadOwnIdentity() never takes the source's server id", async () => {
  const identity = { ...SOURCE, serverId: "1073741829" };
  const store = testStore({ "source/identity": identity });
  const { serverId } = await loadOwnIdentity(store, RANDOM);
  assertEquals(serverId, "1073741828");
});

Deno.test("loadOwnIdentity() gives a configured server id without keeping it", async () => {
  const store = testStore();
  const configured = await loadOwnIdentity(store, { ...RANDOM, serverId: 42 });
  assertEquals(configured.serverId, "42");
  const { serverId, uuid } = await loadOwnIdentity(store, RANDOM);
  assertEquals([serverId, uuid], ["1073741829", configured.uuid]);
});

Deno.test("loadSourceIdentity() takes what is incomplete for unknown", async () => {
  for (const value of [undefined, null, 5, "x", [], {}, { serverId: "1" }]) {
    const store = testStore({ "source/identity": value });
    assertEquals(await loadSourceIdentity(store), undefined);
  }
  const { serverId, uuid, version } = SOURCE;
  const store = testStore({ "source/identity": { serverId, uuid, version } });
  assertEquals(await loadSourceIdentity(store), {
    ...SOURCE,
    binlogRowImage: "FULL",
  });
});

Deno.test("serverFactsOf() tells whose identity is given, the log's facts aside", () => {
  const own = { serverId: "1073741829", uuid: RANDOM.randomUuid() };
  const source = {
    ...SOURCE,
    gtidMode: "OFF",
    binlogChecksum: "NONE",
    binlogRowImage: "MINIMAL",
  };
  const rest = {
    own,
    defaultVersion: "8.4.0-kingbus",
    versionComment: "kingbus",
    hostName: "host",
    port: 3390,
    connectionsMax: 1000,
  };
  const ofOwn = serverFactsOf({ ...rest, identity: "own", source });
  assertEquals(
    [ofOwn.serverId, ofOwn.serverUuid, ofOwn.version, ofOwn.gtidMode],
    [own.serverId, own.uuid, SOURCE.version, "OFF"],
  );
  const ofSource = serverFactsOf({ ...rest, identity: "source", source });
  assertEquals(
    [ofSource.serverId, ofSource.serverUuid, ofSource.binlogChecksum],
    [SOURCE.serverId, SOURCE.uuid, "NONE"],
  );
  const before = serverFactsOf({
    ...rest,
    identity: "source",
    source: undefined,
  });
  assertEquals(
    [before.serverId, before.version, before.gtidMode, before.binlogChecksum],
    [own.serverId, "8.4.0-kingbus", "ON", "CRC32"],
  );
  assert(before.binlogFormat === "ROW");
  assertEquals(before.awaitsSource, true);
});

Deno.test("serverFactsOf() takes the flavour of a log without source from the log", () => {
  const rest = {
    own: { serverId: "1073741829", uuid: RANDOM.randomUuid() },
    identity: "own",
    source: undefined,
    defaultVersion: "8.4.0-kingbus",
    versionComment: "kingbus",
    hostName: "host",
    port: 3390,
    connectionsMax: 1000,
  } as const;
  const facts = (logVersion: string) => {
    const { flavour, greetingVersion, awaitsSource } = serverFactsOf({
      ...rest,
      logVersion,
    });
    return [flavour, greetingVersion, awaitsSource];
  };
  assertEquals(facts("9.7.4"), ["mysql", "8.4.0-kingbus", false]);
  const mariadb = "10.11.19-MariaDB-log";
  assertEquals(facts(mariadb), ["mariadb", mariadb, false]);
});
