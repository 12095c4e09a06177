import type { ColumnDefinition } from "../protocol/result_set.ts";
import type { BinlogEventsRequest } from "./binlog_events.ts";
import type { ClientCharacterSet } from "./client_character_set.ts";
import type { LogPlace } from "./mariadb_position_at.ts";
import type { PurgeTarget } from "./log_purger.ts";
import type { SourceChange } from "./source_control.ts";
import type { SqlValue } from "./sql_value.ts";

/** What an accepted statement changes in its session. All of it or nothing applies. */
export interface SessionChange {
  /** User variables set, by lower-case name without `@`. */
  readonly userVariables?: ReadonlyMap<string, SqlValue>;
  /** System variables set for the session, by lower-case name; undefined: back to the default. */
  readonly settings?: ReadonlyMap<string, string | null | undefined>;
  /** Character set of results from now on (`SET NAMES`). */
  readonly characterSet?: ClientCharacterSet;
  /** Default database (`USE`). */
  readonly database?: string;
}

/** A warning that a statement leaves for `SHOW WARNINGS`. */
export interface StatementWarning {
  /** MySQL error number. */
  readonly code: number;
  readonly message: string;
  /** `Warning` when absent. */
  readonly level?: "Note" | "Warning" | undefined;
}

/** What a statement does to the following of the source. */
export type SourceAction =
  | { readonly kind: "start" | "stop"; readonly threads: SourceThreads }
  | { readonly kind: "change"; readonly change: SourceChange };

/** The threads of a replica that a statement names. */
export type SourceThreads = "all" | "io" | "sql";

/**
 * What a statement is to be answered with:
 * - `ok`: an OK packet, after applying the change to the session;
 * - `rows`: a text result set;
 * - `events`: a text result set with events of the log, which have to be read;
 * - `gtid-positions`: one row, of which some values are found in the log first;
 * - `error`: an ERR packet; the connection stays;
 * - `kill`: end the connection of that id if there is one (its dump or statement
 *   alone if `queryOnly`), then OK, or 1094 if there is none;
 * - `source`: start, stop or change the following of the source, then OK, or
 *   the error that it ends in;
 * - `purge`: remove files of the log, then OK, or 1373 if there is no such file.
 */
export type StatementResult =
  | {
    readonly kind: "ok";
    readonly change: SessionChange;
    readonly warnings?: readonly StatementWarning[];
  }
  | {
    readonly kind: "rows";
    readonly columns: readonly ColumnDefinition[];
    readonly rows: readonly (readonly (string | null)[])[];
  }
  | {
    readonly kind: "events";
    readonly columns: readonly ColumnDefinition[];
    readonly request: BinlogEventsRequest;
  }
  | {
    readonly kind: "gtid-positions";
    readonly columns: readonly ColumnDefinition[];
    readonly row: readonly (string | null)[];
    /** What to look for, by number of the column it belongs in. */
    readonly positions: ReadonlyMap<number, LogPlace>;
  }
  | {
    readonly kind: "error";
    readonly code: number;
    readonly sqlState: string;
    readonly message: string;
  }
  | {
    readonly kind: "kill";
    readonly connectionId: bigint;
    readonly queryOnly: boolean;
  }
  | { readonly kind: "source"; readonly action: SourceAction }
  | { readonly kind: "purge"; readonly target: PurgeTarget };
