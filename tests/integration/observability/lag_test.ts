import { assert, assertEquals } from "@std/assert";
import { type RigPart, rigTest } from "../../../scripts/test_servers/rig.ts";
import { REPLICATION_ACCOUNT } from "../../../scripts/test_servers/mysql56.ts";
import { MariadbReplica } from "../../support/mariadb_replica.ts";
import { SharedMariadb } from "../../support/mariadb_source.ts";
import { insertValue, LARGE_TABLE } from "../../support/large_rows.ts";
import { ScrapedMetrics } from "../../support/scraped_metrics.ts";
import { SharedSource56 } from "../../support/shared_mysql56.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";
import { logEndOf, runAll, type SqlServer } from "../../support/sql_server.ts";
import { TcpProxy } from "../../support/tcp_proxy.ts";
import { TestApp } from "../../support/test_app.ts";
import type { ServerAddress } from "../../support/test_kingbus.ts";

const oldSource = new SharedSource56();
const newSources = new SharedMysql97(9773);
const mariadbSources = new SharedMariadb(8174, ["--max-allowed-packet=64M"]);
/** Reads no further from its source than it has applied, but for 300 kB. */
const mariadbReplicas = new SharedMariadb(8175, [
  "--max-allowed-packet=64M",
  "--relay-log-space-limit=300000",
]);

/** Age of what the sources' logs have, by their clock. */
const AGE_S = 3600;

/** More than any socket takes for somebody who does not read. */
const VALUES = 24;
const VALUE_BYTES = 1_000_000;

/** Writes transactions that are an hour old. */
async function writeOld(
  source: SqlServer,
  values: number,
  valueBytes: number,
): Promise<void> {
  const at = Math.floor(Date.now() / 1000) - AGE_S;
  await runAll(source, `SET timestamp = ${at}`, LARGE_TABLE);
  for (let count = 0; count < values; count++) {
    await source.query(insertValue(valueBytes));
  }
  await source.query("SET timestamp = DEFAULT");
}

/** Follows a source that gives no sign of life while a test runs. */
function followWithoutHeartbeats(source: ServerAddress): Promise<TestApp> {
  const { user, password } = REPLICATION_ACCOUNT;
  return TestApp.with(`
server: { listen: "127.0.0.1:0", tls: { mode: disabled } }
source:
  address: 127.0.0.1:${source.port}
  user: ${user}
  password: ${password}
  heartbeat: 10m
  read-timeout: 30m
  tls: { mode: disabled }`);
}

/**
 * A source whose network is interrupted: an hour behind while it is, and not
 * behind soon after that, although the source says nothing more.
 */
async function fallsBehindAndCatchesUp(
  source: SqlServer & ServerAddress,
): Promise<void> {
  await writeOld(source, 20, 100_000);
  const end = await logEndOf(source);
  await using proxy = new TcpProxy(source);
  // The dump stops in the middle; who asks besides is answered.
  proxy.heardFrom = 1;
  proxy.silenceAfter(1_000_000);
  await using test = await followWithoutHeartbeats(proxy);
  const behind = await ScrapedMetrics.until(
    test.adminUrl,
    "it knew how far it was behind",
    (metrics) =>
      proxy.silent && metrics.value("kingbus_source_lag_bytes")! > 0 &&
      metrics.value("kingbus_source_lag_seconds")! > 0,
  );
  const missing = behind.value("kingbus_source_lag_bytes")!;
  assert(missing > 900_000 && missing < end.position, `${missing}`);
  const seconds = behind.value("kingbus_source_lag_seconds")!;
  assert(seconds >= AGE_S && seconds < AGE_S + 600, `${seconds} s`);
  proxy.speak();
  const caughtUp = await ScrapedMetrics.until(
    test.adminUrl,
    "it was not behind",
    (metrics) => metrics.value("kingbus_source_lag_seconds") === 0,
  );
  assertEquals(caughtUp.value("kingbus_source_lag_bytes"), 0);
  assertEquals(caughtUp.value("kingbus_source_heartbeats_total"), 0);
  assertEquals(test.app.store.head?.position, end.position);
}

const KINDS: readonly {
  readonly name: string;
  readonly parts: readonly RigPart[];
  readonly source: () => Promise<SqlServer & ServerAddress>;
}[] = [
  {
    name: "MySQL 5.6",
    parts: [],
    source: () => Promise.resolve(oldSource.server),
  },
  {
    name: "MySQL 9.7",
    parts: ["mysql97"],
    source: () => newSources.asSource(),
  },
  {
    name: "MariaDB",
    parts: ["mariadb"],
    source: () => mariadbSources.fresh(),
  },
];

for (const { name, parts, source } of KINDS) {
  await rigTest(
    `the lag of a ${name} source is told while its network is down, and that it is over before its first heartbeat`,
    [...parts],
    async () => await fallsBehindAndCatchesUp(await source()),
  );
}

await rigTest(
  "a MariaDB replica that reads no further falls behind a MariaDB log second by second, and catches up",
  ["mariadb"],
  async () => {
    const source = await mariadbSources.fresh();
    await writeOld(source, VALUES, VALUE_BYTES);
    const end = await logEndOf(source);
    await using test = await TestApp.following(source);
    await test.waitUntil("it had all", () => {
      const { head } = test.app.store;
      return head?.fileName === end.fileName && head.position === end.position;
    });
    const server = await mariadbReplicas.fresh();
    const replica = new MariadbReplica(server);
    await replica.reset();
    await replica.change({ port: test.port });
    await server.query("START SLAVE IO_THREAD");
    const lag = "kingbus_replica_lag_seconds";
    // What it does not take waits: the oldest of it is as old as the log.
    const stuck = await ScrapedMetrics.until(
      test.adminUrl,
      "it was behind",
      (metrics) => metrics.value(lag)! >= AGE_S,
    );
    const later = await ScrapedMetrics.until(
      test.adminUrl,
      "it was further behind",
      (metrics) => metrics.value(lag)! >= stuck.value(lag)! + 3,
    );
    assert(later.value("kingbus_replica_lag_bytes")! > 0);
    const state = await replica.state();
    assertEquals(
      state.Slave_IO_State,
      "Waiting for the slave SQL thread to free enough relay log space",
    );
    await server.query("START SLAVE SQL_THREAD");
    await replica.waitUntilHasAllOf(source);
    const caughtUp = await ScrapedMetrics.until(
      test.adminUrl,
      "it was sent all",
      (metrics) => metrics.value(lag) === 0,
    );
    assertEquals(caughtUp.value("kingbus_replica_lag_bytes"), 0);
    // However old the newest event is, it has that.
    assertEquals(
      caughtUp.value("kingbus_binlog_newest_event_timestamp_seconds")! <
        Date.now() / 1000 - AGE_S + 1,
      true,
    );
    await replica.stop();
  },
);
