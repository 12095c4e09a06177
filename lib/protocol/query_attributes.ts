import type { ByteReader } from "./byte_reader.ts";
import { ColumnType } from "./column_type.ts";
import { ErrorCode } from "./error_code.ts";
import { ProtocolError } from "./protocol_error.ts";

/** Most attributes of a statement; the binary protocol counts to 65535. */
const ATTRIBUTES_MAX = 0xffff;
const UNSIGNED_FLAG = 0x8000;

/**
 * Passes over the attributes that precede the statement of a COM_QUERY where
 * `CLIENT_QUERY_ATTRIBUTES` is agreed on (MySQL internals: COM_QUERY):
 *
 * ```text
 * parameter-count:lenenc  parameter-set-count:lenenc (always 1)
 * if parameter-count > 0:
 *   null-bitmap  new-params-bind-flag:u8 (always 1)
 *   (type:u16 name:lenenc-string){parameter-count}
 *   value for each one that is not NULL
 * ```
 *
 * Throws a `ProtocolError` (1835) when malformed.
 */
export function skipQueryAttributes(reader: ByteReader): void {
  const count = reader.lenencInt();
  reader.lenencInt();
  if (count === 0) return;
  if (count > ATTRIBUTES_MAX) {
    throw malformed(`${count} query attributes announced`);
  }
  const nullBitmap = reader.bytes(Math.ceil(count / 8));
  if (reader.u8() !== 1) throw malformed("query attributes without types");
  const types: number[] = [];
  for (let i = 0; i < count; i++) {
    types.push(reader.u16() & ~UNSIGNED_FLAG);
    reader.lenencBytes();
  }
  types.forEach((type, i) => {
    const isNull = (nullBitmap[i >> 3]! >> (i & 7)) & 1;
    if (!isNull) skipValue(reader, type);
  });
}

/** MySQL internals: Binary Protocol Value. */
function skipValue(reader: ByteReader, type: number): void {
  switch (type) {
    case ColumnType.NULL:
      return;
    case ColumnType.TINY:
      return reader.skip(1);
    case ColumnType.SHORT:
    case ColumnType.YEAR:
      return reader.skip(2);
    case ColumnType.LONG:
    case ColumnType.INT24:
    case ColumnType.FLOAT:
      return reader.skip(4);
    case ColumnType.LONGLONG:
    case ColumnType.DOUBLE:
      return reader.skip(8);
    case ColumnType.DATE:
    case ColumnType.DATETIME:
    case ColumnType.TIMESTAMP:
    case ColumnType.TIME:
      return reader.skip(reader.u8());
    default:
      reader.lenencBytes();
  }
}

function malformed(detail: string): ProtocolError {
  return new ProtocolError(
    ErrorCode.ER_MALFORMED_PACKET,
    `Malformed communication packet: ${detail}`,
  );
}
