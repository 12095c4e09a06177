import { assert, assertEquals } from "@std/assert";
import { DumpClient } from "../../support/dump_client.ts";
import { ScrapedMetrics } from "../../support/scraped_metrics.ts";
import { SharedSource56 } from "../../support/shared_mysql56.ts";
import { executedOf } from "../../support/sql_server.ts";
import { TestApp } from "../../support/test_app.ts";

const source = new SharedSource56();

const REPLICA_UUID = "22222222-71ca-11e1-9e33-c80aa9429562";

/** Files of the source with their sizes. */
async function sourceFiles(): Promise<Map<string, number>> {
  const { rows } = await source.server.query("SHOW BINARY LOGS");
  return new Map(rows.map(([name, size]) => [name ?? "", Number(size)]));
}

/** How many events the source's files have. */
async function sourceEvents(): Promise<{ all: number; transactions: number }> {
  let all = 0;
  let transactions = 0;
  for (const name of (await sourceFiles()).keys()) {
    const { rows } = await source.server.query(
      `SHOW BINLOG EVENTS IN '${name}'`,
    );
    all += rows.length;
    transactions += rows.filter(([, , type]) => type === "Gtid").length;
  }
  return { all, transactions };
}

/** Writes into two files, and waits until all of it is here. */
async function writeAndWait(test: TestApp): Promise<void> {
  await source.run(
    "CREATE TABLE test.t (id SERIAL, data LONGTEXT)",
    "INSERT INTO test.t (data) VALUES ('x'), ('y')",
    "FLUSH LOGS",
    "INSERT INTO test.t (data) VALUES (REPEAT('z', 300000))",
  );
  await test.waitUntilHas(await executedOf(source.server));
}

Deno.test("what the metrics say of the log is what the source has", async () => {
  await using test = await TestApp.following(source);
  await writeAndWait(test);
  const files = await sourceFiles();
  const bytes = [...files.values()].reduce((sum, size) => sum + size, 0);
  const metrics = await ScrapedMetrics.until(
    test.adminUrl,
    "all was counted",
    (one) => one.value("kingbus_source_lag_seconds") === 0,
  );
  assertEquals(metrics.value("kingbus_binlog_files"), files.size);
  assertEquals(metrics.value("kingbus_binlog_bytes"), bytes);
  const stored = bytes - 4 * files.size;
  assertEquals(metrics.value("kingbus_ingest_bytes_total"), stored);
  assertEquals(metrics.value("kingbus_commit_bytes_sum"), stored);
  const events = await sourceEvents();
  assertEquals(metrics.value("kingbus_ingest_events_total"), events.all);
  assertEquals(
    metrics.value("kingbus_ingest_transactions_total"),
    events.transactions,
  );
  const commits = metrics.value("kingbus_commit_duration_seconds_count")!;
  assert(
    commits >= 1 && metrics.value("kingbus_commit_bytes_count") === commits,
  );
  assert(metrics.value("kingbus_commit_duration_seconds_sum")! > 0);
  assert(metrics.value("kingbus_source_received_bytes_total")! > stored);
  assertEquals(metrics.value("kingbus_source_connected"), 1);
  assertEquals(
    metrics.value("kingbus_source_state", { state: "following" }),
    1,
  );
  assertEquals(metrics.value("kingbus_ready", { part: "syncer" }), 1);
  const [info] = metrics.all("kingbus_source_info");
  assertEquals(info?.labels.address, `127.0.0.1:${source.port}`);
  assert(info?.labels.version?.startsWith("5.6"));
  const now = Date.now() / 1000;
  for (
    const name of [
      "kingbus_binlog_oldest_event_timestamp_seconds",
      "kingbus_binlog_newest_event_timestamp_seconds",
      "kingbus_source_last_heard_timestamp_seconds",
      "kingbus_source_connected_timestamp_seconds",
      "process_start_time_seconds",
    ]
  ) {
    const at = metrics.value(name)!;
    assert(at > now - 86_400 && at < now + 5, `${name} ${at}`);
  }
  assert(metrics.value("kingbus_disk_free_bytes")! > 0);
  const stat = await Deno.stat(`${test.dataDir}/kingbus.db`);
  assert(metrics.value("kingbus_store_file_bytes")! >= stat.size);
  assert(metrics.value("process_resident_memory_bytes")! > 1e7);
  assert(metrics.value("process_cpu_seconds_total")! > 0);
});

Deno.test("a restart of the source, and faults by cause, are counted", async () => {
  await using test = await TestApp.following(source);
  await writeAndWait(test);
  await using keeper = await test.connect();
  await keeper.query("STOP REPLICA");
  const stopped = await ScrapedMetrics.of(test.adminUrl);
  assertEquals(stopped.value("kingbus_source_wanted"), 0);
  assertEquals(stopped.value("kingbus_source_connected"), 0);
  assertEquals(stopped.value("kingbus_source_lag_seconds"), undefined);
  assertEquals(stopped.value("kingbus_source_reconnects_total"), 0);
  await keeper.query(
    "CHANGE REPLICATION SOURCE TO SOURCE_HEARTBEAT_PERIOD = 0.2",
  );
  await keeper.query("START REPLICA");
  await ScrapedMetrics.until(
    test.adminUrl,
    "it followed again, and heard of the source",
    (one) =>
      one.value("kingbus_source_reconnects_total") === 1 &&
      one.value("kingbus_source_heartbeats_total")! >= 2,
  );
  await keeper.query("STOP REPLICA");
  // Nobody listens there.
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  await keeper.query(`CHANGE REPLICATION SOURCE TO SOURCE_PORT = ${port}`);
  await keeper.query("START REPLICA");
  const lost = await ScrapedMetrics.until(
    test.adminUrl,
    "it could not be reached",
    (one) =>
      one.value("kingbus_source_errors_total", { cause: "unreachable" })! > 0,
  );
  assertEquals(lost.value("kingbus_source_fault", { cause: "unreachable" }), 1);
  assertEquals(lost.value("kingbus_ready", { part: "syncer" }), 0);
  assertEquals(
    lost.value("kingbus_source_errors_total", { cause: "refused" }),
    0,
  );
  await keeper.query("STOP REPLICA");
  await keeper.query(
    `CHANGE REPLICATION SOURCE TO SOURCE_PORT = ${source.port}, SOURCE_PASSWORD = 'wrong'`,
  );
  await keeper.query("START REPLICA");
  await ScrapedMetrics.until(
    test.adminUrl,
    "the login was refused",
    (one) =>
      one.value("kingbus_source_errors_total", { cause: "refused" })! > 0 &&
      one.value("kingbus_source_failed_attempts")! > 0,
  );
});

Deno.test("what is purged, and for whom it is kept, is measured", async () => {
  await using test = await TestApp.following(
    source,
    `retention: { replicas: [{ uuid: ${REPLICA_UUID}, name: reports }] }`,
  );
  await writeAndWait(test);
  const [oldest, newest] = [...await sourceFiles()];
  const away = { replica: "reports" };
  const before = await ScrapedMetrics.of(test.adminUrl);
  assertEquals(before.value("kingbus_retention_replica_connected", away), 0);
  assertEquals(before.value("kingbus_retention_purged_bytes_total"), 0);
  assertEquals(
    before.value("kingbus_retention_last_purge_timestamp_seconds"),
    undefined,
  );
  {
    await using dump = await DumpClient.open(test, {
      serverId: 42,
      flags: 0,
      uuid: REPLICA_UUID,
      executed: "",
    });
    await dump.next();
    const during = await ScrapedMetrics.until(
      test.adminUrl,
      "the replica was there",
      (one) => one.value("kingbus_replica_lag_bytes", away) === 0,
    );
    assertEquals(during.value("kingbus_retention_replica_connected", away), 1);
  }
  const { status } = await test.ask("PUT", "/binlog/purge", {
    to: newest![0],
    force: true,
  });
  assertEquals(status, 200);
  const after = await ScrapedMetrics.until(
    test.adminUrl,
    "it was purged",
    (one) => one.value("kingbus_retention_purged_files_total") === 1,
  );
  assertEquals(
    after.value("kingbus_retention_purged_bytes_total"),
    oldest![1],
  );
  assertEquals(after.value("kingbus_binlog_files"), 1);
  assert(after.value("kingbus_retention_last_purge_timestamp_seconds")! > 0);
});
