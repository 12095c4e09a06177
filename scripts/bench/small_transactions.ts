import type { ClientConnection } from "../../lib/connection/client_connection.ts";

/** Rows one call of the procedure inserts at most. */
const ROWS_PER_CALL_MAX = 20_000;

/** A call that takes longer than this is not going to end. */
const CALL_TIMEOUT_MS = 300_000;

/** Schema that everything the benchmark writes goes into. */
export const BENCH_SCHEMA = "kingbus_bench";

/** One row each: the smallest transactions that replicate rows. */
const SCHEMA_SQL = [
  `CREATE DATABASE IF NOT EXISTS ${BENCH_SCHEMA}`,
  `CREATE TABLE IF NOT EXISTS ${BENCH_SCHEMA}.entry (
     id BIGINT AUTO_INCREMENT PRIMARY KEY,
     number INT, product BIGINT, text VARCHAR(64)
   ) ENGINE=InnoDB`,
  `DROP PROCEDURE IF EXISTS ${BENCH_SCHEMA}.fill`,
  `CREATE PROCEDURE ${BENCH_SCHEMA}.fill(IN count INT)
   BEGIN
     DECLARE number INT DEFAULT 0;
     WHILE number < count DO
       INSERT INTO ${BENCH_SCHEMA}.entry (number, product, text)
         VALUES (number, number * 7919, 'a row of the size that many rows have');
       SET number = number + 1;
     END WHILE;
   END`,
];

/** Makes the table and the procedure, unless they are there. */
export async function prepareSchema(
  connection: ClientConnection,
): Promise<void> {
  for (const statement of SCHEMA_SQL) await connection.query(statement);
}

/**
 * Commits transactions of one small row each, as many as it takes.
 *
 * @param connections Each runs the procedure; the server does the rest.
 * @param missing Asked before each round: bytes of binary log still to write.
 * @param progress Told that number.
 */
export async function loadSmallTransactions(
  connections: readonly ClientConnection[],
  missing: () => Promise<number>,
  progress: (missingBytes: number) => void,
): Promise<void> {
  let bytesPerRow = 330;
  for (;;) {
    const before = await missing();
    progress(Math.max(0, before));
    if (before <= 0) return;
    const rows = Math.min(
      ROWS_PER_CALL_MAX,
      Math.ceil(before / bytesPerRow / connections.length) + 1,
    );
    await Promise.all(
      connections.map((connection) =>
        connection.query(`CALL ${BENCH_SCHEMA}.fill(${rows})`, {
          timeoutMs: CALL_TIMEOUT_MS,
        })
      ),
    );
    bytesPerRow = (before - await missing()) / (rows * connections.length);
  }
}
