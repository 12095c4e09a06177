import { assert, assertEquals, assertRejects } from "@std/assert";
import { eventTypeAt, logPosAt } from "../../../lib/binlog/event_header.ts";
import { EventType } from "../../../lib/binlog/event_type.ts";
import { listBinlogPaths } from "../../../lib/import/binlog_path.ts";
import { ImportError } from "../../../lib/import/import_error.ts";
import { importFiles } from "../../../lib/import/import_files.ts";
import { openMemoryStore } from "../../../lib/store/memory_store.ts";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { takeDump } from "../../support/dump_comparison.ts";
import type { DumpClientOptions } from "../../support/dump_client.ts";
import {
  byGtid,
  MARIADB_WORKLOAD,
  MariadbComparison,
} from "../../support/mariadb_comparison.ts";
import { MariadbReplica } from "../../support/mariadb_replica.ts";
import { checksumTables } from "../../support/sql_server.ts";
import { startMariadb } from "../../support/mariadb.ts";
import {
  caughtUp,
  mariadbStateOf,
  writeRow,
} from "../../support/mariadb_source.ts";
import { readFile } from "../../support/read_stored_file.ts";
import { assertSameBytes } from "../../support/source_file.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";
import { TEST_TABLE } from "../../support/test_table.ts";

/** Writes a key, and has a server encrypt its binlog with it. */
function encryption(folder: string): string[] {
  Deno.writeTextFileSync(`${folder}/keys`, `1;${"ab".repeat(32)}\n`);
  return [
    "--plugin-load-add=file_key_management",
    `--file-key-management-filename=${folder}/keys`,
    "--encrypt-binlog=ON",
  ];
}

await rigTest(
  "Syncer takes what a MariaDB source with an encrypted binlog sends, as it sends it",
  ["mariadb", "mariadb-binlog"],
  async () => {
    const folder = await Deno.makeTempDir({ prefix: "kingbus-keys-" });
    try {
      await using source = await startMariadb(8151, encryption(folder));
      await source.run(
        TEST_TABLE,
      );
      await writeRow(source);
      await using kingbus = await TestKingbus.following(source);
      await caughtUp(kingbus, source);
      // Inside a file the event is not sent as part of it.
      await kingbus.stop();
      await writeRow(source);
      await kingbus.resume();
      await caughtUp(kingbus, source);
      await source.run("FLUSH BINARY LOGS");
      await writeRow(source);
      await caughtUp(kingbus, source);
      const state = await mariadbStateOf(source);
      assertEquals(kingbus.status.executed, `${state}`);

      const { success, stderr } = await new Deno.Command("mariadb-binlog", {
        args: [
          "--no-defaults",
          "--read-from-remote-server",
          "--raw",
          "--host=127.0.0.1",
          `--port=${source.port}`,
          "--user=repl",
          "--password=replpass",
          `--result-file=${folder}/`,
          "binlog.000001",
        ],
      }).output();
      assert(success, new TextDecoder().decode(stderr));
      const raw = await Deno.readFile(`${folder}/binlog.000001`);
      const stored = await readFile(kingbus.store, kingbus.store.files[0]!);
      assertSameBytes("binlog.000001", stored, raw.subarray(4));
      const format = new DataView(raw.buffer).getUint32(4 + 9, true);
      assertEquals(raw[4 + format + 4], EventType.MARIADB_START_ENCRYPTION);

      // What its server decrypted can be imported, its own file can't.
      await using store = await openMemoryStore();
      const options = { serverUuid: "", acceptTornEnd: false };
      await importFiles(
        store,
        await listBinlogPaths([`${folder}/binlog.000001`]),
        options,
      );
      assertEquals(`${store.head!.mariadb}`, "0-8151-3");
      await using other = await openMemoryStore();
      const own = `${source.onDisk.binlogFolder}/binlog.000001`;
      const error = await assertRejects(
        async () =>
          await importFiles(other, await listBinlogPaths([own]), options),
        ImportError,
        "only its server has the key",
      );
      assertEquals(error.fault, "encrypted");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

await rigTest(
  "kingbus sends the dumps of a MariaDB source with an encrypted binlog as the source does, and a replica applies them",
  ["mariadb"],
  async (_rig, context) => {
    const folder = await Deno.makeTempDir({ prefix: "kingbus-keys-" });
    try {
      await using source = await startMariadb(7101, encryption(folder));
      await using comparison = await MariadbComparison.open(
        source,
        MARIADB_WORKLOAD,
      );
      const { rows } = await source.query(
        "SHOW BINLOG EVENTS IN 'binlog.000001'",
      );
      const inside = rows.filter((row) => row[2] === "Gtid")
        .map((row) => Number(row[1]))[2]!;
      const afterFormat = Number(rows[0]![4]);
      const requests: Record<string, DumpClientOptions> = {
        "by GTID, from nothing": byGtid(""),
        "by GTID, from inside the first file": byGtid("0-7101-4"),
        "by GTID, with capability 2": byGtid("0-7101-2", {
          mariadb_slave_capability: 2,
        }),
        "by position": {
          fileName: "binlog.000001",
          flags: 3,
          variables: { mariadb_slave_capability: 4 },
        },
        "by position, inside the file": {
          fileName: "binlog.000001",
          position: inside,
          flags: 3,
          variables: { mariadb_slave_capability: 4 },
        },
        "by position, inside the file, of a client that knows nothing": {
          fileName: "binlog.000001",
          position: inside,
          flags: 1,
        },
        "by position, of a client that knows nothing": {
          fileName: "binlog.000001",
          flags: 1,
        },
      };
      for (const [what, request] of Object.entries(requests)) {
        await context.step(what, async () => {
          const { events } = await comparison.compare(request);
          assert(events.length > 3);
        });
      }
      // where the source decrypts it though it is in the clear, and sends that
      await context.step("by position, at the event itself", async () => {
        const { events } = await takeDump(comparison.kingbus, {
          fileName: "binlog.000001",
          position: afterFormat,
          flags: 3,
          variables: { mariadb_slave_capability: 4 },
        });
        const sent = events.filter((event) =>
          eventTypeAt(event, 0) === EventType.MARIADB_START_ENCRYPTION
        );
        // one of each file, where it stands
        const end = afterFormat + sent[0]!.length;
        assertEquals(sent.map((event) => logPosAt(event, 0)), [end, end]);
      });
      await context.step("a replica", async () => {
        await using server = await startMariadb(8152);
        const replica = new MariadbReplica(server);
        await replica.start({ port: comparison.kingbus.port });
        await replica.waitUntilHasAllOf(source);
        assertEquals(
          await checksumTables(server),
          await checksumTables(source),
        );
        await replica.stop();
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);
