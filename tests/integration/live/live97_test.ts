import { assert, assertEquals } from "@std/assert";
import { formatAddress } from "../../../lib/config/address.ts";
import type { LiveHistory } from "../../../lib/admin/live/live_sample.ts";
import type {
  ReplicaStatus,
  ServerStatus,
} from "../../../lib/admin/server_status.ts";
import type { SyncerStatus } from "../../../lib/admin/syncer_status.ts";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { DumpClient } from "../../support/dump_client.ts";
import { insertValue, LARGE_TABLE } from "../../support/large_rows.ts";
import type { LaunchedServer } from "../../support/launched_server.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";
import { binlogsOf, executedOf } from "../../support/sql_server.ts";
import { StatusStream } from "../../support/status_stream.ts";
import { TcpProxy } from "../../support/tcp_proxy.ts";
import { TestApp } from "../../support/test_app.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";

const sources = new SharedMysql97(9771, ["--max-allowed-packet=64M"]);
const replicas = new SharedMysql97(9772, ["--max-allowed-packet=64M"]);

/** More than any socket takes for somebody who does not read. */
const LARGE_VALUES = 24;
const VALUE_BYTES = 1_000_000;

/** Requests under way are waited for for 2 s when kingbus stops. */
const STREAM_END_MS_MAX = 1_500;

/** Registers a test that needs the rig's installation of MySQL 9.7. */
function test(name: string, body: () => Promise<void>): Promise<void> {
  return rigTest(name, ["mysql97", "mysql97-replica"], body);
}

function urlOf({ app }: TestApp): string {
  return `http://${formatAddress(app.adminListen)}`;
}

async function serverOf(kingbus: TestApp): Promise<ServerStatus> {
  return (await kingbus.ask<ServerStatus>("GET", "/binlog/server/status")).data;
}

async function replicaOf(
  kingbus: TestApp,
  connectionId: number,
): Promise<ReplicaStatus | undefined> {
  const { slaves } = await serverOf(kingbus);
  return slaves.find((replica) =>
    replica.connection_id === String(connectionId)
  );
}

async function waitForReplica(
  kingbus: TestApp,
  connectionId: number,
  what: string,
  isSo: (replica: ReplicaStatus) => boolean,
): Promise<ReplicaStatus> {
  let seen: ReplicaStatus | undefined;
  return await waitUntil(what, async () => {
    seen = await replicaOf(kingbus, connectionId);
    return seen !== undefined && isSo(seen) ? seen : undefined;
  }, {
    deadlineMs: 60_000,
    intervalMs: 100,
  });
}

async function writeMuch(source: LaunchedServer): Promise<void> {
  await source.run(LARGE_TABLE);
  await writeValues(source);
}

async function writeValues(source: LaunchedServer): Promise<void> {
  for (let count = 0; count < LARGE_VALUES; count++) {
    await source.run(insertValue(VALUE_BYTES));
  }
}

/** A dump that waits for more at the end; it reads when it is told to. */
function openDump({ port }: TestApp): Promise<DumpClient> {
  return DumpClient.open({ port }, { serverId: 77, flags: 0 });
}

await test("a replica that takes nothing falls behind second by second, and catches up", async () => {
  const source = await sources.asSource();
  await using kingbus = await TestApp.following(source);
  await writeMuch(source);
  await kingbus.waitUntilHas(await executedOf(source));

  await using client = await openDump(kingbus);
  const { connectionId } = client;
  const stuck = await waitForReplica(
    kingbus,
    connectionId,
    "it was behind",
    ({ lag_seconds, lag_bytes = 0 }) => lag_bytes > 0 && lag_seconds !== null,
  );
  const later = await waitForReplica(
    kingbus,
    connectionId,
    "it was further behind",
    ({ lag_seconds }) => lag_seconds! >= stuck.lag_seconds! + 2,
  );
  assertEquals(later.position, stuck.position, "it takes nothing");
  assertEquals(later.replication_state, 1);

  const { last_file_position } = await serverOf(kingbus);
  await client.readTo(last_file_position);
  const done = await waitForReplica(
    kingbus,
    connectionId,
    "it was sent all",
    ({ lag_seconds }) => lag_seconds === 0,
  );
  assertEquals([done.lag_bytes, done.position], [0, last_file_position]);

  // idle for a while: what comes then is new, not as old as the pause
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  let highest = 0;
  for (let count = 0; count < 20; count++) {
    const began = performance.now();
    await source.run(insertValue(10));
    const { lag_seconds } = (await replicaOf(kingbus, connectionId))!;
    const tookSeconds = (performance.now() - began) / 1000;
    // the source writes down whole seconds
    highest = Math.max(highest, lag_seconds! - tookSeconds);
  }
  assert(highest <= 2, `a lag of ${highest} s`);
});

await test("rates and history add up to what was received and sent", async () => {
  const source = await sources.asSource();
  await using kingbus = await TestApp.following(source);
  await source.run(LARGE_TABLE);
  await kingbus.waitUntilHas(await executedOf(source));
  await using client = await openDump(kingbus);
  await writeValues(source);
  await kingbus.waitUntilHas(await executedOf(source));
  const { last_file_position } = await serverOf(kingbus);
  await client.readTo(last_file_position);
  const bytes = LARGE_VALUES * VALUE_BYTES;
  const replica = await waitForReplica(
    kingbus,
    client.connectionId,
    "there was a rate",
    ({ bytes_per_second }) => bytes_per_second > 0,
  );
  assert(
    replica.bytes_per_second <= 1.1 * bytes,
    `${replica.bytes_per_second} B/s`,
  );
  assert(Number(replica.stats.bytes_sent) >= bytes);

  const sums = await waitUntil("the history had all of it", async () => {
    const { data } = await kingbus.ask<LiveHistory>("GET", "/status/history");
    const sumOf = (of: "ingest_bytes_per_second" | "sent_bytes_per_second") =>
      data.samples.reduce((sum, sample) => sum + sample[of], 0) *
      data.interval_ms / 1000;
    const sums = {
      received: sumOf("ingest_bytes_per_second"),
      sent: sumOf("sent_bytes_per_second"),
    };
    return sums.received >= 0.7 * bytes && sums.sent >= 0.7 * bytes
      ? sums
      : undefined;
  }, { deadlineMs: 60_000 });
  // a sample that came late, on a busy machine, counts for more than it says
  assert(sums.received < 1.5 * bytes, `received ${sums.received}`);
  assert(sums.sent < 1.5 * bytes, `sent ${sums.sent}`);

  const { data } = await kingbus.ask<SyncerStatus>(
    "GET",
    "/binlog/syncer/status",
  );
  assertEquals(data.connected_since, data.connected_at);
  assertEquals(data.advice, undefined);
});

await test("a source that goes away and comes back shows in state, advice and lag", async () => {
  const source = await sources.asSource();
  await source.run(LARGE_TABLE);
  await using kingbus = await TestApp.following(source);
  const status = async () =>
    (await kingbus.ask<SyncerStatus>("GET", "/binlog/syncer/status")).data;
  await waitUntil("it has all, and knows", async () => {
    const { lag_seconds, lag_bytes } = await status();
    return lag_seconds === 0 && lag_bytes === 0;
  }, { deadlineMs: 60_000 });

  await kingbus.ask("PUT", "/binlog/syncer/stop");
  const stopped = await status();
  assertEquals([stopped.lag_seconds, stopped.lag_bytes], [null, null]);
  assertEquals(stopped.connected_since, undefined);

  await source.run(
    "CREATE USER IF NOT EXISTS nobody IDENTIFIED BY 'nobodypass'",
  );
  await kingbus.ask("PUT", "/binlog/syncer/start", {
    mysql_addr: `127.0.0.1:${source.port}`,
    mysql_user: "nobody",
    mysql_password: "wrong",
  });
  const refused = await waitUntil("it was refused", async () => {
    const data = await status();
    return data.cause === "refused" ? data : undefined;
  }, { deadlineMs: 60_000 });
  assertEquals(
    refused.advice,
    "Correct user and password, or unlock the account; then start the syncer again, not to wait.",
  );
  await using stream = await StatusStream.open(urlOf(kingbus));
  const { data } = await stream.until(
    ({ name }) => name === "status",
    "it told",
  );
  assertEquals(data.syncer.cause, "refused");
  assertEquals(data.syncer.advice, refused.advice);
});

await test("the lag in bytes is what the source's files have more", async () => {
  const source = await sources.asSource();
  await writeMuch(source);
  const { name, size } = (await binlogsOf(source)).at(-1)!;
  await using proxy = new TcpProxy(source);
  // the dump stops in the middle; who asks besides is answered
  proxy.heardFrom = 1;
  proxy.silenceAfter(LARGE_VALUES * VALUE_BYTES / 2);
  await using kingbus = await TestKingbus.start({ endCheckMs: 200 });
  await kingbus.follow(proxy, { heartbeatMs: 200 });
  const { bytesBehind, sourceFile, sourcePosition } = await waitUntil(
    "it was told how far it is behind",
    () => {
      const { status } = kingbus;
      return (status.bytesBehind ?? 0) > 0 ? status : undefined;
    },
    { deadlineMs: 60_000 },
  );
  assert(sourcePosition > 0 && sourcePosition < size, String(sourcePosition));
  assertEquals(sourceFile, name);
  assertEquals(bytesBehind, size - sourcePosition);
  proxy.speak();
  await waitUntil("it had all", () => kingbus.status.bytesBehind === 0, {
    deadlineMs: 60_000,
  });
  await waitUntil("it was told so", () => kingbus.status.secondsBehind === 0, {
    deadlineMs: 60_000,
  });
  assertEquals(kingbus.status.sourcePosition, size);
});

await test("a replica that is kicked has gone when that is answered, and comes again", async () => {
  const source = await sources.asSource();
  const { replica } = await replicas.asReplica();
  await using kingbus = await TestApp.following(source);
  await replica.start({ port: kingbus.port });
  await source.run(LARGE_TABLE, insertValue(10));
  await replica.waitUntilHas(await executedOf(source));
  const { slaves } = await serverOf(kingbus);
  assertEquals(slaves.length, 1);
  const [before] = slaves;
  const id = before!.connection_id;

  const path = `/binlog/server/replicas/${id}`;
  const { status, data } = await kingbus.ask<ReplicaStatus>("DELETE", path);
  assertEquals(status, 200);
  assertEquals(
    [data.connection_id, data.remote, data.user, data.server_uuid],
    [id, before!.remote, before!.user, before!.server_uuid],
  );
  assertEquals(await replicaOf(kingbus, Number(id)), undefined);
  assertEquals(kingbus.said("disconnected by an operator"), 1);
  const again = await kingbus.ask("DELETE", path);
  assertEquals(again.status, 404);
  assertEquals(again.message, `there is no replica with connection ${id}`);

  await waitUntil(
    "it came again",
    async () => (await serverOf(kingbus)).slaves.length === 1,
    { deadlineMs: 60_000 },
  );
  await source.run(insertValue(10));
  await replica.waitUntilHas(await executedOf(source));
  await replica.stop();
});

await test("a replica that does not read is kicked all the same", async () => {
  const source = await sources.asSource();
  await using kingbus = await TestApp.following(source);
  await writeMuch(source);
  await kingbus.waitUntilHas(await executedOf(source));
  await using client = await openDump(kingbus);
  const { connectionId } = client;
  await waitForReplica(
    kingbus,
    connectionId,
    "it was stuck",
    ({ lag_seconds }) => lag_seconds !== null && lag_seconds > 1,
  );
  const path = `/binlog/server/replicas/${connectionId}`;
  assertEquals((await kingbus.ask("DELETE", path)).status, 200);
  assertEquals(await replicaOf(kingbus, connectionId), undefined);
});

await test("the stream tells what happens, and ends with kingbus", async () => {
  const source = await sources.asSource();
  await source.run(LARGE_TABLE);
  await using kingbus = await TestApp.following(source);
  await kingbus.waitUntilHas(await executedOf(source));
  await using stream = await StatusStream.open(urlOf(kingbus));
  assertEquals((await stream.next())?.name, "history");
  const first = await stream.next();
  assertEquals(first?.name, "status");
  await using client = await openDump(kingbus);
  await source.run(insertValue(100_000));
  const id = String(client.connectionId);
  const { data } = await stream.until(
    ({ name, data }) =>
      name === "status" && data.syncer.state === "following" &&
      data.server.slaves[0]?.connection_id === id &&
      data.replicas.sending === 1,
    "it told of the replica",
  );
  assertEquals(data.files.at(-1)?.name, data.server.last_binlog_file);
  await stream.until(
    ({ name, data }) =>
      name === "sample" && data.ingest_bytes_per_second > 10_000,
    "it told the rate",
  );
  // a client that is refused makes a warning
  await kingbus.connect({ password: "wrong" }).then(
    (connection) => connection.close(),
    () => {},
  );
  const warning = await stream.until(
    ({ name }) => name === "warning",
    "it told of the refusal",
  );
  const listed = await kingbus.ask<{ message: string }[]>(
    "GET",
    "/status/warnings",
  );
  assertEquals(listed.data.at(-1)?.message, warning.data.message);
  assert(!JSON.stringify(listed.data).includes("wrong"));

  const stopped = kingbus.stop();
  while (await stream.next() !== undefined);
  await stopped;
});

await test("the stream ends at once when kingbus stops", async () => {
  const source = await sources.asSource();
  const tookMs: number[] = [];
  // one of them is not held up by whatever else the machine does
  while (tookMs.length < 5 && !tookMs.some((ms) => ms < STREAM_END_MS_MAX)) {
    await using kingbus = await TestApp.following(source);
    await using stream = await StatusStream.open(urlOf(kingbus));
    await stream.next();
    const began = performance.now();
    const stopped = kingbus.stop();
    while (await stream.next() !== undefined);
    tookMs.push(performance.now() - began);
    await stopped;
  }
  assert(Math.min(...tookMs) < STREAM_END_MS_MAX, `${tookMs} ms`);
});
