import { CharacterSet } from "../protocol/character_set.ts";
import { ColumnFlag, ColumnType } from "../protocol/column_type.ts";
import type { ColumnDefinition } from "../protocol/result_set.ts";
import type { ClientCharacterSet } from "./client_character_set.ts";

/** The column has no default (`NO_DEFAULT_VALUE_FLAG` in `include/mysql_com.h`). */
const NO_DEFAULT_VALUE_FLAG = 0x1000;
/** `decimals` of a column without a fixed number of them. */
const NOT_FIXED_DECIMALS = 31;

/** Characters of `@@variable` as MySQL 8 and later declare a string system variable. */
const SYSTEM_VARIABLE_CHARACTERS = 21_845;
/** Characters of a user variable that was given another string variable's value. */
const USER_VARIABLE_CHARACTERS = 50_331_645;

/** Characters of `Info` in `SHOW FULL PROCESSLIST`. */
const LONG_TEXT_CHARACTERS = 201_326_592;

/** Characters of the columns of `SHOW VARIABLES`. */
const VARIABLE_NAME_CHARACTERS = 64;
const VARIABLE_VALUE_CHARACTERS = 1024;

function column(
  name: string,
  type: number,
  charset: number,
  length: number,
  flags: number,
  decimals: number,
): ColumnDefinition {
  return { name, type, charset, length, flags, decimals };
}

/** A string of at most `characters` characters that is never NULL. */
export function textColumn(
  name: string,
  characters: number,
  characterSet: ClientCharacterSet,
): ColumnDefinition {
  return column(
    name,
    ColumnType.VAR_STRING,
    characterSet.collation,
    characters * characterSet.bytesPerCharacter,
    ColumnFlag.NOT_NULL,
    NOT_FIXED_DECIMALS,
  );
}

/** A string that may be NULL, as functions such as `DATABASE()` declare theirs. */
export function nullableTextColumn(
  name: string,
  characters: number,
  characterSet: ClientCharacterSet,
): ColumnDefinition {
  return { ...textColumn(name, characters, characterSet), flags: 0 };
}

/** `SELECT @@variable` of a string variable. */
export function systemVariableTextColumn(
  name: string,
  characterSet: ClientCharacterSet,
): ColumnDefinition {
  return nullableTextColumn(name, SYSTEM_VARIABLE_CHARACTERS, characterSet);
}

/** `SELECT @@variable` of an unsigned variable. */
export function systemVariableUnsignedColumn(name: string): ColumnDefinition {
  return integer(name, 21, ColumnFlag.UNSIGNED);
}

/** `SELECT @@variable` of a boolean variable. */
export function systemVariableBooleanColumn(name: string): ColumnDefinition {
  return integer(name, 1, 0);
}

/** An integer of the given display length. */
export function nullableIntegerColumn(
  name: string,
  length: number,
): ColumnDefinition {
  return integer(name, length, 0);
}

/** An integer of the given display length that is never NULL. */
export function integerColumn(name: string, length: number): ColumnDefinition {
  return integer(name, length, ColumnFlag.NOT_NULL);
}

/** A signed 32-bit integer that is never NULL. */
export function integer32Column(
  name: string,
  length: number,
): ColumnDefinition {
  return binary(name, ColumnType.LONG, length, ColumnFlag.NOT_NULL);
}

/** A point in time as `NOW()` gives it, without a fraction. */
export function timeColumn(name: string): ColumnDefinition {
  return binary(name, ColumnType.DATETIME, 19, ColumnFlag.NOT_NULL);
}

/** A text without a practical limit that may be NULL. */
export function longTextColumn(
  name: string,
  characterSet: ClientCharacterSet,
): ColumnDefinition {
  return column(
    name,
    ColumnType.LONG_BLOB,
    characterSet.collation,
    Math.min(
      0xffff_ffff,
      LONG_TEXT_CHARACTERS * characterSet.bytesPerCharacter,
    ),
    0,
    NOT_FIXED_DECIMALS,
  );
}

/** An unsigned 64-bit integer that is never NULL. */
export function unsignedColumn(name: string, length = 21): ColumnDefinition {
  return integer(name, length, ColumnFlag.NOT_NULL | ColumnFlag.UNSIGNED);
}

/** An unsigned 32-bit integer that is never NULL. */
export function unsigned32Column(
  name: string,
  length: number,
): ColumnDefinition {
  return binary(
    name,
    ColumnType.LONG,
    length,
    ColumnFlag.NOT_NULL | ColumnFlag.UNSIGNED,
  );
}

function integer(
  name: string,
  length: number,
  flags: number,
): ColumnDefinition {
  return binary(name, ColumnType.LONGLONG, length, flags);
}

/** A column of no character set and without a fraction. */
function binary(
  name: string,
  type: number,
  length: number,
  flags: number,
): ColumnDefinition {
  return column(
    name,
    type,
    CharacterSet.BINARY,
    length,
    flags | ColumnFlag.BINARY,
    0,
  );
}

/** The literal NULL. */
export function nullColumn(name: string): ColumnDefinition {
  return binary(name, ColumnType.NULL, 0, 0);
}

/** A decimal number; `literal` tells one in the statement from a variable's. */
export function decimalColumn(
  name: string,
  digits: {
    readonly length: number;
    readonly decimals: number;
    readonly literal: boolean;
  },
): ColumnDefinition {
  return column(
    name,
    ColumnType.NEWDECIMAL,
    CharacterSet.BINARY,
    digits.length,
    ColumnFlag.BINARY | (digits.literal ? ColumnFlag.NOT_NULL : 0),
    digits.decimals,
  );
}

/** A floating-point number. */
export function doubleColumn(name: string): ColumnDefinition {
  return column(
    name,
    ColumnType.DOUBLE,
    CharacterSet.BINARY,
    23,
    ColumnFlag.BINARY,
    NOT_FIXED_DECIMALS,
  );
}

/** A floating-point number with three places, as MariaDB's are, never NULL. */
export function thousandthsColumn(
  name: string,
  length: number,
): ColumnDefinition {
  return column(
    name,
    ColumnType.DOUBLE,
    CharacterSet.BINARY,
    length,
    ColumnFlag.NOT_NULL | ColumnFlag.BINARY,
    3,
  );
}

/** Bytes without a character set, such as `0x4142`. */
export function binaryColumn(name: string, length: number): ColumnDefinition {
  return column(
    name,
    ColumnType.VAR_STRING,
    CharacterSet.BINARY,
    length,
    ColumnFlag.NOT_NULL | ColumnFlag.UNSIGNED | ColumnFlag.BINARY,
    0,
  );
}

/** `SELECT @variable` of a variable that holds a string. */
export function userVariableTextColumn(
  name: string,
  characterSet: ClientCharacterSet,
): ColumnDefinition {
  return column(
    name,
    ColumnType.LONG_BLOB,
    characterSet.collation,
    USER_VARIABLE_CHARACTERS * characterSet.bytesPerCharacter,
    0,
    NOT_FIXED_DECIMALS,
  );
}

/** `SELECT @variable` of an integer. */
export function userVariableIntegerColumn(name: string): ColumnDefinition {
  return integer(name, 21, 0);
}

/** `SELECT @variable` of a variable that holds bytes or was set to NULL. */
export function userVariableBinaryColumn(name: string): ColumnDefinition {
  return column(
    name,
    ColumnType.MEDIUM_BLOB,
    CharacterSet.BINARY,
    0xffffff,
    ColumnFlag.BINARY,
    NOT_FIXED_DECIMALS,
  );
}

/** `SELECT @variable` of one that was never set. */
export function unsetUserVariableColumn(name: string): ColumnDefinition {
  return column(
    name,
    ColumnType.VAR_STRING,
    CharacterSet.BINARY,
    65_532,
    ColumnFlag.BINARY,
    NOT_FIXED_DECIMALS,
  );
}

/**
 * The two columns of `SHOW VARIABLES` and `SHOW STATUS`.
 *
 * @param options nullable: whether a value may be NULL, which MariaDB's may not
 */
export function variableListColumns(
  characterSet: ClientCharacterSet,
  { nullable }: { nullable: boolean },
): ColumnDefinition[] {
  const text = (name: string, characters: number, flags: number) =>
    column(
      name,
      ColumnType.VAR_STRING,
      characterSet.collation,
      characters * characterSet.bytesPerCharacter,
      flags,
      0,
    );
  return [
    text(
      "Variable_name",
      VARIABLE_NAME_CHARACTERS,
      ColumnFlag.NOT_NULL | NO_DEFAULT_VALUE_FLAG,
    ),
    text(
      "Value",
      VARIABLE_VALUE_CHARACTERS,
      nullable ? 0 : ColumnFlag.NOT_NULL | NO_DEFAULT_VALUE_FLAG,
    ),
  ];
}
