import { assert, assertEquals } from "@std/assert";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { KingbusProcess, runKingbus } from "../../support/kingbus_process.ts";
import {
  makeSemiSyncReplica,
  makeSemiSyncSource,
  semiSyncStatus,
} from "../../support/semi_sync_plugin.ts";
import { ScrapedMetrics } from "../../support/scraped_metrics.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";
import { executedOf } from "../../support/sql_server.ts";

const sources = new SharedMysql97(9778);
const replicas = new SharedMysql97(9779);

const INSERT = "INSERT INTO test.t (data) VALUES ('x')";

/** `acknowledging` of the syncer's status. */
interface Acknowledging {
  readonly active: boolean;
  readonly acks_sent: number;
  readonly replicas: Record<string, unknown>;
}

await rigTest(
  "kingbus serve waits for replicas as it is configured, and says how that goes",
  ["mysql97", "mysql97-replica"],
  async () => {
    const source = await sources.asSource();
    const { server, replica } = await replicas.asReplica();
    await makeSemiSyncReplica(server);
    await source.query("CREATE TABLE test.t (id SERIAL, data TEXT)");
    const folder = await Deno.makeTempDir({ prefix: "kingbus-semi-sync-" });
    try {
      const config = `${folder}/kingbus.yaml`;
      await Deno.writeTextFile(
        config,
        `data-dir: ${folder}/data
server:
  users: [{ name: repl, password: replpass }]
  semi-sync: true
  wait-for-replicas: 1
  wait-timeout: 1500ms
source:
  address: 127.0.0.1:${source.port}
  user: repl
  password: replpass
  semi-sync: true
`,
      );
      await using _semiSync = await makeSemiSyncSource(source);
      await using kingbus = await KingbusProcess.start([`--config=${config}`]);
      const acknowledging = async (): Promise<Acknowledging> => {
        const { data } = await kingbus.ask("GET", "/binlog/syncer/status");
        return (data as { acknowledging: Acknowledging }).acknowledging;
      };
      await using watcher = await source.connect();
      await waitUntil("kingbus followed the source", async () => {
        return (await semiSyncStatus(watcher)).clients === "1";
      });
      // Nobody is there to acknowledge: it takes the time it may.
      const began = performance.now();
      await source.query(INSERT);
      assert(performance.now() - began > 1400);
      const degraded = await acknowledging();
      assertEquals(degraded.active, true);
      assertEquals(
        { ...degraded.replicas, since: "" },
        {
          state: "degraded",
          since: "",
          required: 1,
          connected: 0,
          timeouts: 1,
        },
      );
      const late = await ScrapedMetrics.of(kingbus.adminUrl);
      assertEquals(late.value("kingbus_semi_sync_degraded"), 1);
      assertEquals(late.value("kingbus_semi_sync_timeouts_total"), 1);
      assertEquals(late.value("kingbus_source_semi_sync_active"), 1);
      assertEquals(late.value("kingbus_semi_sync_required_replicas"), 1);
      const warning = await kingbus.logged("replicas did not acknowledge");
      assertEquals(warning.level, "warn");
      const listen = kingbus.adminUrl.replace("http://", "");
      const status = await runKingbus(["status", `--admin-listen=${listen}`]);
      assert(
        status.stdout.includes("waiting for no replica since"),
        status.stdout,
      );
      await replica.start({ port: Number(kingbus.serverListen.split(":")[1]) });
      await kingbus.logged("replicas have caught up");
      for (let n = 0; n < 5; n++) await source.query(INSERT);
      await replica.waitUntilHas(await executedOf(source));
      const synchronous = await acknowledging();
      assertEquals(
        [synchronous.replicas.state, synchronous.replicas.connected],
        ["synchronous", 1],
      );
      const served = await kingbus.ask("GET", "/binlog/server/status");
      const { slaves } = served.data as {
        slaves: { semi_sync: { acks_received: number } }[];
      };
      assert(slaves[0]!.semi_sync.acks_received >= 5);
      const inTime = await ScrapedMetrics.of(kingbus.adminUrl);
      assertEquals(inTime.value("kingbus_semi_sync_degraded"), 0);
      assertEquals(inTime.value("kingbus_semi_sync_replicas"), 1);
      const outcome = { outcome: "acknowledged" };
      assert(
        inTime.value("kingbus_semi_sync_transactions_total", outcome)! >= 5,
      );
      assert(inTime.value("kingbus_source_semi_sync_acks_total")! >= 5);
      await replica.stop();
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);
