import { assert, assertEquals, assertRejects } from "@std/assert";
import { ExportError } from "../../../lib/export/export_error.ts";
import { exportLog } from "../../../lib/export/export_log.ts";
import { parseStopAt } from "../../../lib/export/stop_at.ts";
import { listBinlogPaths } from "../../../lib/import/binlog_path.ts";
import { importFiles } from "../../../lib/import/import_files.ts";
import type { BinlogStore } from "../../../lib/store/binlog_store.ts";
import { findMariadbTransaction } from "../../../lib/store/find_mariadb_transaction.ts";
import { parseMariadbGtid } from "../../../lib/gtid/mariadb_gtid.ts";
import { openMemoryStore } from "../../../lib/store/memory_store.ts";
import {
  type BinlogFixture,
  loadBinlogFixtures,
} from "../../support/binlog_fixture.ts";
import { logFromFixtures } from "../../support/log_from_fixtures.ts";
import { assertSameBytes } from "../../support/source_file.ts";

// But for the newest one, which is marked as open.
const FIXTURES: readonly BinlogFixture[] = loadBinlogFixtures("mariadb1011")
  .filter(({ name }) => name.startsWith("binlog.")).slice(0, -1);

function mariadbLog(): Promise<BinlogStore> {
  return logFromFixtures(FIXTURES, "mariadb-8001");
}

Deno.test("exportLog() writes a MariaDB log as the files it is made of", async () => {
  const to = await Deno.makeTempDir({ prefix: "kingbus-export-" });
  try {
    await using log = await mariadbLog();
    await exportLog(log, { to });
    for (const { name, bytes } of FIXTURES) {
      assertSameBytes(name, await Deno.readFile(`${to}/${name}`), bytes);
    }
  } finally {
    await Deno.remove(to, { recursive: true });
  }
});

Deno.test("exportLog() stops after a MariaDB GTID, wherever its number stands", async () => {
  await using log = await mariadbLog();
  // The sequence of 0-8001 jumps; 3-77 is in the middle of a file.
  for (const gtid of ["0-8001-3", "3-8001-1", "3-77-2", "0-8001-1001"]) {
    const to = await Deno.makeTempDir({ prefix: "kingbus-export-" });
    try {
      const report = await exportLog(log, { to, stopAt: parseStopAt(gtid) });
      assertEquals(report.stopped, true);
      await using read = await openMemoryStore();
      await importFiles(read, await listBinlogPaths([to]), {
        serverUuid: "",
        acceptTornEnd: false,
      });
      assertEquals(read.head!.lastGtid, gtid);
    } finally {
      await Deno.remove(to, { recursive: true });
    }
  }
});

Deno.test("exportLog() says that a MariaDB GTID was purged, or never was", async () => {
  await using log = await mariadbLog();
  const to = await Deno.makeTempDir({ prefix: "kingbus-export-" });
  const stopAt = (gtid: string) =>
    exportLog(log, { to, stopAt: parseStopAt(gtid) });
  try {
    await log.purge(2);
    for (
      const [gtid, said] of [
        ["0-8001-3", "was purged; the log begins with binlog.000002"],
        ["0-8001-5000", "has no transaction"],
        ["9-1-1", "has no transaction"],
        ["d63952fd-e6f6-11f1-a979-02fc00000001:1", "has no transaction"],
      ] as const
    ) {
      const error = await assertRejects(() => stopAt(gtid), ExportError);
      assert(error.message.includes(said), error.message);
    }
  } finally {
    await Deno.remove(to, { recursive: true });
  }
});

Deno.test("findMariadbTransaction() finds every transaction of a log", async () => {
  await using log = await mariadbLog();
  for (const [index, fixture] of FIXTURES.entries()) {
    const begins = fixture.truth.event_list.filter(({ gtid }) => gtid);
    assertEquals(begins.length, fixture.truth.gtids_in_file.length);
    for (const { gtid, pos } of begins) {
      const at = await findMariadbTransaction(log, parseMariadbGtid(gtid!));
      assertEquals(at, { fileNumber: index + 1, position: pos }, gtid);
    }
  }
});
