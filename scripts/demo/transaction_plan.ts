import { ACCOUNT_COUNT } from "./schema.ts";

/** Rows a table may have before old ones are deleted. */
const ROWS_KEPT = 20_000;
/** Rows of `document` that are kept; each is large. */
const DOCUMENTS_KEPT = 80;
/** Rows of 64 kB that one large transaction inserts: some 2.6 MB. */
const DOCUMENTS_AT_ONCE = 40;
/** Changes after which the schema is what it was at first. */
const SCHEMA_STEPS = 7;

const PRODUCTS = ["apple", "crème brûlée", "茶", "борщ", "🍕 pizza", "tea pot"];
const STATES = ["paid", "sent"];

/** What one turn of a writer does. */
export interface TransactionPlan {
  readonly kind: "purchase" | "transfer" | "state" | "removal" | "large";
  /** The statements between BEGIN and COMMIT. */
  readonly statements: readonly string[];
}

/** Numbers from 0 up to, not including, 1. */
export type Random = () => number;

function integer(random: Random, min: number, max: number): number {
  return min + Math.floor(random() * (max - min + 1));
}

function pick<Item>(random: Random, items: readonly Item[]): Item {
  return items[integer(random, 0, items.length - 1)]!;
}

/** Chooses one of the everyday transactions. */
export function planTransaction(random: Random): TransactionPlan {
  const draw = random();
  if (draw < 0.45) return planPurchase(random);
  if (draw < 0.8) return planTransfer(random);
  if (draw < 0.92) return planState(random);
  return planRemoval();
}

function planPurchase(random: Random): TransactionPlan {
  const account = integer(random, 1, ACCOUNT_COUNT);
  const note = random() < 0.3
    ? "NULL"
    : `'${pick(random, PRODUCTS)} for account ${account}'`;
  const items = Array.from({ length: integer(random, 1, 5) }, () => {
    const product = pick(random, PRODUCTS);
    const quantity = integer(random, 1, 12);
    return `(@purchase, '${product}', ${quantity}, UNHEX(SHA1(RAND())))`;
  });
  return {
    kind: "purchase",
    statements: [
      `INSERT INTO purchase (account_id, state, note, weight, placed_at) VALUES (${account}, 'new', ${note}, RAND() * 100, NOW(3))`,
      "SET @purchase = LAST_INSERT_ID()",
      `INSERT INTO purchase_item (purchase_id, product, quantity, label) VALUES ${
        items.join(", ")
      }`,
    ],
  };
}

function planTransfer(random: Random): TransactionPlan {
  const first = integer(random, 1, ACCOUNT_COUNT - 1);
  const second = integer(random, first + 1, ACCOUNT_COUNT);
  const amount = (integer(random, -10_000, 10_000) / 100).toFixed(2);
  // always the lower account first, so that two transfers can't block each other
  return {
    kind: "transfer",
    statements: [
      `UPDATE account SET balance = balance - ${amount}, changed_at = NOW(3) WHERE id = ${first}`,
      `UPDATE account SET balance = balance + ${amount}, changed_at = NOW(3) WHERE id = ${second}`,
      `INSERT INTO transfer (from_account, to_account, amount, made_at) VALUES (${first}, ${second}, ${amount}, NOW(6))`,
    ],
  };
}

function planState(random: Random): TransactionPlan {
  const back = integer(random, 0, 50);
  return {
    kind: "state",
    statements: [
      `SET @purchase = (SELECT MAX(id) - ${back} FROM purchase)`,
      `UPDATE purchase SET state = '${
        pick(random, STATES)
      }', note = CONCAT('again: ', IFNULL(note, '')) WHERE id = @purchase`,
    ],
  };
}

/** Deletes the oldest rows: a few, or all beyond those that are kept. */
function planRemoval(): TransactionPlan {
  const edge = (table: string): string =>
    `SET @edge = (SELECT GREATEST(MIN(id) + 3, MAX(id) - ${ROWS_KEPT}) FROM ${table})`;
  return {
    kind: "removal",
    statements: [
      edge("purchase"),
      "DELETE FROM purchase_item WHERE purchase_id < @edge",
      "DELETE FROM purchase WHERE id < @edge",
      edge("transfer"),
      "DELETE FROM transfer WHERE id < @edge",
    ],
  };
}

/** A transaction larger than one commit of kingbus's store takes. */
export function planLargeTransaction(): TransactionPlan {
  return {
    kind: "large",
    statements: [
      `SET @edge = (SELECT MAX(id) - ${
        DOCUMENTS_KEPT - DOCUMENTS_AT_ONCE
      } FROM document)`,
      "DELETE FROM document WHERE id < @edge",
      `INSERT INTO document (body) SELECT UNHEX(REPEAT(SHA2(RAND(), 256), 2000)) FROM account LIMIT ${DOCUMENTS_AT_ONCE}`,
    ],
  };
}

/**
 * Statements that change the schema, and fill what they made; each is a
 * transaction of its own.
 *
 * @param step 0 for the first one; they go round, each undone by a later one.
 */
export function planSchemaChange(step: number): readonly string[] {
  const round = Math.floor(step / SCHEMA_STEPS) + 1;
  const archive = `archive_${round}`;
  const colour = `colour_${round}`;
  const steps = [
    [
      `CREATE TABLE ${archive} (id BIGINT AUTO_INCREMENT PRIMARY KEY, note TEXT NULL, KEY start (note(8)))`,
      `INSERT INTO ${archive} (note) SELECT note FROM purchase ORDER BY id LIMIT 100`,
    ],
    [
      `ALTER TABLE purchase ADD COLUMN ${colour} VARCHAR(20) NOT NULL DEFAULT 'grün' AFTER state`,
    ],
    [
      `ALTER TABLE ${archive} ADD COLUMN kept_at TIMESTAMP(3) NULL DEFAULT NULL`,
      `UPDATE ${archive} SET kept_at = NOW(3) WHERE id % 3 = 0`,
    ],
    ["CREATE INDEX by_account ON purchase (account_id)"],
    [`ALTER TABLE purchase DROP COLUMN ${colour}`],
    ["DROP INDEX by_account ON purchase"],
    [`DROP TABLE ${archive}`],
  ];
  return steps[step % steps.length]!;
}
