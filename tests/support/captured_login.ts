import { byteTable } from "./byte_table.ts";

/**
 * Handshake responses of real replicas and tools, captured from a greeting with
 * {@linkcode SCRAMBLE}, for the user `both` with the password `pw`.
 */
export const SCRAMBLE: Uint8Array = byteTable(
  "0102030405060708090a0b0c0d0e0f1011121314",
);

/** A MySQL 9.7.4 replica's IO thread, SOURCE_SSL=0. */
export const MYSQL97_REPLICA: Uint8Array = byteTable(`
  85a2b899                                      // capabilities
  67100040                                      // largest packet
  ff                                            // utf8mb4_0900_ai_ci
  0000000000000000000000000000000000000000000000
  "both" 00
  20 71192ff0ec98fcb2cbaf7de6f3958c02e20756c534e7f907f65ae0c1125dac26
  "caching_sha2_password" 00
  ac                                            // attributes, 172 bytes
  09 "_platform" 06 "x86_64"
  03 "_os" 05 "Linux"
  0c "_client_name" 08 "libmysql"
  20 "_client_replication_channel_name" 03 "kbb"
  04 "_pid" 05 "18762"
  0c "_client_role" 13 "binary_log_listener"
  0f "_client_version" 05 "9.7.4"
  0c "program_name" 06 "mysqld"
`);

/** A MySQL 5.6.24 replica's IO thread: nothing to prove itself with yet. */
export const MYSQL56_REPLICA: Uint8Array = byteTable(`
  05a23880 800f0040 08
  0000000000000000000000000000000000000000000000
  "both" 00
  00
  "mysql_native_password" 00
  5c
  03 "_os" 0e "linux-glibc2.5"
  0c "_client_name" 08 "libmysql"
  04 "_pid" 05 "18845"
  0f "_client_version" 06 "5.6.24"
  09 "_platform" 06 "x86_64"
`);

/** A MariaDB 10.11.19 replica's IO thread: nothing to prove itself with yet. */
export const MARIADB_REPLICA: Uint8Array = byteTable(`
  05a23880 7b030040 08
  0000000000000000000000000000000000000000000000
  "both" 00
  00
  "mysql_native_password" 00
  77
  03 "_os" 10 "debian-linux-gnu"
  0c "_client_name" 08 "libmysql"
  04 "_pid" 05 "18964"
  0f "_client_version" 08 "10.11.19"
  0c "_server_host" 09 "127.0.0.1"
  09 "_platform" 06 "x86_64"
`);

/** What both of these send after a switch to mysql_native_password. */
export const NATIVE_TOKEN: Uint8Array = byteTable(
  "b0df30c74af91ea34514aaab203bd4b707f86375",
);

/** mariadb-binlog 10.11. */
export const MARIADB_BINLOG: Uint8Array = byteTable(`
  85a2be00 00000010 2d
  0000000000000000000000000000000000000000000000
  "both" 00
  20 71192ff0ec98fcb2cbaf7de6f3958c02e20756c534e7f907f65ae0c1125dac26
  "caching_sha2_password" 00
  85
  03 "_os" 05 "Linux"
  0c "_client_name" 0a "libmariadb"
  04 "_pid" 05 "22122"
  0f "_client_version" 06 "3.3.20"
  09 "_platform" 06 "x86_64"
  0c "program_name" 0b "mysqlbinlog"
  0c "_server_host" 09 "127.0.0.1"
`);

/** Greetings of real servers and the tokens for `apppass` they accepted. */
export const GREETINGS = {
  mysql97: byteTable(`
    0a "9.7.4-2" 00 1e000000
    660264114e33430d 00                         // scramble, first 8 bytes
    ffff ff 0200 ffdf                           // capabilities, charset, status
    15 00000000000000000000
    1d4b3077130f3d7b011e5318 00                 // scramble, the rest
    "caching_sha2_password" 00
  `),
  mysql97Token: byteTable(
    "5a94384baf2a6b28bca6fe2b00d6e6c52e835e08185339fa1a9317e8759ba163",
  ),
  mysql56: byteTable(`
    0a "5.6.24-log" 00 08000000
    376e454b2b35652300
    ffff 08 0200 7fc0
    15 00000000000000000000
    764f66346e50266a66415152 00
    "mysql_native_password" 00
  `),
  mysql56Token: byteTable("6035430fc63565a02db4729abcb0c72d576e6754"),
  mariadb: byteTable(`
    0a "5.5.5-10.11.19-MariaDB-0+deb12u1-log" 00 0c000000
    7c3e5c3535494f3200
    feff 08 0200 ff81
    15 000000000000 1d000000                    // MariaDB's own capabilities
    4b622d574f642c4a70757924 00
    "mysql_native_password" 00
  `),
  mariadbToken: byteTable("009c69eff78ab5c6013325468867e76527750e53"),
};
