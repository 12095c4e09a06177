import { assertEquals, assertRejects } from "@std/assert";
import type { ClientConnection } from "../../../lib/connection/client_connection.ts";
import { ServerError } from "../../../lib/protocol/server_error.ts";
import { SourceError } from "../../../lib/syncer/source_error.ts";
import { SourceSession } from "../../../lib/syncer/source_session.ts";

type Rows = (string | null)[][];

/** A session with a source that answers these statements and no other. */
function sessionOf(answers: Record<string, Rows>): SourceSession {
  const connection = {
    query: (statement: string) => {
      const rows = answers[statement];
      return rows === undefined
        ? Promise.reject(new ServerError(1064, "42000", "syntax"))
        : Promise.resolve({ columns: [], rows, affectedRows: 0n });
    },
  };
  return new SourceSession(connection as unknown as ClientConnection);
}

Deno.test("SourceSession.files() counts what is in front of an encrypted file out", async () => {
  const session = sessionOf({
    "SHOW BINARY LOGS": [
      ["binlog.000001", "714", "Yes"],
      ["binlog.000002", "202", "No"],
    ],
  });
  const files = await session.files();
  assertEquals(files.map(({ size }) => size), [202, 202]);
});

Deno.test("SourceSession.files() refuses a source without any", async () => {
  const session = sessionOf({ "SHOW BINARY LOGS": [] });
  const error = await assertRejects(() => session.files(), SourceError);
  assertEquals(error.kind, "unsuitable");
});

const US = { serverId: 7, uuid: "4b494e47-4255-1111-8000-000000004711" };

for (const statement of ["SHOW REPLICAS", "SHOW SLAVE HOSTS"]) {
  Deno.test(`SourceSession.registered() finds who has our ids by ${statement}`, async () => {
    const other = ["8", "db8", "3306", "1", "u-8"];
    const cases: [Rows, string | undefined][] = [
      [[], undefined],
      [[other], undefined],
      [[other, ["7", "db7", "3306", "1", "u-7"]], "db7"],
      [
        [other, ["9", "", "0", "1", US.uuid.toUpperCase()]],
        "a host without name",
      ],
      [[["7", "db7", "3306", "1"]], "db7"],
    ];
    for (const [rows, host] of cases) {
      const session = sessionOf({ [statement]: rows });
      assertEquals(await session.registered(US), host);
    }
  });
}

Deno.test("SourceSession.registered() knows of nobody where it may not see them", async () => {
  assertEquals(await sessionOf({}).registered(US), undefined);
});

Deno.test("SourceSession reads what a MariaDB server says of its log", async () => {
  const list = (info: string): Rows => [
    ["b.1", "4", "Format_desc", "1", "256", "Server ver: 10.11"],
    ["b.1", "256", "Start_encryption", "1", "296", ""],
    ["b.1", "296", "Gtid_list", "1", "340", info],
  ];
  const session = sessionOf({
    "SELECT @@GLOBAL.gtid_binlog_state": [["0-1-5,0-2-6"]],
    "SHOW BINLOG EVENTS IN 'b.1' FROM 4 LIMIT 3": list("[0-1-5,3-1-1]"),
    "SHOW BINLOG EVENTS IN 'it''s' FROM 4 LIMIT 3": list("[]"),
    "SELECT BINLOG_GTID_POS('b.1', 340)": [["0-1-5,3-1-1"]],
    "SELECT BINLOG_GTID_POS('b.1', 4)": [[""]],
    "SELECT BINLOG_GTID_POS('b.2', 4)": [[null]],
  });
  assertEquals(`${await session.mariadbState()}`, "0-1-5,0-2-6");
  assertEquals(`${await session.mariadbStateBefore("b.1")}`, "0-1-5,3-1-1");
  assertEquals(`${await session.mariadbStateBefore("it's")}`, "");
  assertEquals(await session.mariadbPositionAt("b.1", 340), [
    { domain: 0, server: 1, sequence: 5n },
    { domain: 3, server: 1, sequence: 1n },
  ]);
  assertEquals(await session.mariadbPositionAt("b.1", 4), []);
  assertEquals(await session.mariadbPositionAt("b.2", 4), undefined);
});

Deno.test("SourceSession.dump() asks no MariaDB server for what is behind 4 GiB", async () => {
  const error = await assertRejects(
    () => sessionOf({}).dump("b.1", 2 ** 32, 7, "mariadb"),
    SourceError,
    "position 4294967296 of the source's file b.1",
  );
  assertEquals(error.kind, "unsuitable");
});

Deno.test("SourceSession takes GTIDs that can't be read for the source's fault", async () => {
  const rows: Rows = [["no set"]];
  const events: Rows = [
    ["binlog.000001", "4", "Previous_gtids", "1", "67", "no set"],
    ["binlog.000001", "4", "Gtid_list", "1", "67", "[no state]"],
  ];
  const session = sessionOf({
    "SELECT @@GLOBAL.gtid_executed": rows,
    "SELECT @@GLOBAL.gtid_purged": rows,
    "SELECT @@GLOBAL.gtid_binlog_state": rows,
    "SHOW BINLOG EVENTS IN 'binlog.000001' FROM 4 LIMIT 3": events,
    "SELECT BINLOG_GTID_POS('binlog.000001', 4)": rows,
  });
  const questions = [
    () => session.executedGtids(),
    () => session.purgedGtids(),
    () => session.previousGtids("binlog.000001"),
    () => session.mariadbState(),
    () => session.mariadbStateBefore("binlog.000001"),
    () => session.mariadbPositionAt("binlog.000001", 4),
  ];
  for (const ask of questions) {
    const error = await assertRejects(ask, SourceError, "what can't be read");
    assertEquals(error.kind, "stream");
  }
});
