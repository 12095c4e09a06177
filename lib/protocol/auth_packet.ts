import { ByteReader } from "./byte_reader.ts";
import { ByteWriter } from "./byte_writer.ts";
import { SCRAMBLE_BYTES } from "./handshake.ts";

/** First byte of the packets of the authentication phase. */
export const AuthPacket = {
  MORE_DATA: 0x01,
  SWITCH: 0xfe,
} as const;

/** What `caching_sha2_password` says in a one-byte packet. */
export const CachingSha2Signal = {
  /** Client: send me your RSA public key. */
  REQUEST_PUBLIC_KEY: 0x02,
  /** Server: the token was right, an OK packet follows. */
  FAST_AUTH_SUCCESS: 0x03,
  /** Server: send the password, over TLS or encrypted. */
  FULL_AUTHENTICATION: 0x04,
} as const;

/** Client of `sha256_password`: send me your RSA public key. */
export const SHA256_REQUEST_PUBLIC_KEY = 0x01;

/** A server's demand to start again with another plugin. */
export interface AuthSwitch {
  readonly plugin: string;
  /** 20 bytes for the plugins we know. */
  readonly scramble: Uint8Array;
}

/** Encodes the demand (MySQL internals: Protocol::AuthSwitchRequest). */
export function encodeAuthSwitch(authSwitch: AuthSwitch): Uint8Array {
  return new ByteWriter()
    .u8(AuthPacket.SWITCH)
    .nulString(authSwitch.plugin)
    .bytes(authSwitch.scramble)
    .u8(0)
    .finish();
}

/**
 * Decodes the demand (MySQL internals: Protocol::AuthSwitchRequest). A packet
 * of its first byte only asks for the method of before 4.1, whose name is
 * `mysql_old_password`. Throws a `ProtocolError` when malformed.
 */
export function decodeAuthSwitch(payload: Uint8Array): AuthSwitch {
  if (payload.length === 1) {
    return { plugin: "mysql_old_password", scramble: new Uint8Array(0) };
  }
  const reader = new ByteReader(payload, 1);
  const plugin = reader.nulString();
  const data = reader.rest();
  const terminated = data.length === SCRAMBLE_BYTES + 1 &&
    data[SCRAMBLE_BYTES] === 0;
  const scramble = terminated ? data.subarray(0, SCRAMBLE_BYTES) : data;
  // Kept beyond the packet's life: the chunk behind it must not be held.
  return { plugin, scramble: scramble.slice() };
}

/** Encodes plugin data of the server (MySQL internals: Protocol::AuthMoreData). */
export function encodeAuthMoreData(data: Uint8Array): Uint8Array {
  return new ByteWriter(1 + data.length)
    .u8(AuthPacket.MORE_DATA)
    .bytes(data)
    .finish();
}

/** The plugin data of such a packet: everything behind its first byte. */
export function decodeAuthMoreData(payload: Uint8Array): Uint8Array {
  return new ByteReader(payload, 1).rest();
}
