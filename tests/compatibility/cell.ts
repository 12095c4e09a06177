/** How a client can be attached: the columns of the table. */
export const MODES = [
  "GTID",
  "position",
  "TLS",
  "semi-sync",
  "compression",
] as const;

/** One of `MODES`. */
export type Mode = (typeof MODES)[number];

/** A test that proves a cell, as the test runner reports it. */
export interface CellTest {
  /** File below `tests/`. */
  readonly file: string;
  /** The test's whole name. */
  readonly name: string;
}

/**
 * What a cell of the table says:
 * - tests that run the client in that mode against kingbus;
 * - `never`: the client has no such mode, and why;
 * - `untested`: it might work, and why no test shows it.
 */
export type Cell =
  | { readonly tests: readonly CellTest[] }
  | { readonly never: string }
  | { readonly untested: string };

/** A line of the table: one client in one version. */
export interface ClientRow {
  readonly client: string;
  /** Its version, and whether it is the real thing or its recorded statements. */
  readonly version: string;
  readonly cells: Readonly<Record<Mode, Cell>>;
}

/** A part of the table. */
export interface ClientGroup {
  readonly title: string;
  readonly rows: readonly ClientRow[];
}
