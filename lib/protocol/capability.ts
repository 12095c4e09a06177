/**
 * Capability flags of the handshake, as masks of the unsigned 32-bit field
 * (MySQL internals: Capabilities Flags, `include/mysql_com.h`). Names are the
 * server's without `CLIENT_`.
 */
export const Capability = {
  LONG_PASSWORD: 0x0000_0001,
  FOUND_ROWS: 0x0000_0002,
  LONG_FLAG: 0x0000_0004,
  CONNECT_WITH_DB: 0x0000_0008,
  NO_SCHEMA: 0x0000_0010,
  COMPRESS: 0x0000_0020,
  ODBC: 0x0000_0040,
  LOCAL_FILES: 0x0000_0080,
  IGNORE_SPACE: 0x0000_0100,
  PROTOCOL_41: 0x0000_0200,
  INTERACTIVE: 0x0000_0400,
  SSL: 0x0000_0800,
  IGNORE_SIGPIPE: 0x0000_1000,
  TRANSACTIONS: 0x0000_2000,
  RESERVED: 0x0000_4000,
  SECURE_CONNECTION: 0x0000_8000,
  MULTI_STATEMENTS: 0x0001_0000,
  MULTI_RESULTS: 0x0002_0000,
  PS_MULTI_RESULTS: 0x0004_0000,
  PLUGIN_AUTH: 0x0008_0000,
  CONNECT_ATTRS: 0x0010_0000,
  PLUGIN_AUTH_LENENC_CLIENT_DATA: 0x0020_0000,
  CAN_HANDLE_EXPIRED_PASSWORDS: 0x0040_0000,
  SESSION_TRACK: 0x0080_0000,
  DEPRECATE_EOF: 0x0100_0000,
  OPTIONAL_RESULTSET_METADATA: 0x0200_0000,
  ZSTD_COMPRESSION: 0x0400_0000,
  QUERY_ATTRIBUTES: 0x0800_0000,
  MULTI_FACTOR_AUTHENTICATION: 0x1000_0000,
  CAPABILITY_EXTENSION: 0x2000_0000,
  SSL_VERIFY_SERVER_CERT: 0x4000_0000,
  REMEMBER_OPTIONS: 0x8000_0000,
} as const;

/** True if `flags` has every bit of `capability`. */
export function hasCapability(flags: number, capability: number): boolean {
  return ((flags & capability) >>> 0) === capability;
}

/**
 * What both sides can do. A client keeps bits that the server never announced
 * , so only the common ones count.
 */
export function commonCapabilities(client: number, server: number): number {
  return (client & server) >>> 0;
}
