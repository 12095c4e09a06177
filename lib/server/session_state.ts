import type { Login } from "../protocol/server_auth.ts";
import { StatusFlag } from "../protocol/status_flag.ts";
import {
  characterSetOfCollation,
  type ClientCharacterSet,
} from "./client_character_set.ts";
import type { SqlValue } from "./sql_value.ts";
import type { SessionChange, StatementWarning } from "./statement_result.ts";

/** What a client's statements have set, and leave for those behind them. */
export class SessionState {
  /** User variables by lower-case name without `@`. */
  readonly userVariables = new Map<string, SqlValue>();
  /** System variables that were set, by lower-case name. */
  readonly settings = new Map<string, string | null>();
  /** What the last statement has left for `SHOW WARNINGS`. */
  warnings: readonly StatementWarning[] = [];
  #database: string | undefined;
  #characterSet = characterSetOfCollation(0);

  /** The default schema; undefined without one. */
  get database(): string | undefined {
    return this.#database;
  }

  /** Character set of results. */
  get characterSet(): ClientCharacterSet {
    return this.#characterSet;
  }

  /** `SERVER_STATUS_…` as replies have them. */
  get statusFlags(): number {
    return this.settings.get("autocommit") === "OFF"
      ? 0
      : StatusFlag.STATUS_AUTOCOMMIT;
  }

  /** Takes what the login says. */
  begin(login: Pick<Login, "database" | "charset">): void {
    this.#database = login.database === "" ? undefined : login.database;
    this.#characterSet = characterSetOfCollation(login.charset);
  }

  /** Changes what an accepted statement says. */
  apply(change: SessionChange): void {
    for (const [name, value] of change.userVariables ?? []) {
      this.userVariables.set(name, value);
    }
    for (const [name, value] of change.settings ?? []) {
      if (value === undefined) this.settings.delete(name);
      else this.settings.set(name, value);
    }
    this.#characterSet = change.characterSet ?? this.#characterSet;
    this.#database = change.database ?? this.#database;
  }

  /**
   * As after the login, except for the default schema, which stays.
   *
   * @param charset The login's, a collation's number.
   */
  reset(charset: number): void {
    this.userVariables.clear();
    this.settings.clear();
    this.warnings = [];
    this.#characterSet = characterSetOfCollation(charset);
  }
}
