import type { QueryResult } from "../../lib/connection/client_connection.ts";

/** Runs a statement on one of the two servers. */
export type Query = (sql: string) => Promise<QueryResult>;

/** What comparing two servers has found. */
export interface Comparison {
  /** Tables that either has. */
  readonly tables: number;
  /** Rows that were compared, those that only one has included. */
  readonly rows: number;
  /** How many rows, tables or definitions differ. */
  readonly differing: number;
  /** The first of those, in words. */
  readonly differences: readonly string[];
}

/** Rows read at once; those with documents are large. */
const PAGE_ROWS = 100;
/** Differences that are told. */
const TOLD_MAX = 10;
/** Characters of a differing value that are told. */
const VALUE_CHARACTERS = 40;

/** Types whose values are no text; they are read in hexadecimal. */
const BINARY_TYPES = [
  "binary",
  "varbinary",
  "tinyblob",
  "blob",
  "mediumblob",
  "longblob",
  "bit",
];

type Row = readonly (string | null)[];

/** A table of one server. */
interface Table {
  /** Its CREATE TABLE statement. */
  readonly definition: string;
  /** Column names; the first is `id`. */
  readonly columns: readonly string[];
  /** What to select for each column. */
  readonly expressions: readonly string[];
}

/**
 * Compares all that two servers have in a database: which tables there are, how
 * they are defined, and every value of every row, in the order of `id`. Each
 * table must have an integer `id` as its first column and primary key.
 *
 * Nothing may write meanwhile.
 *
 * @param source Whose data are right.
 * @param replica Whose data are compared with those.
 */
export async function compareTables(
  database: string,
  source: Query,
  replica: Query,
): Promise<Comparison> {
  const findings = new Findings();
  const ours = await readTables(database, source);
  const theirs = await readTables(database, replica);
  const names = [...new Set([...ours.keys(), ...theirs.keys()])].sort();
  for (const name of names) {
    const left = ours.get(name);
    const right = theirs.get(name);
    if (left === undefined || right === undefined) {
      const where = left === undefined ? "replica" : "source";
      findings.add(`table ${name}: only the ${where} has it`);
    } else if (left.definition !== right.definition) {
      findings.add(`table ${name}: is not defined as on the source`);
    } else {
      const path = `\`${database}\`.\`${name}\``;
      await compareRows(
        name,
        left.columns,
        readRows(path, left, source),
        readRows(path, right, replica),
        findings,
      );
    }
  }
  return { tables: names.length, ...findings.result() };
}

/** Collects what differs. */
class Findings {
  #rows = 0;
  #differing = 0;
  readonly #told: string[] = [];

  countRow(): void {
    this.#rows++;
  }

  add(difference: string): void {
    this.#differing++;
    if (this.#told.length < TOLD_MAX) this.#told.push(difference);
  }

  result(): Omit<Comparison, "tables"> {
    return {
      rows: this.#rows,
      differing: this.#differing,
      differences: this.#told,
    };
  }
}

async function readTables(
  database: string,
  query: Query,
): Promise<Map<string, Table>> {
  const { rows } = await query(
    `SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = '${database}' ORDER BY table_name, ordinal_position`,
  );
  const tables = new Map<string, Table>();
  for (const [name, columns] of Map.groupBy(rows, ([name]) => name!)) {
    const { rows: [created] } = await query(
      `SHOW CREATE TABLE \`${database}\`.\`${name}\``,
    );
    tables.set(name, {
      // the next number differs where the source rolled back an insert
      definition: String(created?.[1]).replace(/ AUTO_INCREMENT=\d+/, ""),
      columns: columns.map(([, column]) => column!),
      expressions: columns.map(([, column, type]) =>
        BINARY_TYPES.includes(type!.toLowerCase())
          ? `HEX(\`${column}\`)`
          : `\`${column}\``
      ),
    });
  }
  return tables;
}

/** Reads a table's rows in the order of `id`, some at a time. */
async function* readRows(
  path: string,
  table: Table,
  query: Query,
): AsyncGenerator<Row> {
  const select = `SELECT ${table.expressions.join(", ")} FROM ${path}`;
  let after = "";
  for (;;) {
    const { rows } = await query(
      `${select}${after} ORDER BY id LIMIT ${PAGE_ROWS}`,
    );
    yield* rows;
    if (rows.length < PAGE_ROWS) return;
    after = ` WHERE id > ${rows.at(-1)![0]}`;
  }
}

/** Walks both tables side by side, by `id`. */
async function compareRows(
  table: string,
  columns: readonly string[],
  source: AsyncGenerator<Row>,
  replica: AsyncGenerator<Row>,
  findings: Findings,
): Promise<void> {
  let left = (await source.next()).value as Row | undefined;
  let right = (await replica.next()).value as Row | undefined;
  while (left !== undefined || right !== undefined) {
    findings.countRow();
    const order = left === undefined
      ? 1
      : right === undefined
      ? -1
      : compareIds(left, right);
    if (order < 0) {
      findings.add(`table ${table}, id ${left![0]}: the replica lacks the row`);
    } else if (order > 0) {
      findings.add(`table ${table}, id ${right![0]}: only the replica has it`);
    } else {
      const difference = differenceOf(columns, left!, right!);
      if (difference !== undefined) {
        findings.add(`table ${table}, id ${left![0]}: ${difference}`);
      }
    }
    if (order <= 0) left = (await source.next()).value as Row | undefined;
    if (order >= 0) right = (await replica.next()).value as Row | undefined;
  }
}

function compareIds(left: Row, right: Row): number {
  const difference = BigInt(left[0]!) - BigInt(right[0]!);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

function differenceOf(
  columns: readonly string[],
  left: Row,
  right: Row,
): string | undefined {
  const at = columns.findIndex((_, column) => left[column] !== right[column]);
  if (at < 0) return undefined;
  return `${columns[at]} is ${show(right[at])}, on the source ${
    show(left[at])
  }`;
}

function show(value: string | null | undefined): string {
  if (value === null || value === undefined) return "NULL";
  return value.length > VALUE_CHARACTERS
    ? `'${value.slice(0, VALUE_CHARACTERS)}…' (${value.length} characters)`
    : `'${value}'`;
}
