import { u32At } from "./_little_endian.ts";
import { HEADER_BYTES } from "./event_header.ts";
import { EventType } from "./event_type.ts";
import { MalformedEventError } from "./malformed_event_error.ts";

// `Item_result` of MySQL.
const TYPE_STRING = 0;
const TYPE_REAL = 1;
const TYPE_INT = 2;
const TYPE_DECIMAL = 4;

/** Bit of the flags: the integer is unsigned. */
const UNSIGNED = 1;

/** Bytes that 0 to 9 digits take in a decimal. */
const DIGIT_BYTES = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];

/**
 * Collations by number, those that clients use; MySQL shows `???` for one it
 * does not know.
 */
const COLLATIONS: ReadonlyMap<number, string> = new Map([
  [1, "big5_chinese_ci"],
  [8, "latin1_swedish_ci"],
  [9, "latin2_general_ci"],
  [11, "ascii_general_ci"],
  [13, "sjis_japanese_ci"],
  [24, "gb2312_chinese_ci"],
  [28, "gbk_chinese_ci"],
  [31, "latin1_german2_ci"],
  [33, "utf8_general_ci"],
  [45, "utf8mb4_general_ci"],
  [46, "utf8mb4_bin"],
  [47, "latin1_bin"],
  [48, "latin1_general_ci"],
  [49, "latin1_general_cs"],
  [51, "cp1251_general_ci"],
  [63, "binary"],
  [65, "ascii_bin"],
  [83, "utf8_bin"],
  [87, "gbk_bin"],
  [192, "utf8_unicode_ci"],
  [224, "utf8mb4_unicode_ci"],
  [246, "utf8mb4_unicode_520_ci"],
  [248, "gb18030_chinese_ci"],
  [255, "utf8mb4_0900_ai_ci"],
  [278, "utf8mb4_0900_as_cs"],
  [305, "utf8mb4_0900_as_ci"],
  [309, "utf8mb4_0900_bin"],
]);

/** How a server writes a user variable. */
export interface UserVarStyle {
  /** `X'61'` for text, as MariaDB does, instead of `0x61`. */
  readonly quotedHex: boolean;
  /** The character set that was called utf8 is called utf8mb3. */
  readonly utf8mb3: boolean;
}

/**
 * A USER_VAR_EVENT as SHOW BINLOG EVENTS has it
 * (`User_var_log_event::pack_info` in `sql/log_event.cc`).
 *
 * @param event The event without its checksum.
 * @throws {MalformedEventError} If it can't be read.
 */
export function describeUserVar(
  event: Uint8Array,
  style: UserVarStyle,
): string {
  const nameStart = HEADER_BYTES + 4;
  if (event.length < nameStart) throw malformed();
  const nameEnd = nameStart + u32At(event, HEADER_BYTES);
  if (nameEnd >= event.length) throw malformed();
  const name = new TextDecoder().decode(event.subarray(nameStart, nameEnd));
  const left = `@\`${name.replaceAll("`", "``")}\`=`;
  if (event[nameEnd] !== 0) return `${left}NULL`;
  const valueStart = nameEnd + 10;
  if (valueStart > event.length) throw malformed();
  const type = event[nameEnd + 1]!;
  const collation = u32At(event, nameEnd + 2);
  const valueEnd = valueStart + u32At(event, nameEnd + 6);
  if (valueEnd > event.length) throw malformed();
  const value = event.subarray(valueStart, valueEnd);
  const flags = event[valueEnd] ?? 0;
  return left + describeValue(type, value, flags, collation, style);
}

function describeValue(
  type: number,
  value: Uint8Array,
  flags: number,
  collation: number,
  style: UserVarStyle,
): string {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  switch (type) {
    case TYPE_STRING:
      return describeText(value, collation, style);
    case TYPE_REAL:
      if (value.length !== 8) throw malformed();
      return String(view.getFloat64(0, true));
    case TYPE_INT: {
      if (value.length !== 8) throw malformed();
      const isUnsigned = (flags & UNSIGNED) !== 0;
      return String(
        isUnsigned ? view.getBigUint64(0, true) : view.getBigInt64(0, true),
      );
    }
    case TYPE_DECIMAL:
      return describeDecimal(value);
    default:
      return "???";
  }
}

function describeText(
  value: Uint8Array,
  collation: number,
  style: UserVarStyle,
): string {
  let name = COLLATIONS.get(collation);
  if (name === undefined) return "???";
  if (style.utf8mb3) name = name.replace(/^utf8_/, "utf8mb3_");
  const hex = value.toHex();
  const characterSet = name.split("_")[0];
  const text = style.quotedHex ? `X'${hex}'` : `0x${hex.toUpperCase()}`;
  return `_${characterSet} ${text} COLLATE ${name}`;
}

/** A decimal as `decimal2bin` in MySQL's `strings/decimal.cc` writes it. */
function describeDecimal(value: Uint8Array): string {
  const precision = value[0] ?? 0;
  const scale = value[1] ?? 0;
  const whole = precision - scale;
  if (whole < 0) throw malformed();
  const sizes = [
    ...whole % 9 > 0 ? [whole % 9] : [],
    ...Array(Math.floor(whole / 9)).fill(9),
    ...Array(Math.floor(scale / 9)).fill(9),
    ...scale % 9 > 0 ? [scale % 9] : [],
  ] as number[];
  const bytes = value.slice(2);
  const total = sizes.reduce((sum, digits) => sum + DIGIT_BYTES[digits]!, 0);
  if (total === 0 || bytes.length < total) throw malformed();
  const isNegative = (bytes[0]! & 0x80) === 0;
  bytes[0]! ^= 0x80;
  const mask = isNegative ? 0xff : 0;
  let digits = "";
  let at = 0;
  for (const size of sizes) {
    let group = 0;
    for (let left = DIGIT_BYTES[size]!; left > 0; left--) {
      group = group * 256 + (bytes[at++]! ^ mask);
    }
    digits += String(group).padStart(size, "0");
  }
  const integer = digits.slice(0, whole).replace(/^0+(?=\d)/, "") || "0";
  const fraction = scale === 0 ? "" : `.${digits.slice(whole)}`;
  return `${isNegative ? "-" : ""}${integer}${fraction}`;
}

function malformed(): MalformedEventError {
  return new MalformedEventError(
    "Cannot decode User var event: a length in it points outside",
    EventType.USER_VAR,
  );
}
