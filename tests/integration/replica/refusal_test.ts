import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { eventTypeAt } from "../../../lib/binlog/event_header.ts";
import { EventType } from "../../../lib/binlog/event_type.ts";
import { ServerError } from "../../../lib/protocol/server_error.ts";
import {
  DumpClient,
  type DumpClientOptions,
  readDump,
} from "../../support/dump_client.ts";
import {
  SharedReplica56,
  SharedSource56,
} from "../../support/shared_mysql56.ts";
import { type ServerAddress, TestKingbus } from "../../support/test_kingbus.ts";

const source = new SharedSource56();
const replica = new SharedReplica56();

/** Names of variables as a 5.6 replica has them. */
const OLD = { names: "master" } as const;

/** Two files: transactions 1 and 2 in the first, 3 and 4 in the second. */
async function writeTwoFiles(): Promise<void> {
  await source.run(
    "CREATE TABLE test.t (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20))",
    "INSERT INTO test.t (name) VALUES ('one')",
    "FLUSH LOGS",
    "INSERT INTO test.t (name) VALUES ('two')",
    "INSERT INTO test.t (name) VALUES ('three')",
  );
}

/** The error that ends a dump, and the types of the events before it. */
async function dumpError(
  address: ServerAddress,
  options: DumpClientOptions,
): Promise<{ types: number[]; code: number; message: string }> {
  await using client = await DumpClient.open(address, options);
  const types: number[] = [];
  try {
    for (;;) {
      const event = await client.next();
      assert(event !== null, "the dump ended without an error");
      types.push(eventTypeAt(event, 0));
    }
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    return { types, code: error.code, message: error.message };
  }
}

/** An error's text without where MySQL was when it happened. */
function reasonIn(message: string): string {
  return message.replace(/; the first event '.*/, "");
}

/** Requests that a 5.6 source refuses; `own` stands for its UUID. */
const REFUSED: Record<string, DumpClientOptions> = {
  "an unknown file": { fileName: "binlog.000099" },
  "an unknown file by GTID": { fileName: "binlog.000099", executed: "" },
  "a position below 4": { fileName: "binlog.000001", position: 3 },
  "position 0": { fileName: "binlog.000001", position: 0 },
  "a position behind the file's end": {
    fileName: "binlog.000001",
    position: 999_999,
  },
  "a position behind the head": { fileName: "binlog.000002", position: 99_999 },
  "the largest position": {
    fileName: "binlog.000002",
    position: 0xffff_ffff,
  },
  "a position below 4 by GTID": {
    fileName: "binlog.000001",
    position: 3,
    executed: "",
  },
};

for (const [what, request] of Object.entries(REFUSED)) {
  Deno.test(`kingbus refuses ${what} as the source does`, async () => {
    await writeTwoFiles();
    await using kingbus = await TestKingbus.following(source);
    await kingbus.waitUntilHas(await source.executed());
    const expected = await dumpError(source, { ...request, ...OLD });
    const actual = await dumpError(kingbus, { ...request, ...OLD });
    assertEquals(actual.code, 1236);
    assertEquals(
      { ...actual, message: reasonIn(actual.message) },
      { ...expected, message: reasonIn(expected.message) },
    );
  });
}

Deno.test("kingbus refuses a position inside an event, after the format description", async () => {
  await writeTwoFiles();
  await using kingbus = await TestKingbus.following(source);
  await kingbus.waitUntilHas(await source.executed());
  const request = { fileName: "binlog.000001", position: 121, ...OLD };
  const expected = await dumpError(source, request);
  const actual = await dumpError(kingbus, request);
  assertEquals(expected.code, 1236);
  assertEquals(actual.code, 1236);
  assertEquals(actual.types, [
    EventType.ROTATE,
    EventType.FORMAT_DESCRIPTION,
  ]);
  assertStringIncludes(
    actual.message,
    "bogus data in log event; the first event 'binlog.000001' at 121",
  );
});

Deno.test("kingbus refuses a replica that never asked for checksums", async () => {
  await writeTwoFiles();
  await using kingbus = await TestKingbus.following(source);
  await kingbus.waitUntilHas(await source.executed());
  const request = { checksum: null, ...OLD };
  const expected = await dumpError(source, request);
  const actual = await dumpError(kingbus, request);
  assertEquals(reasonIn(actual.message), reasonIn(expected.message));
  assertEquals([actual.types, actual.code], [expected.types, expected.code]);
});

Deno.test("kingbus refuses a replica that needs purged transactions", async () => {
  await writeTwoFiles();
  await using kingbus = await TestKingbus.start();
  await kingbus.follow(source, { start: "newest" });
  await kingbus.waitUntilHas(await source.executed());
  await source.run("PURGE BINARY LOGS TO 'binlog.000002'");
  const { uuid } = source.server;
  for (const executed of ["", `${uuid}:1`, `${uuid}:2-4`]) {
    const expected = await dumpError(source, { executed, ...OLD });
    const actual = await dumpError(kingbus, { executed, ...OLD });
    assertEquals(actual, { ...expected, types: [] });
    assertEquals(actual.code, 1236);
    const modern = await dumpError(kingbus, { executed });
    assertStringIncludes(
      modern.message,
      "Cannot replicate because the source purged required binary logs.",
    );
    assertStringIncludes(
      modern.message,
      `The GTID set sent by the replica is '${executed}', and the missing transactions are '`,
    );
  }
  for (const executed of [`${uuid}:1-2`, `${uuid}:1-3`, `${uuid}:1-4`]) {
    await readDump(kingbus, { executed });
  }
});

Deno.test("a 5.6 replica stops when kingbus has not what it needs, and shows why", async () => {
  await writeTwoFiles();
  await using kingbus = await TestKingbus.start();
  await kingbus.follow(source, { start: "newest" });
  await kingbus.waitUntilHas(await source.executed());
  await replica.replica.start({ port: kingbus.port });
  assertEquals(
    await replica.replica.waitUntilStopped(),
    "1236: Got fatal error 1236 from master when reading data from binary log: 'The slave is connecting using CHANGE MASTER TO MASTER_AUTO_POSITION = 1, but the master has purged binary logs containing GTIDs that the slave requires.'",
  );
});

Deno.test("a 5.6 replica stops at an unknown file and at a wrong position, and shows why", async () => {
  await writeTwoFiles();
  await using kingbus = await TestKingbus.following(source);
  await kingbus.waitUntilHas(await source.executed());
  const places: [string, number, string][] = [
    ["binlog.000099", 4, "Could not find first log file name in binary log"],
    ["binlog.000001", 999_999, "start replication from position > file size"],
    ["binlog.000001", 121, "bogus data in log event"],
  ];
  for (const [fileName, position, text] of places) {
    const from = { fileName, position };
    await replica.replica.start({ port: kingbus.port, from });
    const fault = await replica.replica.waitUntilStopped();
    assertStringIncludes(fault, "1236: Got fatal error 1236 from master");
    assertStringIncludes(fault, text);
    await replica.replica.reset();
  }
});

Deno.test("a 5.6 replica that is ahead of kingbus stops, and shows why", async () => {
  await writeTwoFiles();
  await using kingbus = await TestKingbus.following(source);
  await kingbus.waitUntilHas(await source.executed());
  await kingbus.syncer.stop();
  await source.run("INSERT INTO test.t (name) VALUES ('four')");
  const executed = await source.executed();
  await replica.replica.start({ port: source.port });
  await replica.replica.waitUntilHas(executed);
  await replica.replica.stop();
  await replica.replica.start({ port: kingbus.port });
  const fault = await replica.replica.waitUntilStopped();
  assertStringIncludes(fault, "1236: Got fatal error 1236 from master");
  assertStringIncludes(
    fault,
    "Slave has more GTIDs than the master has, using the master's SERVER_UUID.",
  );
});

Deno.test("kingbus says that a replica is ahead in the source's words", async () => {
  await writeTwoFiles();
  await using kingbus = await TestKingbus.following(source);
  await kingbus.waitUntilHas(await source.executed());
  const executed = `${source.server.uuid}:1-100`;
  const expected = await dumpError(source, { executed, ...OLD });
  const actual = await dumpError(kingbus, { executed, ...OLD });
  assertEquals(actual, { ...expected, types: [] });
  const modern = await dumpError(kingbus, { executed });
  assertStringIncludes(
    modern.message,
    "Replica has more GTIDs than the source",
  );
  // what other servers have written is none of its business
  const foreign = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee:1-100";
  assert((await readDump(kingbus, { executed: foreign })).length > 4);
});

Deno.test("kingbus waits a little for what a replica has and it has not yet", async () => {
  await writeTwoFiles();
  await using kingbus = await TestKingbus.following(source);
  await kingbus.waitUntilHas(await source.executed());
  await kingbus.syncer.stop();
  await source.run("INSERT INTO test.t (name) VALUES ('four')");
  const executed = await source.executed();
  await using client = await DumpClient.open(kingbus, { executed });
  await kingbus.follow(source);
  const types = (await client.rest()).map((event) => eventTypeAt(event, 0));
  assertEquals(types.slice(0, 2), [
    EventType.ROTATE,
    EventType.FORMAT_DESCRIPTION,
  ]);
});

Deno.test("a 5.6 replica tries again until kingbus has received something", async () => {
  await writeTwoFiles();
  await using kingbus = await TestKingbus.start();
  await replica.replica.start({ port: kingbus.port });
  assertEquals((await dumpError(kingbus, { executed: "" })).code, 1105);
  await kingbus.follow(source);
  await replica.replica.waitUntilHas(await source.executed());
});

Deno.test("kingbus ends the older dump of a UUID with EOF, or with 1236 for newer replicas", async () => {
  await writeTwoFiles();
  await using kingbus = await TestKingbus.following(source);
  await kingbus.waitUntilHas(await source.executed());
  const uuid = "4b494e47-4255-2222-8000-000000000001";
  const blocking = { flags: 0, serverId: 77, uuid };
  await using first = await DumpClient.open(kingbus, { ...blocking, ...OLD });
  assert(await first.next() !== null);
  await using second = await DumpClient.open(kingbus, blocking);
  await first.rest();
  assert(await second.next() !== null);
  await using _third = await DumpClient.open(kingbus, blocking);
  try {
    await second.rest();
    assert(false, "the dump ended without an error");
  } catch (error) {
    assert(error instanceof ServerError);
    assertEquals(error.code, 1236);
    assertStringIncludes(
      error.message,
      "A replica with the same server_uuid/server_id as this replica has connected to the source",
    );
  }
  await kingbus.waitUntilDumping(1);
});

Deno.test("kingbus sends many dumps without a UUID and server id side by side", async () => {
  await writeTwoFiles();
  await using kingbus = await TestKingbus.following(source);
  await kingbus.waitUntilHas(await source.executed());
  const dumps = await Promise.all(
    Array.from({ length: 10 }, () => readDump(kingbus)),
  );
  assertEquals(new Set(dumps.map((events) => events.length)).size, 1);
});
