import { ByteReader } from "./byte_reader.ts";
import { ByteWriter } from "./byte_writer.ts";
import { Capability, hasCapability } from "./capability.ts";
import { ErrorCode } from "./error_code.ts";
import { ProtocolError } from "./protocol_error.ts";
import { ServerError } from "./server_error.ts";
import { StatusFlag } from "./status_flag.ts";

/** First byte of the three general answers. */
export const ResponseHeader = {
  OK: 0x00,
  EOF: 0xfe,
  ERR: 0xff,
} as const;

/** An EOF packet is shorter than this; a row that begins like one is longer. */
const EOF_PAYLOAD_BYTES_MAX = 8;
/** The server cuts messages at this length (`MYSQL_ERRMSG_SIZE`). */
const ERROR_MESSAGE_BYTES_MAX = 512;
const SQL_STATE_MARKER = 0x23;
const SQL_STATE_BYTES = 5;
const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Fields of an OK packet that differ from a plain success. */
export interface OkFields {
  readonly affectedRows?: number | bigint;
  readonly lastInsertId?: number | bigint;
  /** Bits of `StatusFlag`; autocommit when absent. */
  readonly statusFlags?: number;
  readonly warnings?: number;
  /** Text for people. */
  readonly info?: string;
  /**
   * True for the packet that ends the rows of a result set where
   * `CLIENT_DEPRECATE_EOF` is agreed on: an OK packet with EOF's first byte.
   */
  readonly endsRows?: boolean;
}

/** What an OK packet says. */
export interface OkPacket {
  readonly affectedRows: bigint;
  readonly lastInsertId: bigint;
  readonly statusFlags: number;
  readonly warnings: number;
}

/** An error to be sent. `ProtocolError` and `ServerError` have this shape. */
export interface ErrFields {
  readonly code: number;
  readonly sqlState: string;
  readonly message: string;
}

/**
 * Encodes an OK packet (MySQL internals: OK_Packet). The server writes `info`
 * with its length in front whatever the capabilities are (`net_send_ok` in
 * `sql/protocol_classic.cc`), and clients rely on that.
 */
export function encodeOk(fields: OkFields = {}): Uint8Array {
  const writer = new ByteWriter()
    .u8(fields.endsRows ? ResponseHeader.EOF : ResponseHeader.OK)
    .lenencInt(fields.affectedRows ?? 0)
    .lenencInt(fields.lastInsertId ?? 0)
    .u16(fields.statusFlags ?? StatusFlag.STATUS_AUTOCOMMIT)
    .u16(fields.warnings ?? 0);
  if (fields.info) writer.lenencString(fields.info);
  return writer.finish();
}

/**
 * Decodes an OK packet (MySQL internals: OK_Packet), with either first byte.
 * What follows the warning count, text for people and session state, is not
 * looked at. Throws a `ProtocolError` when malformed.
 */
export function decodeOk(payload: Uint8Array): OkPacket {
  const reader = new ByteReader(payload);
  const header = reader.u8();
  if (header !== ResponseHeader.OK && header !== ResponseHeader.EOF) {
    throw new ProtocolError(
      ErrorCode.ER_MALFORMED_PACKET,
      `Malformed communication packet: 0x${
        header.toString(16)
      } does not begin an OK packet`,
    );
  }
  return {
    affectedRows: reader.lenencBigint(),
    lastInsertId: reader.lenencBigint(),
    statusFlags: reader.u16(),
    warnings: reader.u16(),
  };
}

/**
 * Encodes an ERR packet (MySQL internals: ERR_Packet). The message is cut at
 * 512 bytes as the server does. Without `CLIENT_PROTOCOL_41` in `capabilities`,
 * as before a client has answered the greeting, no SQLSTATE is sent.
 */
export function encodeErr(
  fields: ErrFields,
  capabilities: number = Capability.PROTOCOL_41,
): Uint8Array {
  const writer = new ByteWriter().u8(ResponseHeader.ERR).u16(fields.code);
  if (hasCapability(capabilities, Capability.PROTOCOL_41)) {
    writer.u8(SQL_STATE_MARKER).string(sqlStateField(fields.sqlState));
  }
  return writer.bytes(cutMessage(fields.message)).finish();
}

function sqlStateField(sqlState: string): string {
  return /^[0-9A-Z]{5}$/.test(sqlState) ? sqlState : "HY000";
}

/** The message's bytes, cut between two characters. */
function cutMessage(message: string): Uint8Array {
  const bytes = textEncoder.encode(message);
  if (bytes.length <= ERROR_MESSAGE_BYTES_MAX) return bytes;
  let end = ERROR_MESSAGE_BYTES_MAX;
  while ((bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end);
}

/**
 * Decodes an ERR packet (MySQL internals: ERR_Packet), with or without SQLSTATE.
 * Throws a `ProtocolError` when malformed.
 */
export function decodeErr(payload: Uint8Array): ServerError {
  const reader = new ByteReader(payload);
  const header = reader.u8();
  if (header !== ResponseHeader.ERR) {
    throw new ProtocolError(
      ErrorCode.ER_MALFORMED_PACKET,
      `Malformed communication packet: 0x${
        header.toString(16)
      } does not begin an ERR packet`,
    );
  }
  const code = reader.u16();
  const rest = reader.rest();
  if (rest[0] !== SQL_STATE_MARKER || rest.length < 1 + SQL_STATE_BYTES) {
    return new ServerError(code, "HY000", textDecoder.decode(rest));
  }
  return new ServerError(
    code,
    textDecoder.decode(rest.subarray(1, 1 + SQL_STATE_BYTES)),
    textDecoder.decode(rest.subarray(1 + SQL_STATE_BYTES)),
  );
}

/** Fields of an EOF packet that differ from a plain end. */
export interface EofFields {
  readonly warnings?: number;
  /** Bits of `StatusFlag`; autocommit when absent. */
  readonly statusFlags?: number;
}

/**
 * Encodes an EOF packet of five bytes (MySQL internals: EOF_Packet). It ends a
 * non-blocking dump whatever the capabilities say.
 */
export function encodeEof(fields: EofFields = {}): Uint8Array {
  return new ByteWriter()
    .u8(ResponseHeader.EOF)
    .u16(fields.warnings ?? 0)
    .u16(fields.statusFlags ?? StatusFlag.STATUS_AUTOCOMMIT)
    .finish();
}

/** True for an OK packet where an answer to a command may begin. */
export function isOk(payload: Uint8Array): boolean {
  return payload[0] === ResponseHeader.OK;
}

/** True for an ERR packet. */
export function isErr(payload: Uint8Array): boolean {
  return payload[0] === ResponseHeader.ERR;
}

/**
 * True for an EOF packet, or the OK packet that stands for one, where a row or
 * an event may stand too.
 */
export function isEof(payload: Uint8Array): boolean {
  return payload[0] === ResponseHeader.EOF &&
    payload.length <= EOF_PAYLOAD_BYTES_MAX;
}
