import {
  characterSetNamed,
  type ClientCharacterSet,
} from "./client_character_set.ts";
import { sqlString, type SqlValue } from "./sql_value.ts";
import type { StatementContext } from "./statement_context.ts";
import type { StatementCursor } from "./statement_cursor.ts";
import { StatementError, StatementFault } from "./statement_error.ts";
import {
  parseExpression,
  parseSystemVariableName,
  type SystemVariableScope,
} from "./statement_expression.ts";
import type { StatementResult } from "./statement_result.ts";
import { denied, deniedUnless, SET_GLOBAL } from "./statement_right.ts";
import { settingOf, systemVariableNamed } from "./system_variable.ts";

/** The most user variables of a session; no known client sets ten. */
const USER_VARIABLES_MAX = 256;

/** The longest name of a user variable, in characters (manual: "User-Defined Variables"). */
const USER_VARIABLE_NAME_CHARACTERS_MAX = 64;

/** The most UTF-16 units of all user variables of a session, names included. */
const USER_VARIABLE_UNITS_MAX = 262_144;

/** The longest value of a system variable, in UTF-16 units. */
const SETTING_UNITS_MAX = 1024;

/** The change a SET statement makes, while it is being read. */
interface Assignments {
  readonly userVariables: Map<string, SqlValue>;
  readonly settings: Map<string, string | null | undefined>;
  characterSet: ClientCharacterSet | undefined;
}

/**
 * Answers SET after that word: any list of user variables, system variables of
 * the session, `NAMES` and `CHARACTER SET`, or one `TRANSACTION` clause
 * (manual: "SET Syntax for Variable Assignment"). Either all of it applies or,
 * after an error, nothing.
 *
 * An assignment to a global variable that a session may also set changes
 * nothing, and is accepted from accounts with the right to it. An unknown
 * character set is accepted as well: a replica that gets an error to its `SET
 * NAMES` reconnects for ever without a word.
 *
 * @throws {StatementError} for a statement that cannot be answered
 */
export function answerSet(
  cursor: StatementCursor,
  context: StatementContext,
): StatementResult {
  if (takeTransaction(cursor, context)) return { kind: "ok", change: {} };
  const assignments: Assignments = {
    userVariables: new Map(),
    settings: new Map(),
    characterSet: undefined,
  };
  // the latest scope word holds for what follows it without one
  let scope: SystemVariableScope = "";
  do {
    scope = parseAssignment(cursor, context, assignments, scope);
  } while (cursor.takeSymbol(","));
  requireRoom(assignments.userVariables, context);
  const { userVariables, settings, characterSet } = assignments;
  return {
    kind: "ok",
    change: {
      ...userVariables.size > 0 ? { userVariables } : {},
      ...settings.size > 0 ? { settings } : {},
      ...characterSet !== undefined ? { characterSet } : {},
    },
  };
}

/** Takes `[scope] TRANSACTION …`, whose effect is none where nothing is ever written. */
function takeTransaction(
  cursor: StatementCursor,
  context: StatementContext,
): boolean {
  const isGlobal = cursor.takeWords("GLOBAL", "TRANSACTION");
  const taken = isGlobal || cursor.takeWords("TRANSACTION") ||
    ["SESSION", "LOCAL"].some((scope) =>
      cursor.takeWords(scope, "TRANSACTION")
    );
  if (!taken) return false;
  do {
    if (cursor.takeWords("ISOLATION", "LEVEL")) {
      const level = [
        ["READ", "COMMITTED"],
        ["READ", "UNCOMMITTED"],
        ["REPEATABLE", "READ"],
        ["SERIALIZABLE"],
      ].some((words) => cursor.takeWords(...words));
      if (!level) throw cursor.unexpected();
    } else if (
      !cursor.takeWords("READ", "ONLY") && !cursor.takeWords("READ", "WRITE")
    ) {
      throw cursor.unexpected();
    }
  } while (cursor.takeSymbol(","));
  if (isGlobal) requireGlobalRight(context);
  return true;
}

/** Reads one assignment and returns the scope for those after it. */
function parseAssignment(
  cursor: StatementCursor,
  context: StatementContext,
  assignments: Assignments,
  scope: SystemVariableScope,
): SystemVariableScope {
  if (cursor.token.kind === "user-variable") {
    const name = cursor.take().value.toLowerCase();
    if (!cursor.takeSymbol(":=")) cursor.expectSymbol("=");
    const { value } = parseExpression(cursor, context);
    if (name.length > USER_VARIABLE_NAME_CHARACTERS_MAX) {
      throw new StatementError(
        StatementFault.ER_UNKNOWN,
        `User variable name '${name.slice(0, 64)}' is too long`,
      );
    }
    assignments.userVariables.set(name, value);
    return scope;
  }
  if (takeCharacterSetClause(cursor)) {
    setNames(cursor, assignments);
    return scope;
  }
  if (cursor.takeSymbol("@@")) {
    const target = parseSystemVariableName(cursor);
    assignSystemVariable(target, cursor, context, assignments);
    return scope;
  }
  const word = cursor.takeAnyWord("GLOBAL", "SESSION", "LOCAL", "PERSIST");
  if (word === "PERSIST") throw denied(SET_GLOBAL, context.server.version);
  const current: SystemVariableScope = word === undefined
    ? scope
    : word === "GLOBAL"
    ? "global"
    : "session";
  const { name } = parseSystemVariableName(cursor);
  assignSystemVariable({ name, scope: current }, cursor, context, assignments);
  return current;
}

function takeCharacterSetClause(cursor: StatementCursor): boolean {
  // `SET names = …` would be a system variable called so
  if (cursor.atWords("NAMES")) {
    const { kind, value } = cursor.following;
    if (kind === "symbol" && (value === "=" || value === ":=")) return false;
    cursor.take();
    return true;
  }
  return cursor.takeWords("CHARACTER", "SET") || cursor.takeWords("CHARSET") ||
    cursor.takeWords("CHAR", "SET");
}

/** The rest of `NAMES name [COLLATE name]`, `NAMES DEFAULT` or `CHARACTER SET name`. */
function setNames(cursor: StatementCursor, assignments: Assignments): void {
  const name = parseNameOrString(cursor);
  if (cursor.takeWords("COLLATE")) parseNameOrString(cursor);
  const known = characterSetNamed(name);
  if (known === undefined) return;
  assignments.characterSet = known;
  // an earlier assignment to one of them is overridden
  for (
    const setting of [
      "character_set_client",
      "character_set_connection",
      "character_set_results",
      "collation_connection",
    ]
  ) {
    assignments.settings.set(setting, undefined);
  }
}

function parseNameOrString(cursor: StatementCursor): string {
  return cursor.token.kind === "string"
    ? cursor.expectString()
    : cursor.expectName();
}

function assignSystemVariable(
  target: { readonly name: string; readonly scope: SystemVariableScope },
  cursor: StatementCursor,
  context: StatementContext,
  assignments: Assignments,
): void {
  if (!cursor.takeSymbol(":=")) cursor.expectSymbol("=");
  const variable = systemVariableNamed(target.name, context);
  const value = parseSetting(cursor, context);
  if (!variable.settable) {
    if (target.scope === "global") {
      throw denied(SET_GLOBAL, context.server.version);
    }
    throw new StatementError(
      StatementFault.ER_INCORRECT_GLOBAL_LOCAL_VAR,
      `Variable '${variable.name}' is a read only variable`,
    );
  }
  const setting = value === undefined ? undefined : settingOf(variable, value);
  if ((setting?.length ?? 0) > SETTING_UNITS_MAX) {
    throw new StatementError(
      StatementFault.ER_WRONG_VALUE_FOR_VAR,
      `Variable '${variable.name}' can't be set to a value that long`,
    );
  }
  if (target.scope === "global") return requireGlobalRight(context);
  assignments.settings.set(variable.name, setting);
  if (variable.name !== "character_set_results") return;
  // NULL asks for results as they are, which is UTF-8
  const results = characterSetNamed(setting ?? "utf8mb4");
  if (results !== undefined) assignments.characterSet = results;
}

/** The value for a system variable: an expression, a bare word, or undefined for DEFAULT. */
function parseSetting(
  cursor: StatementCursor,
  context: StatementContext,
): SqlValue | undefined {
  if (cursor.takeWords("DEFAULT")) return undefined;
  const { kind, value } = cursor.token;
  const isWord = kind === "identifier" ||
    kind === "word" && !/^(?:NULL|CURRENT_USER)$/i.test(value) &&
      cursor.following.value !== "(";
  if (!isWord) return parseExpression(cursor, context).value;
  cursor.take();
  return sqlString(value);
}

function requireGlobalRight(context: StatementContext): void {
  const denial = deniedUnless(SET_GLOBAL, context);
  if (denial !== undefined) throw denial;
}

/** Bounds what one session can make this server remember. */
function requireRoom(
  added: ReadonlyMap<string, SqlValue>,
  { session }: StatementContext,
): void {
  const all = new Map([...session.userVariables, ...added]);
  let units = 0;
  for (const [name, { text }] of all) {
    units += name.length + (text?.length ?? 0);
  }
  if (all.size > USER_VARIABLES_MAX || units > USER_VARIABLE_UNITS_MAX) {
    throw new StatementError(
      StatementFault.ER_UNKNOWN,
      `User variables are limited to ${USER_VARIABLES_MAX} and ` +
        `${USER_VARIABLE_UNITS_MAX} characters a session`,
    );
  }
}
