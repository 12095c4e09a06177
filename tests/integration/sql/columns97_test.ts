import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { executedOf } from "../../support/sql_server.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";
import {
  COMMON_STATEMENTS,
  compareColumns,
  compareRows,
  MYSQL_STATEMENTS,
} from "./columns_suite.ts";

const source = new SharedMysql97(9761);

await rigTest(
  "kingbus declares the columns of each statement as MySQL 9.7",
  ["mysql97"],
  async () => {
    await compareColumns(await source.asSource(), [
      ...COMMON_STATEMENTS,
      ...MYSQL_STATEMENTS,
      "SHOW BINARY LOG STATUS",
      "SHOW REPLICAS",
      "SHOW REPLICA STATUS",
      "SHOW REPLICA STATUS FOR CHANNEL ''",
    ]);
  },
);

await rigTest(
  "kingbus shows GTID sets of several servers, compares values and tells scopes apart as MySQL 9.7",
  ["mysql97"],
  async () => {
    const server = await source.asSource();
    const other = "bbbbbbbb-0000-1111-2222-000000000001";
    for (const gtid of [`${other}:3`, `${other}:tag:5`]) {
      await server.query(`SET gtid_next = '${gtid}'`);
      await server.query("COMMIT");
    }
    await server.query("SET gtid_next = AUTOMATIC");
    // so that the newest file's Previous_gtids have both
    await server.query("FLUSH BINARY LOGS");
    await server.query("CREATE TABLE test.sets (id INT)");
    const file = (await server.query("SHOW BINARY LOG STATUS")).rows[0]?.[0];
    await compareRows(server, await executedOf(server), [
      "SELECT @@global.gtid_executed, @@global.gtid_purged",
      "SHOW GLOBAL VARIABLES LIKE 'gtid_executed'",
      "SHOW BINARY LOG STATUS",
      `SHOW BINLOG EVENTS IN '${file}' LIMIT 3`,
      `SELECT GTID_SUBTRACT(@@global.gtid_executed, '${other}:1-9')`,
      `SELECT GTID_SUBTRACT('${other}:tag:1-9', @@global.gtid_executed)`,
      `SELECT GTID_SUBSET('${other}:4', @@global.gtid_executed)`,
      "SELECT GTID_SUBSET(@@global.gtid_purged, @@global.gtid_executed)",
      "SHOW VARIABLES WHERE Variable_name = 'lock_wait_timeout' AND Value > 9",
      "SHOW VARIABLES WHERE Variable_name = 'lock_wait_timeout' AND Value > '99'",
      "SHOW VARIABLES WHERE Variable_name = 'gtid_mode' AND Value BETWEEN -1 AND 0",
      "SHOW VARIABLES WHERE Variable_name = 'version' AND Value IS NOT NULL",
      "SET wait_timeout = 7",
      "SELECT @@wait_timeout, @@session.wait_timeout, @@global.wait_timeout",
      "SHOW VARIABLES LIKE 'wait_timeout'",
      "SHOW GLOBAL VARIABLES LIKE 'wait_timeout'",
    ]);
  },
);
