import { ByteReader } from "./byte_reader.ts";
import { ByteWriter } from "./byte_writer.ts";
import { Capability, commonCapabilities, hasCapability } from "./capability.ts";
import { ZSTD_LEVEL_DEFAULT } from "./compression.ts";
import { ErrorCode } from "./error_code.ts";
import { ProtocolError } from "./protocol_error.ts";

const PROTOCOL_VERSION = 10;
/** Bytes of a scramble; the wire adds a NUL. */
export const SCRAMBLE_BYTES = 20;
const SCRAMBLE_FIRST_BYTES = 8;
const RESERVED_GREETING_BYTES = 10;
const RESERVED_RESPONSE_BYTES = 23;
/** Capabilities, maximal packet, character set and reserved bytes. */
const SSL_REQUEST_BYTES = 4 + 4 + 1 + RESERVED_RESPONSE_BYTES;

/** The server's greeting, its first packet. */
export interface HandshakeV10 {
  /** As in `SELECT VERSION()`; replicas read the major version from it. */
  readonly serverVersion: string;
  /** Unsigned 32 bits. */
  readonly connectionId: number;
  /** 20 bytes that the client mixes into its proof of the password. */
  readonly scramble: Uint8Array;
  /** What the server can do, unsigned 32 bits. */
  readonly capabilities: number;
  /** Default collation number, one byte. */
  readonly charset: number;
  readonly statusFlags: number;
  /** Authentication plugin to try first; empty if the server names none. */
  readonly authPlugin: string;
}

/** The client's answer to the greeting. */
export interface HandshakeResponse {
  /** What the client asks for, unsigned 32 bits, as it sent it. */
  readonly capabilities: number;
  /** Largest packet the client wants to be sent, in bytes. */
  readonly maxPacketBytes: number;
  /** Collation number, one byte. */
  readonly charset: number;
  readonly user: string;
  /** Output of the client's authentication plugin. */
  readonly authResponse: Uint8Array;
  readonly database?: string | undefined;
  readonly authPlugin?: string | undefined;
  /** Connection attributes such as `program_name`. */
  readonly attributes: ReadonlyMap<string, string>;
  /** Level the client asks for with `CLIENT_ZSTD_COMPRESSION_ALGORITHM`. */
  readonly zstdLevel?: number | undefined;
}

/**
 * Encodes the greeting (MySQL internals: Protocol::HandshakeV10). Throws a
 * `RangeError` for a scramble that is not 20 bytes or contains a NUL.
 */
export function encodeHandshakeV10(handshake: HandshakeV10): Uint8Array {
  const { scramble, capabilities } = handshake;
  if (scramble.length !== SCRAMBLE_BYTES || scramble.includes(0)) {
    throw new RangeError("Cannot greet: a scramble is 20 bytes without a NUL");
  }
  const withPlugin = hasCapability(capabilities, Capability.PLUGIN_AUTH);
  const writer = new ByteWriter(128)
    .u8(PROTOCOL_VERSION)
    .nulString(handshake.serverVersion)
    .u32(handshake.connectionId)
    .bytes(scramble.subarray(0, SCRAMBLE_FIRST_BYTES))
    .u8(0)
    .u16(capabilities & 0xffff)
    .u8(handshake.charset)
    .u16(handshake.statusFlags)
    .u16(capabilities >>> 16)
    .u8(withPlugin ? SCRAMBLE_BYTES + 1 : 0)
    .zeros(RESERVED_GREETING_BYTES)
    .bytes(scramble.subarray(SCRAMBLE_FIRST_BYTES))
    .u8(0);
  if (withPlugin) writer.nulString(handshake.authPlugin);
  return writer.finish();
}

/**
 * Decodes a server's greeting (MySQL internals: Protocol::HandshakeV10). An ERR
 * packet, which a server may send instead, has to be told apart before. Throws
 * a `ProtocolError` for another protocol version, for a server without the 4.1
 * protocol, and for a malformed packet.
 */
export function decodeHandshakeV10(payload: Uint8Array): HandshakeV10 {
  const reader = new ByteReader(payload);
  const version = reader.u8();
  if (version !== PROTOCOL_VERSION) {
    throw new ProtocolError(
      ErrorCode.ER_HANDSHAKE,
      `Cannot talk to a server of protocol version ${version}, only ${PROTOCOL_VERSION}`,
    );
  }
  const serverVersion = reader.nulString();
  const connectionId = reader.u32();
  const scrambleStart = reader.bytes(SCRAMBLE_FIRST_BYTES);
  reader.skip(1);
  const capabilitiesLow = reader.u16();
  const charset = reader.u8();
  const statusFlags = reader.u16();
  const capabilities = ((reader.u16() << 16) | capabilitiesLow) >>> 0;
  const authDataBytes = reader.u8();
  reader.skip(RESERVED_GREETING_BYTES);
  checkServerCapabilities(capabilities);
  const restBytes = Math.max(
    SCRAMBLE_BYTES + 1 - SCRAMBLE_FIRST_BYTES,
    authDataBytes - SCRAMBLE_FIRST_BYTES,
  );
  const scrambleRest = reader.bytes(restBytes);
  const scramble = new Uint8Array(SCRAMBLE_BYTES);
  scramble.set(scrambleStart);
  scramble.set(
    scrambleRest.subarray(0, SCRAMBLE_BYTES - SCRAMBLE_FIRST_BYTES),
    SCRAMBLE_FIRST_BYTES,
  );
  const authPlugin = hasCapability(capabilities, Capability.PLUGIN_AUTH)
    ? readPluginName(reader)
    : "";
  return {
    serverVersion,
    connectionId,
    scramble,
    capabilities,
    charset,
    statusFlags,
    authPlugin,
  };
}

function checkServerCapabilities(capabilities: number): void {
  const needed = Capability.PROTOCOL_41 | Capability.SECURE_CONNECTION;
  if (!hasCapability(capabilities, needed)) {
    throw new ProtocolError(
      ErrorCode.ER_HANDSHAKE,
      "Cannot talk to a server older than MySQL 4.1",
    );
  }
}

/** Servers before 5.5.10 and 5.6.2 sent the name without its NUL. */
function readPluginName(reader: ByteReader): string {
  return reader.restString().split("\0", 1)[0]!;
}

/**
 * Encodes the answer to a greeting (MySQL internals:
 * Protocol::HandshakeResponse41). Which fields are present is decided by
 * `response.capabilities` alone, so pass the common ones of both sides. Throws
 * a `RangeError` if a field does not fit.
 */
export function encodeHandshakeResponse(
  response: HandshakeResponse,
): Uint8Array {
  const { capabilities, authResponse } = response;
  const has = (flag: number) => hasCapability(capabilities, flag);
  const writer = new ByteWriter(256);
  writeResponseStart(writer, response);
  writer.nulString(response.user);
  if (has(Capability.PLUGIN_AUTH_LENENC_CLIENT_DATA)) {
    writer.lenencBytes(authResponse);
  } else {
    writer.u8(authResponse.length).bytes(authResponse);
  }
  if (has(Capability.CONNECT_WITH_DB)) {
    writer.nulString(response.database ?? "");
  }
  if (has(Capability.PLUGIN_AUTH)) writer.nulString(response.authPlugin ?? "");
  if (has(Capability.CONNECT_ATTRS)) {
    const attributes = new ByteWriter();
    for (const [name, value] of response.attributes) {
      attributes.lenencString(name).lenencString(value);
    }
    writer.lenencBytes(attributes.finish());
  }
  if (has(Capability.ZSTD_COMPRESSION)) {
    writer.u8(response.zstdLevel ?? ZSTD_LEVEL_DEFAULT);
  }
  return writer.finish();
}

/**
 * Decodes a client's answer to our greeting (MySQL internals:
 * Protocol::HandshakeResponse41). `serverCapabilities` is what the greeting
 * announced: a field is present if both sides have its flag. Throws a
 * `ProtocolError` for a client without the 4.1 protocol (1043) and for a
 * malformed packet (1835).
 */
export function decodeHandshakeResponse(
  payload: Uint8Array,
  serverCapabilities: number,
): HandshakeResponse {
  const reader = new ByteReader(payload);
  const start = readResponseStart(reader);
  const common = commonCapabilities(start.capabilities, serverCapabilities);
  const has = (flag: number) => hasCapability(common, flag);
  const user = reader.nulString();
  const authResponse = has(Capability.PLUGIN_AUTH_LENENC_CLIENT_DATA)
    ? reader.lenencBytes()
    : reader.bytes(reader.u8());
  // Some clients leave out a last empty field together with its NUL.
  const more = () => reader.remaining > 0;
  const database = has(Capability.CONNECT_WITH_DB) && more()
    ? reader.nulString()
    : undefined;
  const authPlugin = has(Capability.PLUGIN_AUTH) && more()
    ? readLastString(reader)
    : undefined;
  const attributes = has(Capability.CONNECT_ATTRS) && more()
    ? readAttributes(reader)
    : new Map<string, string>();
  const zstdLevel = has(Capability.ZSTD_COMPRESSION) && more()
    ? reader.u8()
    : undefined;
  return {
    ...start,
    user,
    authResponse,
    database,
    authPlugin,
    attributes,
    ...(zstdLevel === undefined ? {} : { zstdLevel }),
  };
}

/** A string that ends at a NUL or, as some clients send it, with the packet. */
function readLastString(reader: ByteReader): string {
  return reader.hasNul() ? reader.nulString() : reader.restString();
}

function readAttributes(reader: ByteReader): Map<string, string> {
  const fields = new ByteReader(reader.lenencBytes());
  const attributes = new Map<string, string>();
  while (fields.remaining > 0) {
    const name = fields.lenencString();
    attributes.set(name, fields.lenencString());
  }
  return attributes;
}

/** The fields before the user name, which an SSL request consists of. */
type ResponseStart = Pick<
  HandshakeResponse,
  "capabilities" | "maxPacketBytes" | "charset"
>;

function writeResponseStart(writer: ByteWriter, start: ResponseStart): void {
  writer
    .u32(start.capabilities)
    .u32(start.maxPacketBytes)
    .u8(start.charset)
    .zeros(RESERVED_RESPONSE_BYTES);
}

function readResponseStart(reader: ByteReader): ResponseStart {
  const capabilities = reader.u32();
  if (!hasCapability(capabilities, Capability.PROTOCOL_41)) {
    throw new ProtocolError(
      ErrorCode.ER_HANDSHAKE,
      "Bad handshake: the client does not speak the 4.1 protocol",
    );
  }
  const maxPacketBytes = reader.u32();
  const charset = reader.u8();
  reader.skip(RESERVED_RESPONSE_BYTES);
  return { capabilities, maxPacketBytes, charset };
}

/**
 * Encodes the request to go on over TLS, sent before the handshake response
 * (MySQL internals: Protocol::SSLRequest). Sets `CLIENT_SSL` by itself.
 */
export function encodeSslRequest(start: ResponseStart): Uint8Array {
  const writer = new ByteWriter(SSL_REQUEST_BYTES);
  writeResponseStart(writer, {
    ...start,
    capabilities: (start.capabilities | Capability.SSL) >>> 0,
  });
  return writer.finish();
}

/**
 * True if a client's first packet is a request to go on over TLS (MySQL
 * internals: Protocol::SSLRequest) and not yet its handshake response.
 */
export function isSslRequest(payload: Uint8Array): boolean {
  return payload.length === SSL_REQUEST_BYTES &&
    hasCapability(new ByteReader(payload).u32(), Capability.SSL);
}
