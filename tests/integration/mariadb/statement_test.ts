import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { decodeHandshakeV10 } from "../../../lib/protocol/handshake.ts";
import { ServerError } from "../../../lib/protocol/server_error.ts";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import type { ClientConnection } from "../../../lib/connection/client_connection.ts";
import { startMariadb } from "../../support/mariadb.ts";
import { startMysql97 } from "../../support/mysql97.ts";
import { DumpClient } from "../../support/dump_client.ts";
import {
  byGtid,
  MARIADB_WORKLOAD,
  MariadbComparison,
} from "../../support/mariadb_comparison.ts";
import { logEndOf } from "../../support/sql_server.ts";
import { type ServerAddress, TestKingbus } from "../../support/test_kingbus.ts";

/** Statements that have the same answer at kingbus and at the source. */
const SAME: readonly string[] = [
  "SELECT @@GLOBAL.gtid_domain_id",
  "SELECT @@gtid_binlog_pos",
  "SELECT @@GLOBAL.gtid_current_pos",
  "SELECT @@gtid_strict_mode",
  "SELECT @@gtid_ignore_duplicates",
  "SELECT @@rpl_semi_sync_master_enabled",
  "SHOW VARIABLES LIKE 'rpl_semi_sync_master_enabled'",
  "SHOW VARIABLES LIKE 'SERVER_ID'",
  "SELECT VERSION()",
  "SELECT @@version",
  "SELECT @@skip_replication",
  "SET skip_replication = 1",
  "SET @@gtid_domain_id = 3",
  "SHOW VARIABLES LIKE 'server_uuid'",
  "SHOW VARIABLES LIKE 'gtid_mode'",
  "SELECT @@GLOBAL.GTID_MODE",
  "SELECT @@GLOBAL.SERVER_UUID",
  "SELECT @@gtid_executed",
  "SELECT @@gtid_purged",
  "SELECT BINLOG_GTID_POS('binlog.000001', 4)",
  "SELECT binlog_gtid_pos('binlog.000001', 0)",
  "SELECT binlog_gtid_pos('binlog.000001', 256)",
  "SELECT binlog_gtid_pos('binlog.000001', 300)",
  "SELECT binlog_gtid_pos('binlog.000001', '4')",
  "SELECT binlog_gtid_pos('binlog.000001', 99999999999)",
  "SELECT binlog_gtid_pos('', 4)",
  "SELECT binlog_gtid_pos('nowhere', 4)",
  "SELECT binlog_gtid_pos(NULL, 4)",
  "SELECT binlog_gtid_pos('binlog.000001', NULL)",
  "SELECT binlog_gtid_pos('binlog.000001')",
  "SELECT binlog_gtid_pos()",
];

/** What a server answers: rows, or the error. */
async function answerOf(
  connection: ClientConnection,
  sql: string,
): Promise<unknown> {
  try {
    const { columns, rows } = await connection.query(sql);
    return { columns, rows };
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    return `${error.code} ${error.message}`;
  }
}

/** GTIDs of a text, in an order of their own. */
function sorted(text: string | null | undefined): string[] {
  return (text ?? "").split(",").sort();
}

for (const release of ["installed", "sid"] as const) {
  await rigTest(
    `kingbus answers a MariaDB client as its source does (${release})`,
    [release === "sid" ? "mariadb-sid" : "mariadb"],
    async (_rig, context) => {
      // of one release with the defaults, of the other with values of its own
      const args = release === "sid" ? [] : ["--gtid-domain-id=7"];
      await using source = await startMariadb(7102, args, release);
      if (release === "installed") {
        await source.run("SET GLOBAL gtid_strict_mode = 1");
      }
      await using comparison = await MariadbComparison.open(
        source,
        MARIADB_WORKLOAD,
      );
      const { kingbus } = comparison;
      for (const sql of SAME) {
        await context.step(sql, async () => {
          await using here = await kingbus.connect();
          await using there = await source.connect();
          assertEquals(await answerOf(here, sql), await answerOf(there, sql));
        });
      }
      await context.step("BINLOG_GTID_POS of every event", async () => {
        await using here = await kingbus.connect();
        await using there = await source.connect();
        for (const file of ["binlog.000001", "binlog.000002"]) {
          const { rows } = await there.query(`SHOW BINLOG EVENTS IN '${file}'`);
          for (const row of rows) {
            const sql = `SELECT BINLOG_GTID_POS('${file}', ${row[1]})`;
            const [actual] = (await here.query(sql)).rows;
            const [expected] = (await there.query(sql)).rows;
            // MariaDB has the domains in the order of a hash table
            assertEquals(sorted(actual![0]), sorted(expected![0]), sql);
          }
        }
      });
      await context.step("@@gtid_binlog_state", async () => {
        await using here = await kingbus.connect();
        const sql = "SELECT @@gtid_binlog_state";
        assertEquals(
          sorted((await here.query(sql)).rows[0]![0]),
          sorted((await source.query(sql)).rows[0]![0]),
        );
      });
      await context.step("the greeting", async () => {
        const actual = await greetingOf(kingbus);
        const expected = await greetingOf(source);
        assertEquals(actual.serverVersion, expected.serverVersion);
        assertEquals(actual.authPlugin, expected.authPlugin);
        // the bit by which MariaDB's clients know MySQL
        assertEquals(actual.capabilities & 1, expected.capabilities & 1);
        const prefix = release === "sid" ? /^1[1-9]\./ : /^5\.5\.5-10\./;
        assertMatch(actual.serverVersion, prefix);
      });
    },
  );
}

await rigTest(
  "a second dump with the server id of a MariaDB replica ends the first, as at the source",
  ["mariadb"],
  async () => {
    await using source = await startMariadb(7103);
    await using comparison = await MariadbComparison.open(source, [
      "CREATE TABLE test.t (id INT)",
    ]);
    const ends: string[] = [];
    for (const server of [source, comparison.kingbus]) {
      const request = { ...byGtid(""), flags: 2, serverId: 99 };
      await using first = await DumpClient.open(server, request);
      const { position } = await logEndOf(source);
      await first.readTo(position);
      await using second = await DumpClient.open(server, request);
      await second.readTo(position);
      const error = await assertRejects(() => first.rest(), ServerError);
      ends.push(`${error.code} ${error.message.replace(/at \d+, the.*/, "")}`);
    }
    assertEquals(ends[1], ends[0]);
    assertMatch(ends[0]!, /^4052 A slave with the same server_uuid/);
  },
);

await rigTest(
  "kingbus has no variables and functions of MariaDB for a MySQL log",
  ["mysql97"],
  async () => {
    await using source = await startMysql97(9795);

    await using kingbus = await TestKingbus.following(source);
    await kingbus.waitUntilState("following");
    await using connection = await kingbus.connect();
    const unknown = [
      "gtid_domain_id",
      "gtid_binlog_pos",
      "gtid_slave_pos",
      "skip_replication",
    ];
    for (const name of unknown) {
      const error = await assertRejects(
        () => connection.query(`SELECT @@GLOBAL.${name}`),
        ServerError,
      );
      assertEquals(error.code, 1193);
    }
    const error = await assertRejects(
      () => connection.query("SELECT binlog_gtid_pos('binlog.000001', 4)"),
      ServerError,
    );
    assertEquals(error.code, 1305);
  },
);

async function greetingOf({ hostname = "127.0.0.1", port }: ServerAddress) {
  using conn = await Deno.connect({ hostname, port });
  const bytes = new Uint8Array(512);
  const count = await conn.read(bytes);
  assert(count !== null && count > 4);
  return decodeHandshakeV10(bytes.subarray(4, count));
}
