import type { SqlServer } from "./sql_server.ts";

/** A table for values of any size, in an engine that every server has. */
export const LARGE_TABLE =
  "CREATE TABLE test.large (id INT AUTO_INCREMENT PRIMARY KEY, data LONGBLOB) ENGINE = MyISAM";

/** What a value repeats: no power of two, so that no two packets are the same. */
const PATTERN = Array.from(
  { length: 997 },
  (_, at) => String.fromCharCode(97 + at * at % 26),
).join("");

/** Bytes of a payload that is a part of a larger one. */
const PART_BYTES = 0xff_ffff;

/** A rows event in a server's log. */
export interface LargeRows {
  /** Bytes of it. */
  readonly size: number;
  /** Where it begins in its file. */
  readonly position: number;
  /** Where its transaction begins. */
  readonly transaction: number;
}

/**
 * Sizes of events whose packets are full or nearly so: with a status byte, and
 * with the two bytes more of a semi-synchronous dump, one byte less and more.
 *
 * @param parts of how many full parts
 */
export function edgeSizes(parts: number): number[] {
  return [-4, -3, -2, -1, 0].map((rest) => parts * PART_BYTES + rest);
}

/** Inserts a value of so many bytes. */
export function insertValue(bytes: number): string {
  const times = Math.ceil(bytes / PATTERN.length);
  return `INSERT INTO test.large (data) VALUES (LEFT(REPEAT('${PATTERN}', ${times}), ${bytes}))`;
}

/** Inserts a value of so many thousands of bytes that nothing can compress. */
export function insertRandom(kilobytes: number): string {
  return `INSERT INTO test.large (data)
    WITH RECURSIVE counted (n) AS
      (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < ${kilobytes})
    SELECT GROUP_CONCAT(RANDOM_BYTES(1000) SEPARATOR '') FROM counted`;
}

/**
 * Commits a transaction for each size, whose one rows event has exactly that.
 *
 * @param source a server with `LARGE_TABLE`, whose log is in its first file
 */
export async function writeRowsEvents(
  source: SqlServer,
  sizes: readonly number[],
): Promise<LargeRows[]> {
  await source.query(insertValue(0));
  const [empty] = await rowsEvents(source);
  if (empty === undefined) throw new TypeError("There is no rows event");
  for (const size of sizes) {
    await source.query(insertValue(size - empty.size));
  }
  return (await rowsEvents(source)).slice(1);
}

async function rowsEvents(source: SqlServer): Promise<LargeRows[]> {
  const { rows } = await source.query("SHOW BINLOG EVENTS");
  const found: LargeRows[] = [];
  let transaction = 0;
  for (const [, start, type, , end] of rows) {
    const position = Number(start);
    if (type === "Gtid") transaction = position;
    if (type !== "Write_rows") continue;
    found.push({ size: Number(end) - position, position, transaction });
  }
  return found;
}
