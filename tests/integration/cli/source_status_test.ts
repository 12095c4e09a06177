import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { NodeStatus } from "../../../lib/admin/node_status.ts";
import type { SyncerStatus } from "../../../lib/admin/syncer_status.ts";
import { REPLICATION_ACCOUNT } from "../../../scripts/test_servers/mysql56.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { KingbusProcess, runKingbus } from "../../support/kingbus_process.ts";
import { SharedSource56 } from "../../support/shared_mysql56.ts";

const source = new SharedSource56();

/** Waits until the syncer's status is such; answers it. */
async function syncerStatus(
  kingbus: KingbusProcess,
  condition: (status: SyncerStatus) => boolean,
): Promise<SyncerStatus> {
  return await waitUntil("the syncer's status was such", async () => {
    const { data } = await kingbus.ask("GET", "/binlog/syncer/status");
    return condition(data as SyncerStatus) && data as SyncerStatus;
  }, { intervalMs: 50 });
}

/** What `kingbus status` prints of a node that is not ready. */
async function shown(kingbus: KingbusProcess): Promise<string> {
  const address = kingbus.adminUrl.replace("http://", "");
  const { code, stdout } = await runKingbus([
    "status",
    `--admin-listen=${address}`,
  ]);
  assertEquals(code, 3);
  return stdout;
}

Deno.test("kingbus says in every status what keeps it from its source, and until when", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kingbus-source-" });
  try {
    await Deno.writeTextFile(
      `${folder}/password`,
      REPLICATION_ACCOUNT.password,
    );
    await Deno.writeTextFile(
      `${folder}/kingbus.yaml`,
      `data-dir: ${folder}/data
source:
  address: 127.0.0.1:${source.port}
  user: ${REPLICATION_ACCOUNT.user}
  password-file: ${folder}/password
`,
    );
    await source.run("CREATE TABLE test.t (id INT PRIMARY KEY)");
    await using kingbus = await KingbusProcess.start([
      `--config=${folder}/kingbus.yaml`,
    ]);
    const well = await syncerStatus(kingbus, ({ executed_gtid_set }) => {
      return executed_gtid_set !== "";
    });
    assertEquals([well.state, well.cause], ["following", undefined]);
    await source.server.stop();
    const lost = await syncerStatus(kingbus, ({ cause, attempts }) => {
      return cause === "unreachable" && attempts >= 5;
    });
    assertStringIncludes(lost.reason!, `127.0.0.1 port ${source.port}`);
    assertEquals(lost.connected_at, well.connected_at);
    assert(lost.heard_at! >= lost.connected_at!);
    const waiting = await syncerStatus(kingbus, ({ next_attempt_at }) => {
      return next_attempt_at !== undefined;
    });
    assertEquals(waiting.state, "waiting");
    assert(waiting.next_attempt_at! > waiting.since!);
    const { data } = await kingbus.ask("GET", "/status");
    const { syncer, ready, checks } = data as NodeStatus;
    assertEquals([syncer.cause, ready], ["unreachable", false]);
    const check = checks.find(({ part }) => part === "syncer");
    assertStringIncludes(check!.detail, `127.0.0.1 port ${source.port}`);
    const text = await shown(kingbus);
    assertStringIncludes(text, "unreachable: Cannot connect to 127.0.0.1");
    assertStringIncludes(text, "attempts failed");
    assertStringIncludes(text, `last connected ${well.connected_at}`);
    await kingbus.ask("PUT", "/binlog/syncer/stop");
    await source.server.restart();
    await source.run("RESET MASTER");
    await kingbus.ask("PUT", "/binlog/syncer/start");
    const failed = await syncerStatus(kingbus, ({ state }) => {
      return state === "failed";
    });
    assertEquals([failed.cause, failed.status], ["reset", "stopped"]);
    assertEquals(failed.next_attempt_at, undefined);
    assertStringIncludes(failed.reason!, `${source.server.uuid}:1`);
    // another attempt can be asked for, and comes to the same
    const start = await kingbus.ask("PUT", "/binlog/syncer/start");
    assertEquals(start.status, 200);
    await syncerStatus(kingbus, ({ state, cause }) => {
      return state === "failed" && cause === "reset";
    });
    assertStringIncludes(await shown(kingbus), "reset: The source's log was");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
