import { DatabaseSync, type StatementSync } from "node:sqlite";
import { StoreError } from "../binlog_store.ts";

/**
 * Types of values that Deno KV has for ours: structured clones and byte
 * strings. A type byte that is damaged can make it end the process when it
 * reads the value (`copy_from_slice: source slice length …`), so it has to be
 * seen before.
 */
const OURS = "(1, 3)";

/** How many of the last blocks are looked at when a store is opened. */
const LAST_BLOCKS = 20;

/** Keys of blocks and summaries, of which there are many. */
const MANY = ["block", "summary"] as const;

/** A kind of key of which there are many. */
export type ManyKind = typeof MANY[number];

/**
 * Makes sure that Deno KV can read the records of a store, and its last blocks.
 * Takes a time that does not depend on how many blocks there are.
 *
 * @param database a connection to the database
 * @throws {StoreError} `corrupt` when it can't
 */
export function checkValueTypes(database: DatabaseSync): void {
  const ranges = [
    { from: new Uint8Array(0), to: prefixOf("block") },
    { from: endOf("block"), to: prefixOf("summary") },
    { from: endOf("summary"), to: Uint8Array.of(0xff) },
  ];
  const records = database.prepare(
    `SELECT k FROM kv WHERE k >= ? AND k < ? AND v_encoding NOT IN ${OURS} LIMIT 1`,
  );
  for (const { from, to } of ranges) {
    const row = records.get(from, to);
    if (row !== undefined) throw unreadable(row.k);
  }
  const last = database.prepare(
    "SELECT k, v_encoding AS type FROM kv WHERE k >= ? AND k < ? ORDER BY k DESC LIMIT ?",
  );
  for (const kind of MANY) {
    for (const row of last.all(prefixOf(kind), endOf(kind), LAST_BLOCKS)) {
      if (row.type !== 1 && row.type !== 3) throw unreadable(row.k);
    }
  }
}

/**
 * Removes records that Deno KV could not read, as if they were missing; blocks
 * and summaries stay, for nobody needs to read those.
 *
 * @param path the database file; nobody else may have it open
 */
export function removeUnreadableRecords(path: string): void {
  const database = new DatabaseSync(path);
  try {
    database.prepare(
      `DELETE FROM kv WHERE v_encoding NOT IN ${OURS} AND
        (k < ? OR k >= ? AND k < ? OR k >= ?)`,
    ).run(
      prefixOf("block"),
      endOf("block"),
      prefixOf("summary"),
      endOf("summary"),
    );
  } finally {
    database.close();
  }
}

/** Looks at values of a database before Deno KV reads them. */
export class ValueTypes {
  readonly #database: DatabaseSync;
  readonly #foreign: StatementSync;

  /** @param path the database file */
  constructor(path: string) {
    this.#database = new DatabaseSync(path, { readOnly: true });
    this.#foreign = this.#database.prepare(
      `SELECT k FROM kv WHERE k >= ? AND k < ? AND v_encoding NOT IN ${OURS} LIMIT 1`,
    );
  }

  /**
   * Makes sure that Deno KV can read some blocks or summaries.
   *
   * @throws {StoreError} `corrupt` when it can't
   */
  check(kind: ManyKind, first: number, count: number): void {
    const row = this.#foreign.get(
      keyOf(kind, first),
      keyOf(kind, first + count),
    );
    if (row !== undefined) throw unreadable(row.k);
  }

  /** Lets go of the database. */
  close(): void {
    this.#database.close();
  }
}

function unreadable(key: unknown): StoreError {
  const bytes = key instanceof Uint8Array ? key : new Uint8Array(0);
  const name = new TextDecoder().decode(bytes.subarray(1)).split("\0", 1)[0];
  return new StoreError(
    "corrupt",
    `the type of a value of ${name} is damaged; kingbus verify --repair makes it good as far as possible`,
  );
}

/** Keys of one kind begin so: a string part, as Deno KV encodes it. */
function prefixOf(kind: string): Uint8Array {
  return Uint8Array.of(2, ...new TextEncoder().encode(kind), 0);
}

/** Sorts behind all keys of that kind. */
function endOf(kind: string): Uint8Array {
  return Uint8Array.of(2, ...new TextEncoder().encode(kind), 1);
}

/** A key of two parts, the second one a bigint that is not negative. */
function keyOf(kind: ManyKind, number: number): Uint8Array {
  const digits: number[] = [];
  for (let rest = number; rest > 0; rest = Math.floor(rest / 256)) {
    digits.unshift(rest % 256);
  }
  return Uint8Array.of(...prefixOf(kind), 0x14 + digits.length, ...digits);
}
