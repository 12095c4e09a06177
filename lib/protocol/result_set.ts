import { ByteReader } from "./byte_reader.ts";
import { ByteWriter } from "./byte_writer.ts";
import { Capability, hasCapability } from "./capability.ts";
import { CharacterSet } from "./character_set.ts";
import { ColumnFlag, ColumnType } from "./column_type.ts";
import { ErrorCode } from "./error_code.ts";
import { writePackets } from "./packet_encoder.ts";
import { ProtocolError } from "./protocol_error.ts";
import {
  decodeErr,
  decodeOk,
  encodeEof,
  encodeOk,
  isEof,
  isErr,
  isOk,
  type OkPacket,
  ResponseHeader,
} from "./response.ts";

const CATALOG = "def";
/** Bytes of a column definition's numbers, which it announces itself. */
const FIXED_COLUMN_BYTES = 0x0c;
/** Decimals of a column whose values have no fixed number of them. */
const DECIMALS_NOT_FIXED = 31;
/** Most columns of a table or result set (`MAX_FIELDS`). */
const COLUMNS_MAX = 4096;
const LOCAL_INFILE_HEADER = 0xfb;
const ROW_BYTES_MAX = 64 * 1024 * 1024;

/** What a result set says about one of its columns. */
export interface ColumnDefinition {
  readonly name: string;
  /** One of `ColumnType`. */
  readonly type: number;
  /** Collation number, two bytes. */
  readonly charset: number;
  /** Longest value, in bytes, unsigned 32 bits. */
  readonly length: number;
  /** Bits of `ColumnFlag`. */
  readonly flags: number;
  readonly decimals: number;
}

/** A result set as text; `null` is SQL's NULL. */
export interface TextResultSet {
  readonly columns: readonly ColumnDefinition[];
  readonly rows: readonly (readonly (string | null)[])[];
}

/** A string column as MySQL describes system variables. */
export function textColumn(name: string): ColumnDefinition {
  return {
    name,
    type: ColumnType.VAR_STRING,
    charset: CharacterSet.UTF8MB4_GENERAL_CI,
    length: 87380,
    flags: 0,
    decimals: DECIMALS_NOT_FIXED,
  };
}

/** An integer column as MySQL describes `@@GLOBAL.SERVER_ID`. */
export function integerColumn(name: string): ColumnDefinition {
  return {
    name,
    type: ColumnType.LONGLONG,
    charset: CharacterSet.BINARY,
    length: 21,
    flags: ColumnFlag.UNSIGNED | ColumnFlag.BINARY,
    decimals: 0,
  };
}

/**
 * Encodes a whole answer of rows into one buffer of packets, the first with
 * `sequenceId` (MySQL internals: Protocol::Text Resultset). With
 * `CLIENT_DEPRECATE_EOF` among the common `capabilities` no EOF follows the
 * columns, and an OK packet with EOF's first byte ends the rows. Throws a
 * `RangeError` for a row whose width differs from the columns'.
 */
export function encodeTextResultSet(
  resultSet: TextResultSet,
  capabilities: number,
  sequenceId: number,
): Uint8Array {
  const { columns, rows } = resultSet;
  const withEof = !hasCapability(capabilities, Capability.DEPRECATE_EOF);
  const writer = new ByteWriter(256);
  let id = sequenceId;
  const add = (payload: Uint8Array) => {
    id = writePackets(writer, payload, id);
  };
  add(new ByteWriter(4).lenencInt(columns.length).finish());
  for (const column of columns) add(encodeColumn(column));
  if (withEof) add(encodeEof());
  for (const row of rows) add(encodeRow(row, columns.length));
  add(withEof ? encodeEof() : encodeOk({ endsRows: true }));
  return writer.finish();
}

/** MySQL internals: Protocol::ColumnDefinition41. */
function encodeColumn(column: ColumnDefinition): Uint8Array {
  return new ByteWriter()
    .lenencString(CATALOG)
    .lenencString("") // schema
    .lenencString("") // table
    .lenencString("") // original table
    .lenencString(column.name)
    .lenencString("") // original name
    .lenencInt(FIXED_COLUMN_BYTES)
    .u16(column.charset)
    .u32(column.length)
    .u8(column.type)
    .u16(column.flags)
    .u8(column.decimals)
    .zeros(2)
    .finish();
}

function decodeColumn(payload: Uint8Array): ColumnDefinition {
  const reader = new ByteReader(payload);
  for (let i = 0; i < 4; i++) reader.lenencBytes(); // catalog, schema, tables
  const name = reader.lenencString();
  reader.lenencBytes(); // original name
  const numbers = new ByteReader(reader.lenencBytes());
  const charset = numbers.u16();
  const length = numbers.u32();
  const type = numbers.u8();
  const flags = numbers.u16();
  return { name, type, charset, length, flags, decimals: numbers.u8() };
}

/** MySQL internals: Text Resultset Row. */
function encodeRow(
  row: readonly (string | null)[],
  width: number,
): Uint8Array {
  if (row.length !== width) {
    throw new RangeError(
      `Cannot encode a row of ${row.length} values for ${width} columns`,
    );
  }
  const writer = new ByteWriter();
  for (const value of row) {
    if (value === null) writer.u8(0xfb);
    else writer.lenencString(value);
  }
  return writer.finish();
}

/** The complete answer to a statement: rows, or success without any. */
export interface TextAnswer {
  /** Empty for a statement that answers no rows. */
  readonly columns: readonly ColumnDefinition[];
  readonly rows: (string | null)[][];
  /** The OK packet of a statement without rows. */
  readonly ok?: OkPacket | undefined;
}

/**
 * Puts the answer to one COM_QUERY together from its payloads.
 *
 * ```text
 * answer = ERR | OK | count column{count} [EOF] row* end
 * [EOF]  only without CLIENT_DEPRECATE_EOF
 * end    = EOF | OK with first byte 0xfe | ERR
 * ```
 *
 * MySQL internals: COM_QUERY Response.
 */
export class TextResultSetDecoder {
  readonly #withEof: boolean;
  readonly #rowBytesMax: number;
  #phase: "start" | "columns" | "columns-end" | "rows" | "done" = "start";
  #columnCount = 0;
  #rowBytes = 0;
  readonly #columns: ColumnDefinition[] = [];
  readonly #rows: (string | null)[][] = [];
  #ok: OkPacket | undefined;

  /**
   * `capabilities` are the common ones of the connection; all rows together
   * may take `rowBytesMax` bytes, 64 MiB when absent.
   */
  constructor(capabilities: number, rowBytesMax: number = ROW_BYTES_MAX) {
    this.#withEof = !hasCapability(capabilities, Capability.DEPRECATE_EOF);
    this.#rowBytesMax = rowBytesMax;
  }

  /**
   * Takes the next payload and answers true when it was the last. Throws the
   * `ServerError` that an ERR packet carries, and a `ProtocolError` for
   * anything malformed, too large or out of place.
   */
  push(payload: Uint8Array): boolean {
    if (isErr(payload)) {
      this.#phase = "done";
      throw decodeErr(payload);
    }
    this.#take(payload);
    return this.#phase === "done";
  }

  #take(payload: Uint8Array): void {
    switch (this.#phase) {
      case "start":
        return this.#start(payload);
      case "columns":
        return this.#addColumn(payload);
      case "columns-end":
        return this.#endColumns(payload);
      case "rows":
        return this.#addRow(payload);
      case "done":
        throw malformed("a packet follows the end of an answer");
    }
  }

  /** The answer, once {@linkcode push} has answered true. */
  answer(): TextAnswer {
    if (this.#phase !== "done") {
      throw new TypeError("Cannot give an answer that is not complete");
    }
    return { columns: this.#columns, rows: this.#rows, ok: this.#ok };
  }

  #start(payload: Uint8Array): void {
    if (isOk(payload)) {
      this.#ok = decodeOk(payload);
      this.#phase = "done";
      return;
    }
    if (payload[0] === LOCAL_INFILE_HEADER) {
      throw malformed("the server asks for a local file");
    }
    this.#columnCount = new ByteReader(payload).lenencInt();
    if (this.#columnCount > COLUMNS_MAX) {
      throw malformed(`${this.#columnCount} columns announced`);
    }
    this.#phase = "columns";
  }

  #addColumn(payload: Uint8Array): void {
    this.#columns.push(decodeColumn(payload));
    if (this.#columns.length === this.#columnCount) {
      this.#phase = this.#withEof ? "columns-end" : "rows";
    }
  }

  #endColumns(payload: Uint8Array): void {
    if (!isEof(payload)) throw malformed("no EOF packet ends the columns");
    this.#phase = "rows";
  }

  #addRow(payload: Uint8Array): void {
    if (this.#endsRows(payload)) {
      this.#phase = "done";
      return;
    }
    this.#rowBytes += payload.length;
    if (this.#rowBytes > this.#rowBytesMax) {
      throw new ProtocolError(
        ErrorCode.ER_NET_PACKET_TOO_LARGE,
        `Got a result set bigger than ${this.#rowBytesMax} bytes`,
      );
    }
    this.#rows.push(decodeRow(payload, this.#columnCount));
  }

  /**
   * A row begins with 0xfe only if its first value has 16 MiB or more, so that
   * a shorter payload with that byte is the end.
   */
  #endsRows(payload: Uint8Array): boolean {
    if (this.#withEof) return isEof(payload);
    return payload[0] === ResponseHeader.EOF && payload.length < 0xffffff;
  }
}

function decodeRow(payload: Uint8Array, width: number): (string | null)[] {
  const reader = new ByteReader(payload);
  const row: (string | null)[] = [];
  for (let i = 0; i < width; i++) row.push(reader.lenencStringOrNull());
  if (reader.remaining > 0) {
    throw malformed(`${reader.remaining} bytes follow the last value of a row`);
  }
  return row;
}

function malformed(detail: string): ProtocolError {
  return new ProtocolError(
    ErrorCode.ER_MALFORMED_PACKET,
    `Malformed communication packet: ${detail}`,
  );
}
