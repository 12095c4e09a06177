import { assert, assertEquals } from "@std/assert";
import { answerStatement } from "../../../lib/server/statement.ts";
import type { StatementContext } from "../../../lib/server/statement_context.ts";
import { statementSession } from "./statement_session.ts";

/** A session at a server with a MariaDB log. */
function mariadbContext(): StatementContext {
  const context = statementSession().context();
  const { server, log } = context;
  assert(log !== undefined);
  return {
    ...context,
    server: { ...server, flavour: "mariadb", version: "10.11.19-MariaDB" },
    log: {
      ...log,
      mariadb: { position: () => "0-1-5", state: () => "0-2-4,0-1-5" },
    },
  };
}

/** The one value a statement answers, or the number of its error. */
function answerOf(sql: string, context = mariadbContext()): unknown {
  const result = answerStatement(sql, context);
  if (result.kind === "error") return result.code;
  assert(result.kind === "rows", result.kind);
  return result.rows[0]?.at(-1);
}

Deno.test("a MariaDB log has MariaDB's variables and not MySQL's", () => {
  assertEquals(answerOf("SELECT @@GLOBAL.gtid_domain_id"), "0");
  for (const name of ["binlog", "current", "slave"]) {
    assertEquals(answerOf(`SELECT @@GLOBAL.gtid_${name}_pos`), "0-1-5");
  }
  assertEquals(answerOf("SELECT @@gtid_binlog_state"), "0-2-4,0-1-5");
  assertEquals(
    answerOf("SHOW VARIABLES LIKE 'rpl_semi_sync_master_enabled'"),
    "OFF",
  );
  const mysqlOnly = [
    "gtid_mode",
    "gtid_executed",
    "gtid_purged",
    "server_uuid",
    "super_read_only",
    "rpl_semi_sync_source_enabled",
  ];
  for (const name of mysqlOnly) {
    assertEquals(answerOf(`SELECT @@GLOBAL.${name}`), 1193, name);
    assertEquals(answerOf(`SHOW VARIABLES LIKE '${name}'`), undefined, name);
  }
});

Deno.test("a MySQL log has none of MariaDB's variables and functions", () => {
  const context = statementSession().context();
  const mariadbOnly = [
    "gtid_domain_id",
    "gtid_binlog_pos",
    "gtid_slave_pos",
    "gtid_strict_mode",
    "skip_replication",
  ];
  for (const name of mariadbOnly) {
    assertEquals(answerOf(`SELECT @@GLOBAL.${name}`, context), 1193, name);
  }
  const sql = "SELECT BINLOG_GTID_POS('binlog.000001', 4)";
  assertEquals(answerOf(sql, context), 1305);
});

Deno.test("BINLOG_GTID_POS() is found in the log, beside other expressions", () => {
  const result = answerStatement(
    "SELECT 1, binlog_gtid_pos('binlog.000001', 4) AS p, BINLOG_GTID_POS(NULL, '7')",
    mariadbContext(),
  );
  assert(result.kind === "gtid-positions", result.kind);
  assertEquals(result.columns.map(({ name }) => name).slice(0, 2), ["1", "p"]);
  assertEquals([...result.positions], [
    [1, { fileName: "binlog.000001", position: 4 }],
    [2, { fileName: null, position: 7 }],
  ]);
  for (const call of ["()", "('f')", "('f', 4, 5)"]) {
    assertEquals(answerOf(`SELECT BINLOG_GTID_POS${call}`), 1582, call);
  }
});
