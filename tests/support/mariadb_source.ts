import { assert, assertEquals } from "@std/assert";
import { MariadbGtidState } from "../../lib/gtid/mariadb_gtid_state.ts";
import type { LaunchedServer } from "./launched_server.ts";
import { type MariadbRelease, startMariadb } from "./mariadb.ts";
import { readFile } from "./read_stored_file.ts";
import { SharedServer } from "./shared_server.ts";
import { assertSameBytes, readSourceFile } from "./source_file.ts";
import {
  binlogsOf,
  dropDatabases,
  logEndOf,
  resetLog,
  type SqlServer,
  valueOf,
} from "./sql_server.ts";
import type { TestKingbus } from "./test_kingbus.ts";
import { TEST_TABLE } from "./test_table.ts";

/** A MariaDB server that the tests of one file share as their source. */
export class SharedMariadb {
  readonly #shared: SharedServer;

  /** Registers what ends it with the tests of this file. */
  constructor(
    serverId: number,
    extraArgs: string[] = [],
    release: MariadbRelease = "installed",
  ) {
    this.#shared = new SharedServer(() =>
      startMariadb(serverId, extraArgs, release)
    );
  }

  /** The server with `test.t` in it and an empty log, that replicates nothing. */
  async fresh(): Promise<LaunchedServer> {
    const server = await this.#shared.running();
    await server.run("STOP ALL SLAVES", "RESET SLAVE ALL");
    await dropDatabases(server);
    await server.run(
      TEST_TABLE,
    );
    await resetLog(server);
    await server.run("SET GLOBAL gtid_slave_pos = ''");
    return server;
  }
}

/** The state of a MariaDB server's binary log. */
export async function mariadbStateOf(
  server: SqlServer,
): Promise<MariadbGtidState> {
  return MariadbGtidState.parse(
    await valueOf(server, "SELECT @@GLOBAL.gtid_binlog_state"),
  );
}

/** Puts a row into `test.t`, as one transaction. */
export async function writeRow(
  server: SqlServer,
  data = "'row'",
): Promise<void> {
  await server.query(`INSERT INTO test.t (data) VALUES (${data})`);
}

/** Waits until the log has all that the server has logged. */
export async function caughtUp(
  kingbus: TestKingbus,
  server: SqlServer,
): Promise<void> {
  const { fileName, position } = await logEndOf(server);
  await kingbus.waitUntilAt(fileName, position);
}

/**
 * Waits until the log has all that the server has logged; then every file is as
 * the server has it, byte for byte, and so is the state at the begin of each
 * file and at the end.
 *
 * @param firstFile the file that the log begins with, if not the server's oldest
 */
export async function assertSameLog(
  kingbus: TestKingbus,
  server: LaunchedServer,
  firstFile?: string,
): Promise<void> {
  for (;;) {
    const end = await logEndOf(server);
    await kingbus.waitUntilAt(end.fileName, end.position);
    try {
      return await compareLog(kingbus, server, firstFile);
    } catch (error) {
      // The server notes its checkpoints in the log whenever it comes to that.
      const { fileName, position } = await logEndOf(server);
      const grew = fileName !== end.fileName || position !== end.position;
      if (!grew) throw error;
    }
  }
}

async function compareLog(
  kingbus: TestKingbus,
  server: LaunchedServer,
  firstFile: string | undefined,
): Promise<void> {
  const names = (await binlogsOf(server)).map(({ name }) => name);
  const { files, head } = kingbus.store;
  const from = firstFile === undefined ? 0 : names.indexOf(firstFile);
  assertEquals(files.map(({ name }) => name), names.slice(from));
  for (const file of files) {
    const stored = await readFile(kingbus.store, file);
    const onDisk = await readSourceFile(server.onDisk, file.name);
    assertSameBytes(file.name, stored, onDisk.subarray(4));
    assertEquals(
      `${file.mariadbStart}`,
      `${await stateBefore(server, file.name)}`,
    );
  }
  const state = await mariadbStateOf(server);
  assert(head?.mariadb?.equals(state), `${head?.mariadb} is ${state}`);
  assertEquals(kingbus.status.executed, state.toString());
  assert(head?.executed.isEmpty && head.purged.isEmpty);
  const closed = files.map(({ closed }) => closed);
  assertEquals(closed, closed.map((_, at) => at < closed.length - 1));
}

/** What the Gtid_list of a server's file says. */
async function stateBefore(
  server: SqlServer,
  file: string,
): Promise<MariadbGtidState> {
  const { rows } = await server.query(
    `SHOW BINLOG EVENTS IN '${file}' LIMIT 3`,
  );
  const row = rows.find((one) => one[2] === "Gtid_list");
  return MariadbGtidState.parse(row![5]!.replace(/^\[|\]$/g, ""));
}

/** Transactions of kinds that only MariaDB logs, or logs in its own way. */
export const MARIADB_KINDS: Readonly<Record<string, readonly string[]>> = {
  "domains, servers and sequence numbers": [
    "SET SESSION gtid_domain_id = 3",
    "INSERT INTO test.t (data) VALUES ('another domain')",
    "SET SESSION server_id = 77",
    "INSERT INTO test.t (data) VALUES ('another server in it')",
    "SET SESSION gtid_domain_id = 0",
    "INSERT INTO test.t (data) VALUES ('another server')",
    "SET SESSION server_id = DEFAULT",
    "SET SESSION gtid_seq_no = 1000",
    "INSERT INTO test.t (data) VALUES ('a jump')",
    "INSERT INTO test.t (data) VALUES ('after it')",
    "SET SESSION gtid_seq_no = 500",
    "INSERT INTO test.t (data) VALUES ('back again')",
    "INSERT INTO test.t (data) VALUES ('after that')",
    "SET SESSION gtid_domain_id = 4294967295",
    "SET SESSION gtid_seq_no = 18446744073709551614",
    "INSERT INTO test.t (data) VALUES ('the last one')",
    "SET SESSION gtid_domain_id = 0",
  ],
  "ALTER TABLE in two halves": [
    "SET SESSION binlog_alter_two_phase = ON",
    "ALTER TABLE test.t ADD COLUMN two INT DEFAULT 2",
    "ALTER TABLE test.t ADD INDEX (two)",
    "SET SESSION binlog_alter_two_phase = OFF",
  ],
  "compressed events": [
    "SET GLOBAL log_bin_compress = ON",
    "INSERT INTO test.t (data) VALUES (REPEAT('compressed ', 500))",
    "UPDATE test.t SET data = REPEAT('more ', 500)",
    "DELETE FROM test.t ORDER BY id LIMIT 1",
    "SET SESSION binlog_format = STATEMENT",
    `INSERT INTO test.t (data) VALUES ('${"statement ".repeat(100)}')`,
    `CREATE TABLE test.wide (${
      Array.from({ length: 60 }, (_, n) => `column_${n} INT DEFAULT ${n}`)
        .join(", ")
    })`,
    "XA START 'a long name that is compressed as well ............'",
    "INSERT INTO test.t (data) VALUES ('xa')",
    "XA END 'a long name that is compressed as well ............'",
    "XA PREPARE 'a long name that is compressed as well ............'",
    "XA COMMIT 'a long name that is compressed as well ............'",
    "SET SESSION binlog_format = ROW",
    "SET GLOBAL log_bin_compress = OFF",
  ],
  "sequences and system versioned tables": [
    "CREATE SEQUENCE test.s START WITH 5",
    "SELECT NEXTVAL(test.s)",
    "CREATE TABLE test.v (id INT) WITH SYSTEM VERSIONING",
    "INSERT INTO test.v VALUES (1)",
    "UPDATE test.v SET id = 2",
    "DROP SEQUENCE test.s",
    "CREATE OR REPLACE TABLE test.v AS SELECT id FROM test.t",
  ],
  "rows without their statement": [
    "SET SESSION binlog_annotate_row_events = OFF",
    "INSERT INTO test.t (data) VALUES ('not annotated')",
    "SET SESSION binlog_annotate_row_events = ON",
    "SET SESSION skip_replication = ON",
    "INSERT INTO test.t (data) VALUES ('skipped by replicas')",
    "SET SESSION skip_replication = OFF",
  ],
};
