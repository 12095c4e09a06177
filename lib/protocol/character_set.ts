/**
 * Collation numbers that the handshake and column definitions carry
 * (`information_schema.COLLATIONS`). 45 is known to every server and client
 * since MySQL 5.5.3 and MariaDB 5.5; 255 only to MySQL 8.0 and later.
 */
export const CharacterSet = {
  UTF8MB3_GENERAL_CI: 33,
  UTF8MB4_GENERAL_CI: 45,
  BINARY: 63,
  UTF8MB4_0900_AI_CI: 255,
} as const;
