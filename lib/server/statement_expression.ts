import type { ColumnDefinition } from "../protocol/result_set.ts";
import { formatTime } from "./session_time_zone.ts";
import {
  numberOf,
  SQL_NULL,
  sqlInteger,
  sqlString,
  type SqlValue,
} from "./sql_value.ts";
import {
  binaryColumn,
  decimalColumn,
  doubleColumn,
  integerColumn,
  nullableIntegerColumn,
  nullableTextColumn,
  nullColumn,
  systemVariableBooleanColumn,
  systemVariableTextColumn,
  systemVariableUnsignedColumn,
  textColumn,
  timeColumn,
  unsetUserVariableColumn,
  unsignedColumn,
  userVariableBinaryColumn,
  userVariableIntegerColumn,
  userVariableTextColumn,
} from "./statement_column.ts";
import type { StatementContext } from "./statement_context.ts";
import type { StatementCursor } from "./statement_cursor.ts";
import { StatementError, StatementFault } from "./statement_error.ts";
import { gtidFunction } from "./statement_gtid_function.ts";
import {
  globalContext,
  selectSystemVariable,
  systemVariableNamed,
} from "./system_variable.ts";

/** An expression with its value and the column it makes in a result set. */
export interface Expression {
  readonly value: SqlValue;
  /** The column's definition under the given name. */
  column(name: string): ColumnDefinition;
}

/** Parentheses deeper than this are not followed. */
const DEPTH_MAX = 32;

/** How a user variable's decimal number is declared. */
const USER_DECIMAL = { length: 67, decimals: 30, literal: false } as const;

/** Characters of `USER()`: 255 of the host, `@` and 32 of the user. */
const ACCOUNT_CHARACTERS = 288;
const DATABASE_CHARACTERS = 64;
const UUID_CHARACTERS = 36;

/** Words that begin no alias and no value. */
const RESERVED_WORDS: ReadonlySet<string> = new Set([
  "AND",
  "AS",
  "FROM",
  "IN",
  "INTO",
  "LIKE",
  "LIMIT",
  "NOT",
  "OR",
  "ORDER",
  "SELECT",
  "SET",
  "UNION",
  "WHERE",
]);

/** Whether a bare word may stand where a name may. */
export function isReservedWord(word: string): boolean {
  return RESERVED_WORDS.has(word.toUpperCase());
}

/**
 * Reads one expression and evaluates it: a literal, `@variable`, `@@variable`,
 * a function, each in parentheses if need be, or the comparison of two.
 *
 * @throws {StatementError} 1064 for anything else; 1193, 1305, 1054 for a
 * variable, function or column that does not exist
 */
export function parseExpression(
  cursor: StatementCursor,
  context: StatementContext,
  depth = 0,
): Expression {
  const left = parseOperand(cursor, context, depth);
  const isEqual = cursor.takeSymbol("=");
  if (!isEqual && !cursor.takeSymbol("<>") && !cursor.takeSymbol("!=")) {
    return left;
  }
  const right = parseOperand(cursor, context, depth);
  return compared(left.value, right.value, isEqual);
}

/** Whether two values are equal, or are not; NULL if one of them is. */
function compared(
  left: SqlValue,
  right: SqlValue,
  isEqual: boolean,
): Expression {
  const column = (name: string) => nullableIntegerColumn(name, 1);
  if (left.text === null || right.text === null) {
    return { value: SQL_NULL, column };
  }
  const isNumber = left.type !== "string" || right.type !== "string";
  // without regard to case, as the usual collations compare
  const same = isNumber
    ? numberOf(left.text) === numberOf(right.text)
    : left.text.toLowerCase() === right.text.toLowerCase();
  return { value: sqlInteger(same === isEqual ? 1 : 0), column };
}

function parseOperand(
  cursor: StatementCursor,
  context: StatementContext,
  depth: number,
): Expression {
  if (cursor.atSymbol("(") && depth < DEPTH_MAX) {
    cursor.take();
    const inner = parseExpression(cursor, context, depth + 1);
    cursor.expectSymbol(")");
    return inner;
  }
  if (cursor.takeSymbol("@@")) return systemVariable(cursor, context);
  if (cursor.atSymbol("-") || cursor.atSymbol("+")) {
    return signedNumber(cursor);
  }
  const { kind, value } = cursor.token;
  switch (kind) {
    case "integer":
    case "decimal":
    case "double":
      cursor.take();
      return numberLiteral(kind, value);
    case "binary":
      cursor.take();
      return {
        value: { type: "binary", text: value },
        column: (name) => binaryColumn(name, value.length),
      };
    case "string":
      return stringLiteral(cursor.expectString(), context);
    case "user-variable":
      cursor.take();
      return userVariable(value, cursor, context);
    case "word":
      return wordExpression(cursor, context, depth);
    default:
      throw cursor.unexpected();
  }
}

function signedNumber(cursor: StatementCursor): Expression {
  const sign = cursor.take().value === "-" ? "-" : "";
  const { kind, value } = cursor.token;
  if (kind !== "integer" && kind !== "decimal" && kind !== "double") {
    throw cursor.unexpected();
  }
  cursor.take();
  return numberLiteral(kind, sign + value);
}

function numberLiteral(
  type: "integer" | "decimal" | "double",
  text: string,
): Expression {
  switch (type) {
    case "integer": {
      // MySQL counts a place for the sign
      const length = text.startsWith("-") ? text.length : text.length + 1;
      return {
        value: { type, text },
        column: (name) => integerColumn(name, length),
      };
    }
    case "decimal": {
      const digits = {
        length: text.length + 1,
        decimals: text.length - text.indexOf(".") - 1,
        literal: true,
      };
      return {
        value: { type, text },
        column: (name) => decimalColumn(name, digits),
      };
    }
    case "double":
      return {
        value: { type, text: Number(text).toString() },
        column: doubleColumn,
      };
  }
}

function stringLiteral(text: string, context: StatementContext): Expression {
  return {
    value: sqlString(text),
    column: (name) =>
      textColumn(name, text.length, context.session.characterSet),
  };
}

function userVariable(
  name: string,
  cursor: StatementCursor,
  context: StatementContext,
): Expression {
  const { userVariables, characterSet } = context.session;
  const value = userVariables.get(name.toLowerCase());
  if (value === undefined) {
    return { value: SQL_NULL, column: unsetUserVariableColumn };
  }
  cursor.charge(value.text?.length ?? 0);
  switch (value.type) {
    case "integer":
      return { value, column: userVariableIntegerColumn };
    case "decimal":
      return {
        value,
        column: (column) => decimalColumn(column, USER_DECIMAL),
      };
    case "double":
      return { value, column: doubleColumn };
    case "string":
      return {
        value,
        column: (column) => userVariableTextColumn(column, characterSet),
      };
    case "binary":
    case "null":
      return { value, column: userVariableBinaryColumn };
  }
}

/** `@@name`, `@@global.name`, `@@session.name`, `@@local.name`, after the `@@`. */
function systemVariable(
  cursor: StatementCursor,
  context: StatementContext,
): Expression {
  const { name, scope } = parseSystemVariableName(cursor);
  const variable = systemVariableNamed(name, context);
  if (scope === "session" && !variable.settable) {
    throw new StatementError(
      StatementFault.ER_INCORRECT_GLOBAL_LOCAL_VAR,
      `Variable '${variable.name}' is a GLOBAL variable`,
    );
  }
  const { characterSet } = context.session;
  const value = selectSystemVariable(
    variable,
    scope === "global" ? globalContext(context) : context,
  );
  cursor.charge(value.text?.length ?? 0);
  return {
    value,
    column: (column) => {
      switch (variable.kind) {
        case "string":
          return systemVariableTextColumn(column, characterSet);
        case "unsigned":
          return systemVariableUnsignedColumn(column);
        case "boolean":
          return systemVariableBooleanColumn(column);
      }
    },
  };
}

/** Where a system variable is looked up or set; "" if the statement does not say. */
export type SystemVariableScope = "" | "global" | "session";

const SCOPES: Readonly<Record<string, SystemVariableScope>> = {
  global: "global",
  local: "session",
  session: "session",
};

/** Reads `[scope.]name`, what stands behind `@@`. */
export function parseSystemVariableName(
  cursor: StatementCursor,
): { name: string; scope: SystemVariableScope } {
  const first = cursor.expectName();
  if (!cursor.takeSymbol(".")) return { name: first, scope: "" };
  const scope = SCOPES[first.toLowerCase()];
  const second = cursor.expectName();
  // a component's or key cache's variable, as in `@@validate_password.policy`
  if (scope === undefined) return { name: `${first}.${second}`, scope: "" };
  return { name: second, scope };
}

function wordExpression(
  cursor: StatementCursor,
  context: StatementContext,
  depth: number,
): Expression {
  const word = cursor.take().value;
  const upper = word.toUpperCase();
  if (cursor.takeSymbol("(")) {
    const expression = functionCall(upper, cursor, context, depth);
    if (expression !== undefined) return expression;
    throw new StatementError(
      StatementFault.ER_SP_DOES_NOT_EXIST,
      `FUNCTION ${word.slice(0, 64)} does not exist`,
    );
  }
  switch (upper) {
    case "NULL":
      return { value: SQL_NULL, column: nullColumn };
    case "TRUE":
    case "FALSE":
      return {
        value: sqlInteger(upper === "TRUE" ? 1 : 0),
        column: (name) => integerColumn(name, 1),
      };
    case "CURRENT_TIMESTAMP":
    case "LOCALTIME":
    case "LOCALTIMESTAMP":
      return now(context);
    case "CURRENT_USER":
      return currentUser(context);
  }
  throw new StatementError(
    StatementFault.ER_BAD_FIELD,
    `Unknown column '${word.slice(0, 64)}' in 'field list'`,
  );
}

type FunctionAnswer = (context: StatementContext) => Expression;

/** The functions without arguments that are answered. */
const FUNCTIONS: Readonly<Record<string, FunctionAnswer>> = {
  CONNECTION_ID: ({ session }) => ({
    value: sqlInteger(session.connectionId),
    column: (name) => unsignedColumn(name),
  }),
  CURRENT_TIMESTAMP: now,
  CURRENT_USER: currentUser,
  DATABASE: database,
  LOCALTIME: now,
  LOCALTIMESTAMP: now,
  NOW: now,
  SCHEMA: database,
  SESSION_USER: account,
  SYSDATE: now,
  SYSTEM_USER: account,
  // Never NULL: a replica server that reads NULL here crashes.
  UNIX_TIMESTAMP: ({ nowMs }) => ({
    value: sqlInteger(Math.floor(nowMs / 1000)),
    column: (name) => integerColumn(name, 21),
  }),
  USER: account,
  UTC_TIMESTAMP: utcNow,
  UUID: (context) => ({
    value: sqlString(context.newUuid()),
    column: (name) =>
      nullableTextColumn(name, UUID_CHARACTERS, context.session.characterSet),
  }),
  VERSION: ({ server, session }) => ({
    value: sqlString(server.version),
    column: (name) =>
      textColumn(name, server.version.length, session.characterSet),
  }),
};

/** Every function that is answered, for the documents. */
export function functionNames(): string[] {
  return [
    ...Object.keys(FUNCTIONS).map((name) => `${name}()`),
    "BINLOG_GTID_POS(file, position)",
    "COALESCE(expression, …)",
    "GTID_SUBSET(subset, set)",
    "GTID_SUBTRACT(set, subset)",
    "IFNULL(expression, expression)",
  ].sort();
}

/** A call after its opening parenthesis; undefined if there is no such function. */
function functionCall(
  name: string,
  cursor: StatementCursor,
  context: StatementContext,
  depth: number,
): Expression | undefined {
  if (name === "IFNULL" || name === "COALESCE") {
    return firstThatIs(name, cursor, context, depth);
  }
  const isOfGtids = name === "GTID_SUBSET" || name === "GTID_SUBTRACT";
  if (isOfGtids && context.server.flavour === "mysql") {
    const [first, second, ...more] = parseArguments(cursor, context, depth);
    if (first === undefined || second === undefined || more.length > 0) {
      throw wrongParameters(name.toLowerCase());
    }
    for (const { value } of [first, second]) {
      cursor.charge(value.text?.length ?? 0);
    }
    return gtidFunction(name, first.value, second.value, context);
  }
  if (!Object.hasOwn(FUNCTIONS, name)) return undefined;
  if (!cursor.takeSymbol(")")) throw wrongParameters(name);
  return FUNCTIONS[name]!(context);
}

function wrongParameters(name: string): StatementError {
  return new StatementError(
    StatementFault.ER_WRONG_PARAMETERS,
    `Incorrect parameter count in the call to native function '${name}'`,
  );
}

/** The first argument that is not NULL; IFNULL has two of them. */
function firstThatIs(
  name: "IFNULL" | "COALESCE",
  cursor: StatementCursor,
  context: StatementContext,
  depth: number,
): Expression {
  const all = parseArguments(cursor, context, depth);
  if (all.length === 0 || name === "IFNULL" && all.length !== 2) {
    throw wrongParameters(name);
  }
  return all.find(({ value }) => value.text !== null) ?? all[0]!;
}

/** Expressions, or none, and the closing parenthesis. */
function parseArguments(
  cursor: StatementCursor,
  context: StatementContext,
  depth: number,
): Expression[] {
  if (depth === DEPTH_MAX) throw cursor.unexpected();
  if (cursor.takeSymbol(")")) return [];
  const all: Expression[] = [];
  do all.push(parseExpression(cursor, context, depth + 1)); while (
    cursor.takeSymbol(",")
  );
  cursor.expectSymbol(")");
  return all;
}

/** The time of the statement, in the session's time zone. */
function now(context: StatementContext): Expression {
  return timeExpression(formatTime(context.nowMs, context));
}

function utcNow({ nowMs }: StatementContext): Expression {
  return timeExpression(
    new Date(nowMs).toISOString().slice(0, 19).replace("T", " "),
  );
}

function timeExpression(text: string): Expression {
  return { value: sqlString(text), column: timeColumn };
}

/** The account as it is defined, which is for every host. */
function currentUser({ session }: StatementContext): Expression {
  return {
    value: sqlString(`${session.user}@%`),
    column: (name) =>
      nullableTextColumn(name, ACCOUNT_CHARACTERS, session.characterSet),
  };
}

function account({ session }: StatementContext): Expression {
  return {
    value: sqlString(`${session.user}@${session.host}`),
    column: (name) =>
      nullableTextColumn(name, ACCOUNT_CHARACTERS, session.characterSet),
  };
}

function database({ session }: StatementContext): Expression {
  const { database, characterSet } = session;
  return {
    value: database === undefined ? SQL_NULL : sqlString(database),
    column: (name) =>
      nullableTextColumn(name, DATABASE_CHARACTERS, characterSet),
  };
}
