import { assertEquals } from "@std/assert";
import {
  bytesBehind,
  type ReportedStore,
  reportLog,
} from "../../../../lib/admin/intent/log_report.ts";
import { MariadbGtidState } from "../../../../lib/gtid/mariadb_gtid_state.ts";
import { GtidSet } from "../../../../lib/gtid/gtid_set.ts";
import type { StoredFile } from "../../../../lib/store/binlog_store.ts";

function fileOf(number: number, size: number): StoredFile {
  return {
    number,
    name: `binlog.${number}`,
    firstBlock: 0,
    size,
    closed: false,
    serverUuid: "",
    sourceName: `binlog.${number}`,
    spliced: false,
    mariadbStart: undefined,
    previousGtids: new GtidSet(),
    formatDescription: new Uint8Array(),
    checksumAlgorithm: "crc32",
    firstTimestamp: 0,
    lastTimestamp: 0,
  };
}

const STORE: ReportedStore = {
  head: {
    version: 1,
    fileNumber: 3,
    fileName: "binlog.3",
    position: 500,
    executed: GtidSet.parse("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5"),
    purged: new GtidSet(),
    mariadb: undefined,
    lastGtid: "3e11fa47-71ca-11e1-9e33-c80aa9429562:5",
    lastTimestamp: 1_700_000_000,
  },
  files: [fileOf(1, 1000), fileOf(2, 2000), fileOf(3, 500)],
};

Deno.test("reportLog() tells where the log ends", () => {
  assertEquals(reportLog(STORE), {
    currentGtid: "3e11fa47-71ca-11e1-9e33-c80aa9429562:5",
    file: "binlog.3",
    position: 500,
    executed: "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5",
    purged: "",
    lastEventAt: new Date(1_700_000_000_000),
  });
});

Deno.test("reportLog() tells of an empty log", () => {
  assertEquals(reportLog({ head: undefined, files: [] }), {
    currentGtid: "",
    file: "",
    position: 0,
    executed: "",
    purged: "",
    lastEventAt: undefined,
  });
});

Deno.test("bytesBehind() counts over files, in any order", () => {
  const behind = bytesBehind(STORE);
  assertEquals(behind("binlog.3", 500), 0);
  assertEquals(behind("binlog.3", 4), 496);
  assertEquals(behind("binlog.1", 900), 100 + 2000 + 500);
  assertEquals(behind("binlog.3", 600), 0);
  assertEquals(behind("", 4), undefined);
  assertEquals(behind("gone.1", 4), undefined);
});

Deno.test("reportLog() tells the states of a log of MariaDB", () => {
  const { head, files } = STORE;
  const report = reportLog({
    head: {
      ...head!,
      executed: new GtidSet(),
      lastGtid: "0-2-9",
      mariadb: MariadbGtidState.parse("3-1-4,0-1-7,0-2-9"),
    },
    files: files.map((file) => ({
      ...file,
      mariadbStart: MariadbGtidState.parse("0-1-3"),
    })),
  });
  assertEquals(report.currentGtid, "0-2-9");
  assertEquals(report.executed, "0-1-7,0-2-9,3-1-4");
  assertEquals(report.gtidBinlogPos, "0-2-9,3-1-4");
  assertEquals(report.purged, "0-1-3");
});
