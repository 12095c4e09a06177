import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { LogStatus } from "../../../lib/admin/syncer_status.ts";
import { databasePath } from "../../../lib/store/kv/database_path.ts";
import { openKvSnapshot } from "../../../lib/store/kv/open_kv_snapshot.ts";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { KingbusProcess, runKingbus } from "../../support/kingbus_process.ts";
import { checkpointed } from "../../support/mariadb_checkpoint.ts";
import {
  mariadbStateOf,
  SharedMariadb,
  writeRow,
} from "../../support/mariadb_source.ts";
import { readFile } from "../../support/read_stored_file.ts";
import { assertSameBytes, readSourceFile } from "../../support/source_file.ts";
import { binlogsOf, logEndOf } from "../../support/sql_server.ts";

const sources = new SharedMariadb(8161);

/** What a status answer says of the log. */
async function logOf(kingbus: KingbusProcess): Promise<LogStatus> {
  const { data } = await kingbus.ask("GET", "/binlog/syncer/status");
  return data as LogStatus;
}

await rigTest(
  "kingbus that is killed again and again keeps all of a MariaDB source's log",
  ["mariadb"],
  async () => {
    const source = await sources.fresh();
    const dataDir = await Deno.makeTempDir({ prefix: "kingbus-mariadb-" });
    const args = [
      `--data-dir=${dataDir}`,
      `--source-address=127.0.0.1:${source.port}`,
      "--source-user=repl",
      "--source-server-id=4711",
    ];
    const passwordFile = `${dataDir}/password`;
    await Deno.writeTextFile(passwordFile, "replpass");
    args.push(`--source-password-file=${passwordFile}`);
    try {
      for (let round = 0; round < 3; round++) {
        await using kingbus = await KingbusProcess.start(args);
        // Killed at any place: in large transactions, and between files.
        for (let n = 0; n < 10; n++) {
          await writeRow(source, `REPEAT('x', ${n % 3 === 0 ? 300_000 : 50})`);
          if (n === 5) await source.run("FLUSH BINARY LOGS");
        }
        await source.run("SET SESSION gtid_domain_id = 9");
        await writeRow(source);
        await source.run("SET SESSION gtid_domain_id = 0");
        kingbus.signal("SIGKILL");
        await kingbus.ended();
      }
      await checkpointed(source);
      const state = await mariadbStateOf(source);
      const end = await logEndOf(source);
      {
        await using kingbus = await KingbusProcess.start(args);
        await waitUntil("kingbus had all", async () => {
          const log = await logOf(kingbus);
          return log.last_binlog_file === end.fileName &&
            log.last_file_position === end.position;
        });
        const log = await logOf(kingbus);
        assertEquals(log.executed_gtid_set, `${state}`);
        assertEquals(log.gtid_binlog_pos, "0-8161-30,9-8161-3");
        assertEquals(log.current_gtid, "9-8161-3");
        assertEquals(log.purged_gtid_set, "");
        const shown = await runKingbus([
          "events",
          `--data-dir=${dataDir}`,
          "--gtid=9-8161-2",
          "--json",
        ]);
        assertEquals(
          shown.stdout.trimEnd().split("\n").map((line) =>
            JSON.parse(line).type
          ),
          ["Gtid", "Annotate_rows", "Table_map", "Write_rows_v1", "Xid"],
        );
        const none = await runKingbus([
          "events",
          `--data-dir=${dataDir}`,
          "--gtid=9-8161-4",
        ]);
        assertEquals(none.code, 1);
        assertStringIncludes(none.stderr, "has no transaction 9-8161-4");
        kingbus.signal("SIGKILL");
        await kingbus.ended();
      }
      const verified = await runKingbus(["verify", `--data-dir=${dataDir}`]);
      assertEquals(verified.code, 0, verified.stdout + verified.stderr);
      await using log = await openKvSnapshot({ path: databasePath(dataDir) });
      assert(log.head!.mariadb!.equals(state));
      const names = (await binlogsOf(source)).map(({ name }) => name);
      assertEquals(log.files.map(({ name }) => name), names);
      for (const file of log.files) {
        const expected = await readSourceFile(source.onDisk, file.name);
        assertSameBytes(
          file.name,
          await readFile(log, file),
          expected.subarray(4),
        );
      }
    } finally {
      await Deno.remove(dataDir, { recursive: true });
    }
  },
);
