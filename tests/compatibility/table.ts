import type { Cell, ClientGroup, ClientRow } from "./cell.ts";

/** Tests of a file below `tests/integration/`, by their names. */
function shown(file: string, ...names: string[]): Cell {
  return {
    tests: names.map((name) => ({ file: `integration/${file}`, name })),
  };
}

const never = (reason: string): Cell => ({ never: reason });
const untested = (reason: string): Cell => ({ untested: reason });

const READS_ONCE = never(
  "Semi-synchronous replication is for replicas: a client that only reads the log acknowledges nothing.",
);
const NO_PLUGIN_56 = untested(
  "The MySQL 5.6 that is used here comes without the semi-sync plugin.",
);
const NO_SERVER = untested(
  "No such server can be had for the tests. What it sends up to its dump, and the dump itself, are replayed word for word; TLS and compression lie below that, and the same code serves MySQL 9.7's replicas.",
);
const ONLY_STATEMENTS = untested(
  "The client itself is not run, only what it sends: TLS and compression lie below that.",
);
const NO_GTID_IN_MYSQL_LOG = never(
  "MariaDB has other GTIDs than MySQL: it replicates from MySQL by file and position, whatever it asks for.",
);
const SECURED_MARIADB_SID = shown(
  "replica/mariadb_of_mysql_test.ts",
  "a semi-synchronous MariaDB 11.8 replica follows a MySQL 5.6 log of kingbus over TLS, compressed",
);
const NO_DUMP = never("It asks for no dump.");
const NO_COMPRESSION = never("The client has no such option.");

/** What a client says and hears, replayed: see `tests/support/client_scripts.ts`. */
function replayed(
  client: string,
  version: string,
  scripts: string,
  semiSync: Cell,
  rest: Cell,
): ClientRow {
  const by = (mode: string): Cell =>
    shown(
      "cdc/scripts97_test.ts",
      `${scripts} by ${mode} is answered by kingbus as by the source, of MySQL 9.7`,
    );
  return {
    client,
    version: `${version}, replayed`,
    cells: {
      "GTID": by("GTID"),
      "position": by("position"),
      "TLS": rest,
      "semi-sync": semiSync,
      "compression": rest,
    },
  };
}

const MYSQL_REPLICAS: ClientGroup = {
  title: "Replicas of a MySQL log",
  rows: [
    {
      client: "MySQL replica",
      version: "9.7",
      cells: {
        "GTID": shown(
          "replica/mysql97_test.ts",
          "a 9.7 replica of kingbus gets tagged GTIDs",
          "a 9.7 replica of kingbus gets compressed transactions",
          "a 9.7 replica of kingbus gets JSON in parts",
          "a 9.7 replica of kingbus gets XA transactions",
          "a 9.7 replica of kingbus follows a 5.6 source, and stays while it is idle",
        ),
        "position": shown(
          "replica/mysql97_test.ts",
          "a 9.7 replica of kingbus replicates by file and position",
        ),
        "TLS": shown(
          "tls/mysql97_test.ts",
          "a MySQL 9.7 replica of kingbus with no TLS settings at all has all transactions",
          "a MySQL 9.7 replica of kingbus with SOURCE_SSL = 1 has all transactions",
          "a MySQL 9.7 replica of kingbus with SOURCE_SSL_VERIFY_SERVER_CERT = 1 and SOURCE_SSL_CA has all transactions",
          "a MySQL 9.7 replica of kingbus with SOURCE_TLS_VERSION TLSv1.2 has all transactions",
          "a MySQL 9.7 replica dumps by position over TLS",
          "a MySQL 9.7 replica shows its certificate where kingbus requires one",
          "a semi-synchronous MySQL 9.7 replica acknowledges over TLS",
        ),
        "semi-sync": shown(
          "semi_sync/replica_test.ts",
          "a semi-synchronous MySQL 9.7 replica acknowledges to kingbus what is new",
        ),
        "compression": shown(
          "compression/mysql97_replica_test.ts",
          "a MySQL 9.7 replica of kingbus with SOURCE_COMPRESSION_ALGORITHMS zlib has all transactions",
          "a MySQL 9.7 replica of kingbus with SOURCE_COMPRESSION_ALGORITHMS zstd 3 has all transactions",
          "a semi-synchronous MySQL 9.7 replica acknowledges through compression",
        ),
      },
    },
    replayed(
      "MySQL replica",
      "8.0.26 to 8.4",
      "MySQL 8.0.26 to 8.4",
      NO_SERVER,
      NO_SERVER,
    ),
    replayed(
      "MySQL replica",
      "8.0.0 to 8.0.25",
      "MySQL 8.0.0 to 8.0.25",
      NO_SERVER,
      NO_SERVER,
    ),
    replayed("MySQL replica", "5.7", "MySQL 5.7", NO_SERVER, NO_SERVER),
    {
      client: "MySQL replica",
      version: "5.6",
      cells: {
        "GTID": shown(
          "replica/mysql56_test.ts",
          "a 5.6 replica of kingbus gets DDL",
          "a 5.6 replica of kingbus gets XA transactions",
          "a 5.6 replica goes on after it was restarted, and after a crash",
        ),
        "position": shown(
          "replica/mysql56_test.ts",
          "a 5.6 replica of kingbus replicates by file and position",
        ),
        "TLS": never(
          "MySQL 5.6 speaks TLS 1.0 only, which kingbus refuses with a clear error (`tests/integration/tls/mariadb_test.ts`).",
        ),
        "semi-sync": NO_PLUGIN_56,
        "compression": shown(
          "compression/older_replica_test.ts",
          "a MySQL 5.6 replica of kingbus with slave_compressed_protocol has all transactions",
        ),
      },
    },
    ...["10.11", "11.8"].map((version): ClientRow => ({
      client: "MariaDB replica",
      version,
      cells: {
        "GTID": NO_GTID_IN_MYSQL_LOG,
        "position": shown(
          "replica/mariadb_of_mysql_test.ts",
          `a MariaDB ${version} replica follows a MySQL 9.7 source through kingbus by file and position`,
          `a MariaDB ${version} replica that asks by GTID falls back to positions at a MySQL log of kingbus as at the source`,
        ),
        "TLS": version === "10.11"
          ? shown(
            "tls/mariadb_test.ts",
            "a MariaDB replica of kingbus has all transactions over TLS, and verifies the certificate",
          )
          : SECURED_MARIADB_SID,
        "semi-sync": version === "10.11"
          ? shown(
            "semi_sync/replica_test.ts",
            "a semi-synchronous MariaDB replica follows kingbus by file and position",
          )
          : SECURED_MARIADB_SID,
        "compression": version === "10.11"
          ? shown(
            "compression/older_replica_test.ts",
            "a MariaDB replica of kingbus with slave_compressed_protocol has all rows, and acknowledges",
          )
          : SECURED_MARIADB_SID,
      },
    })),
  ],
};

const MARIADB_REPLICAS: ClientGroup = {
  title: "Replicas of a MariaDB log",
  rows: [
    ...[
      { version: "10.11", of: "a 10.11" },
      { version: "11.8", of: "an 11.8" },
    ].map(({ version, of }): ClientRow => ({
      client: "MariaDB replica",
      version,
      cells: {
        "GTID": shown(
          "replica/mariadb_gtid_test.ts",
          `a MariaDB ${version} replica of ${of} source follows kingbus by GTID, through restarts and broken connections`,
          `a MariaDB ${version} replica in strict mode follows kingbus by GTID`,
          `a MariaDB ${version} replica gets all kinds of MariaDB's transactions by GTID`,
        ),
        "position": shown(
          "replica/mariadb_gtid_test.ts",
          `a MariaDB ${version} replica of ${of} source follows kingbus by file and position`,
        ),
        "TLS": shown(
          "mariadb/secured_test.ts",
          `a MariaDB ${version} replica follows kingbus by GTID over TLS, compressed, as kingbus follows its source`,
        ),
        "semi-sync": shown(
          "replica/mariadb_gtid_test.ts",
          `a semi-synchronous MariaDB ${version} replica acknowledges to kingbus by GTID`,
        ),
        "compression": shown(
          "mariadb/secured_test.ts",
          `a MariaDB ${version} replica follows kingbus by GTID over TLS, compressed, as kingbus follows its source`,
        ),
      },
    })),
    {
      client: "MySQL replica",
      version: "9.7",
      cells: {
        "GTID": shown(
          "replica/mysql_of_mariadb_test.ts",
          "a MySQL 9.7 replica with GTIDs refuses a MariaDB log of kingbus as it refuses the source",
        ),
        "position": shown(
          "replica/mysql_of_mariadb_test.ts",
          "a MySQL 9.7 replica without GTIDs stops at the same event of a MariaDB log of kingbus as of the source's, by file and position",
        ),
        "TLS": never("MySQL refuses MariaDB's log."),
        "semi-sync": never("MySQL refuses MariaDB's log."),
        "compression": never("MySQL refuses MariaDB's log."),
      },
    },
  ],
};

const SOURCES: ClientGroup = {
  title: "Sources",
  rows: [
    {
      client: "MySQL source",
      version: "9.7",
      cells: {
        "GTID": shown(
          "switch/switch97_test.ts",
          "9.7: kingbus follows the promoted replica of a source that crashed",
        ),
        "position": shown(
          "replica/mysql97_test.ts",
          "a 9.7 replica of kingbus gets DDL",
        ),
        "TLS": shown(
          "syncer/tls97_test.ts",
          "a MySQL 9.7 source with require_secure_transport is followed in every mode that has TLS",
          "kingbus says what is wrong about TLS with a MySQL 9.7 source, and what to do",
          "an account with REQUIRE X509 is followed with a certificate only",
        ),
        "semi-sync": shown(
          "semi_sync/source_test.ts",
          "a semi-synchronous source's COMMIT returns once kingbus has it durably",
        ),
        "compression": shown(
          "compression/source_test.ts",
          "kingbus follows MySQL 9.7 with source.compression zlib, byte for byte",
          "kingbus follows MySQL 9.7 with source.compression zstd, byte for byte",
        ),
      },
    },
    {
      client: "MySQL source",
      version: "5.6",
      cells: {
        "GTID": shown(
          "switch/switch56_test.ts",
          "5.6: kingbus follows the promoted replica of a source that crashed",
        ),
        "position": shown(
          "replica/mysql56_test.ts",
          "a 5.6 replica of kingbus gets DDL",
        ),
        "TLS": never("MySQL 5.6 speaks TLS 1.0 only."),
        "semi-sync": NO_PLUGIN_56,
        "compression": shown(
          "compression/source_test.ts",
          "kingbus follows MySQL 5.6 with source.compression zlib, byte for byte",
        ),
      },
    },
    ...[
      { version: "10.11", title: "MariaDB 10.11" },
      { version: "11.8", title: "MariaDB 11" },
    ].map(({ version, title }): ClientRow => ({
      client: "MariaDB source",
      version,
      cells: {
        "GTID": version === "10.11"
          ? shown(
            "mariadb/switch_test.ts",
            "Syncer goes on by GTID with the promoted replica of a MariaDB source",
            `Syncer begins at a GTID position of ${title}`,
          )
          : shown(
            "mariadb/source_test.ts",
            `Syncer begins at a GTID position of ${title}`,
          ),
        "position": shown(
          "mariadb/source_test.ts",
          `Syncer goes on with a ${title} source where it stopped, inside a file and behind its end`,
          `Syncer follows on after a ${title} source was shut down and started, and after a crash`,
        ),
        "TLS": version === "11.8"
          ? shown(
            "mariadb/secured_test.ts",
            "a MariaDB 11.8 replica follows kingbus by GTID over TLS, compressed, as kingbus follows its source",
          )
          : shown(
            "mariadb/secured_test.ts",
            "kingbus follows a MariaDB 10.11 source over TLS in every mode, and an account of it that asks for a certificate",
          ),
        "semi-sync": shown(
          "mariadb/source_test.ts",
          `Syncer acknowledges a semi-synchronous ${title} source`,
        ),
        "compression": shown(
          "mariadb/secured_test.ts",
          `a MariaDB ${version} replica follows kingbus by GTID over TLS, compressed, as kingbus follows its source`,
        ),
      },
    })),
  ],
};

const TOOLS: ClientGroup = {
  title: "Binlog tools",
  rows: [
    {
      client: "mysqlbinlog",
      version: "9.7",
      cells: {
        "GTID": shown(
          "proof/mysqlbinlog_test.ts",
          "mysqlbinlog prints the same from kingbus as from the source, packet by packet",
          "mysqlbinlog --raw writes the same from kingbus as from the source, packet by packet",
        ),
        "position": shown(
          "proof/mysqlbinlog_test.ts",
          "mysqlbinlog prints the same from kingbus as from the source, packet by packet",
          "mysqlbinlog --raw --stop-never is sent the same by kingbus as by the source, packet by packet",
        ),
        "TLS": shown(
          "tls/mysql97_test.ts",
          "mysqlbinlog with --ssl-mode=VERIFY_IDENTITY reads what it reads from the source",
        ),
        "semi-sync": READS_ONCE,
        "compression": shown(
          "compression/client_test.ts",
          "mysqlbinlog --compression-algorithms=zlib --raw copies files of kingbus byte for byte",
          "mysqlbinlog --compression-algorithms=zstd --raw copies files of kingbus byte for byte",
        ),
      },
    },
    replayed(
      "mysqlbinlog",
      "5.6 and 5.7",
      "mysqlbinlog 5.6 and 5.7",
      READS_ONCE,
      ONLY_STATEMENTS,
    ),
    ...["10.11", "11.8"].map((version): ClientRow => ({
      client: "mariadb-binlog",
      version,
      cells: {
        "GTID": shown(
          "tools/mariadb_binlog_gtid_test.ts",
          `mariadb-binlog ${version} reads a MariaDB log of kingbus as that of the source`,
        ),
        "position": shown(
          "tools/mariadb_binlog_gtid_test.ts",
          `mariadb-binlog ${version} --raw copies files of a MariaDB log of kingbus as those of the source`,
          `mariadb-binlog ${version} reads a MySQL 5.6 log of kingbus as that of the source`,
        ),
        "TLS": version === "10.11"
          ? shown(
            "tls/mariadb_test.ts",
            "MariaDB's client and mariadb-binlog come over TLS",
          )
          : shown(
            "mariadb/tls_test.ts",
            "a MariaDB 11.8 replica and mariadb-binlog trust kingbus over TLS without being told anything",
          ),
        "semi-sync": READS_ONCE,
        "compression": NO_COMPRESSION,
      },
    })),
  ],
};

const TOLD =
  "is told of every row as by the source itself, packet by packet the same, of";

const CDC: ClientGroup = {
  title: "Change-data-capture clients",
  rows: [
    {
      client: "@vlasky/zongji",
      version: "0.9",
      cells: {
        "GTID": shown(
          "cdc/zongji97_test.ts",
          "@vlasky/zongji goes on by GTID set with kingbus as with the source, of MySQL 9.7",
          "@vlasky/zongji goes on by GTID position with kingbus as with the source, of MariaDB",
        ),
        "position": shown(
          "cdc/zongji97_test.ts",
          `@vlasky/zongji ${TOLD} MySQL 9.7`,
          `@vlasky/zongji ${TOLD} MySQL 5.6`,
          `@vlasky/zongji ${TOLD} MariaDB`,
        ),
        "TLS": shown(
          "cdc/secured_test.ts",
          "@vlasky/zongji with TLS is told of every row as by the source itself",
        ),
        "semi-sync": READS_ONCE,
        "compression": shown(
          "cdc/secured_test.ts",
          "@vlasky/zongji with compression is told of every row as by the source itself",
        ),
      },
    },
    {
      client: "@powersync/mysql-zongji",
      version: "0.1",
      cells: {
        "GTID": never("The client has no dump by GTID."),
        "position": shown(
          "cdc/zongji97_test.ts",
          `@powersync/mysql-zongji ${TOLD} MySQL 9.7`,
          `@powersync/mysql-zongji ${TOLD} MySQL 5.6`,
          `@powersync/mysql-zongji ${TOLD} MariaDB`,
        ),
        "TLS": shown(
          "cdc/secured_test.ts",
          "@powersync/mysql-zongji with TLS is told of every row as by the source itself",
        ),
        "semi-sync": READS_ONCE,
        "compression": NO_COMPRESSION,
      },
    },
    replayed(
      "go-mysql",
      "2026",
      "go-mysql",
      untested(
        "The statements of its semi-synchronous mode are replayed with MySQL's; acknowledgements are tested with other clients.",
      ),
      ONLY_STATEMENTS,
    ),
    replayed(
      "mysql-binlog-connector-java (Debezium)",
      "2026",
      "mysql-binlog-connector-java (Debezium)",
      READS_ONCE,
      ONLY_STATEMENTS,
    ),
    replayed("canal", "2026", "canal", READS_ONCE, ONLY_STATEMENTS),
    replayed(
      "python-mysql-replication",
      "2026",
      "python-mysql-replication",
      READS_ONCE,
      ONLY_STATEMENTS,
    ),
  ],
};

const QUERIES: ClientGroup = {
  title: "Clients that ask by SQL",
  rows: [
    {
      client: "mysql2",
      version: "3.24",
      cells: {
        "GTID": NO_DUMP,
        "position": shown(
          "cdc/mysql2_97_test.ts",
          "mysql2 asks kingbus for a binlog stream, and fails at it as at the source's, of MySQL 9.7",
        ),
        "TLS": shown(
          "cdc/secured_test.ts",
          "mysql2 asks kingbus with TLS, without compression",
        ),
        "semi-sync": NO_DUMP,
        "compression": shown(
          "cdc/secured_test.ts",
          "mysql2 asks kingbus without TLS, with compression",
        ),
      },
    },
    {
      client: "mysql",
      version: "9.7",
      cells: {
        "GTID": NO_DUMP,
        "position": NO_DUMP,
        "TLS": shown(
          "tls/mysql97_test.ts",
          "the mysql client of MySQL 9.7 comes over TLS, of itself and where it must",
        ),
        "semi-sync": NO_DUMP,
        "compression": shown(
          "compression/client_test.ts",
          "the mysql client asks kingbus over compressed connections what it asks without",
        ),
      },
    },
    {
      client: "mariadb",
      version: "10.11",
      cells: {
        "GTID": NO_DUMP,
        "position": NO_DUMP,
        "TLS": shown(
          "tls/mariadb_test.ts",
          "MariaDB's client and mariadb-binlog come over TLS",
        ),
        "semi-sync": NO_DUMP,
        "compression": shown(
          "compression/client_test.ts",
          "the mariadb client with --compress asks kingbus what it asks without",
        ),
      },
    },
  ],
};

/** Every client that was attached to kingbus, and the tests that show how. */
export const COMPATIBILITY: readonly ClientGroup[] = [
  MYSQL_REPLICAS,
  MARIADB_REPLICAS,
  SOURCES,
  TOOLS,
  CDC,
  QUERIES,
];
