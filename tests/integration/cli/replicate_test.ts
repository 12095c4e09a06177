import { assert, assertEquals } from "@std/assert";
import { freePort } from "../../../scripts/test_servers/free_port.ts";
import { REPLICATION_ACCOUNT } from "../../../scripts/test_servers/mysql56.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import type { NodeStatus } from "../../../lib/admin/node_status.ts";
import { KingbusProcess, runKingbus } from "../../support/kingbus_process.ts";
import {
  SharedReplica56,
  SharedSource56,
} from "../../support/shared_mysql56.ts";
import { checksumTables } from "../../support/sql_server.ts";

const source = new SharedSource56();
const replica = new SharedReplica56();

/** A configuration as the documents show it, its secrets in a file. */
function configuration(folder: string): string {
  const { user } = REPLICATION_ACCOUNT;
  return `
name: between
data-dir: ${folder}/data
server:
  users:
    - { name: ${user}, password-file: ${folder}/password }
source:
  address: 127.0.0.1:${source.port}
  user: ${user}
  password-file: ${folder}/password
log: { directory: ${folder}/log }
`;
}

async function statusOf(kingbus: KingbusProcess): Promise<NodeStatus> {
  const { data } = await kingbus.ask("GET", "/status");
  return data as NodeStatus;
}

Deno.test("kingbus serve stands between a real source and a real replica, kill -9 included", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kingbus-between-" });
  try {
    const file = `${folder}/kingbus.yaml`;
    await Deno.writeTextFile(file, configuration(folder));
    await Deno.writeTextFile(
      `${folder}/password`,
      `${REPLICATION_ACCOUNT.password}\n`,
    );
    const port = freePort();
    const args = [`--config=${file}`, `--server-listen=127.0.0.1:${port}`];
    await source.run(
      "CREATE TABLE test.t (id INT AUTO_INCREMENT PRIMARY KEY, name TEXT)",
      "INSERT INTO test.t (name) VALUES ('one'), ('two')",
    );
    {
      await using kingbus = await KingbusProcess.start(args);
      await replica.replica.start({ port });
      await replica.replica.waitUntilHas(await source.executed());
      const status = await waitUntil("kingbus had sent all", async () => {
        const now = await statusOf(kingbus);
        return now.server.slaves[0]?.lag_bytes === 0 && now;
      });
      assertEquals(status.ready, true);
      assertEquals(status.syncer.state, "following");
      assertEquals(status.syncer.executed_gtid_set, await source.executed());
      assertEquals(status.server.slaves.length, 1);
      assertEquals(status.server.slaves[0]?.replication_state, 1);
      const address = kingbus.adminUrl.replace("http://", "");
      const shown = await runKingbus(["status", `--admin-listen=${address}`]);
      assertEquals(shown.code, 0);
      assert(shown.stdout.includes("dumping by gtid"), shown.stdout);
      kingbus.signal("SIGKILL");
      await kingbus.ended();
    }
    await source.run("INSERT INTO test.t (name) VALUES ('meanwhile')");
    await using kingbus = await KingbusProcess.start(args);
    await source.run("INSERT INTO test.t (name) VALUES ('after')");
    await replica.replica.waitUntilHas(await source.executed());
    assertEquals(
      await checksumTables(replica.server),
      await checksumTables(source.server),
    );
    kingbus.signal("SIGTERM");
    assertEquals(await kingbus.ended(), 0);
    const logged = await Deno.readTextFile(`${folder}/log/kingbus.log`);
    assert(logged.includes('"message":"stopped"'), logged);
    assert(!logged.includes(REPLICATION_ACCOUNT.password), logged);
  } finally {
    await replica.replica.stop();
    await Deno.remove(folder, { recursive: true });
  }
});
