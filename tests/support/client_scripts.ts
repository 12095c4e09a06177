import { GtidSet } from "../../lib/gtid/gtid_set.ts";
import { Capability } from "../../lib/protocol/capability.ts";
import {
  DumpFlag,
  encodeBinlogDump,
  encodeBinlogDumpGtid,
  encodeRegisterReplica,
} from "../../lib/protocol/command.ts";
import { replicaStatements } from "../../scripts/test_servers/replica_statements.ts";

/** What a script is written for. */
export interface ScriptFacts {
  /** GTIDs that the client says it has, as text; by position if not given. */
  readonly executed?: string | undefined;
  readonly fileName: string;
  readonly position: number;
}

/** How one kind of client sets a dump up, from its login to its dump command. */
export interface ClientScript {
  /** The client and its versions, as in the compatibility table. */
  readonly client: string;
  readonly mode: "GTID" | "position";
  /** Those of its capabilities that change what a server answers. */
  readonly capabilities: number;
  /** Connection attributes that tell it from others. */
  readonly attributes?: Readonly<Record<string, string>>;
  /** Statements on connections beside that of the dump, each its own. */
  readonly beside?: readonly (readonly string[])[];
  /** Statements, and other commands with one packet for an answer. */
  readonly steps:
    readonly (string | Uint8Array | ((facts: ScriptFacts) => string))[];
  /** The dump command. */
  dump(facts: ScriptFacts): Uint8Array;
  /** Whether the server ends the dump where the log ends. */
  readonly ends: boolean;
}

const UUID = "7f3ae2c1-0b5d-4a6e-9a57-0123456789ab";
const MODERN = Capability.DEPRECATE_EOF | Capability.SESSION_TRACK;
const NEWEST = MODERN | Capability.QUERY_ATTRIBUTES;

/** What a replica is called by in its connection attributes. */
const REPLICA_ATTRIBUTES = {
  program_name: "mysqld",
  _client_role: "binary_log_listener",
  _client_replication_channel_name: "",
};

function register(serverId: number, hostName = "", user = ""): Uint8Array {
  return encodeRegisterReplica({
    serverId,
    hostName,
    user,
    port: 3306,
    rank: 0,
    sourceId: 0,
  });
}

/** A dump command by GTID. */
function byGtid(
  { executed = "" }: ScriptFacts,
  serverId: number,
  flags = 0,
  fileName = "",
  position = 4,
): Uint8Array {
  return encodeBinlogDumpGtid({
    flags,
    serverId,
    fileName,
    position: BigInt(position),
    gtidSetBytes: GtidSet.parse(executed).encode(),
  });
}

/** A dump command by file and position. */
function byPosition(
  { fileName, position }: ScriptFacts,
  serverId: number,
  flags = 0,
): Uint8Array {
  return encodeBinlogDump({ flags, serverId, fileName, position });
}

const MYSQL56 = [
  "SELECT UNIX_TIMESTAMP()",
  "SHOW VARIABLES LIKE 'SERVER_ID'",
  "SET @master_heartbeat_period= 1799999979520",
  "SET @master_binlog_checksum= @@global.binlog_checksum",
  "SELECT @master_binlog_checksum",
  "SELECT @@GLOBAL.GTID_MODE",
  "SHOW VARIABLES LIKE 'SERVER_UUID'",
  `SET @slave_uuid= '${UUID}'`,
  register(7001),
  "SHOW VARIABLES LIKE 'rpl_semi_sync_master_enabled'",
];

const MYSQL57 = [
  "SELECT UNIX_TIMESTAMP()",
  "SELECT @@GLOBAL.SERVER_ID",
  "SET @master_heartbeat_period= 30000001024",
  "SET @master_binlog_checksum= @@global.binlog_checksum",
  "SELECT @master_binlog_checksum",
  "SELECT @@GLOBAL.GTID_MODE",
  "SELECT @@GLOBAL.SERVER_UUID",
  `SET @slave_uuid= '${UUID}'`,
  register(7002),
  "SHOW VARIABLES LIKE 'rpl_semi_sync_master_enabled'",
];

const MYSQL8 = [
  ...replicaStatements(UUID),
  register(7004),
  "SELECT @@global.rpl_semi_sync_source_enabled",
];

/** The replicas of one version, each by GTID and by position. */
function replica(
  client: string,
  capabilities: number,
  steps: readonly (string | Uint8Array)[],
  flags: number,
  serverId: number,
): ClientScript[] {
  const common = {
    client,
    capabilities,
    attributes: REPLICA_ATTRIBUTES,
    steps,
    ends: false,
  };
  return [
    {
      ...common,
      mode: "GTID",
      dump: (facts) => byGtid(facts, serverId, flags),
    },
    {
      ...common,
      mode: "position",
      dump: (facts) => byPosition(facts, serverId, flags),
    },
  ];
}

const GO_MYSQL = [
  "SET NAMES utf8",
  "KILL 4000000000",
  "SHOW GLOBAL VARIABLES LIKE 'BINLOG_CHECKSUM'",
  "SET @master_binlog_checksum='NONE', @source_binlog_checksum='NONE'",
  "SET @master_heartbeat_period = 60000000000, @source_heartbeat_period = 60000000000",
  `SET @slave_uuid = '${UUID}', @replica_uuid = '${UUID}'`,
  register(7010, "app-host", "repl"),
  "SHOW VARIABLES WHERE Variable_name IN ('rpl_semi_sync_master_enabled', 'rpl_semi_sync_source_enabled')",
];

const CONNECTOR_JAVA = [
  "show global variables like 'binlog_checksum'",
  "set @master_binlog_checksum= @@global.binlog_checksum",
  "select @@server_id",
  "set @master_heartbeat_period=10000000000",
  "set net_write_timeout=60",
  "set net_read_timeout=60",
];

const CANAL = [
  "set wait_timeout=9999999",
  "set net_write_timeout=7200",
  "set net_read_timeout=7200",
  "set names 'binary'",
  "set @master_binlog_checksum= @@global.binlog_checksum",
  "set @slave_uuid=uuid()",
  "SET @mariadb_slave_capability='4'",
  "SET @master_heartbeat_period=15000000000",
  "select @@global.binlog_checksum",
  "select @@version_comment",
];

/** What canal asks on its connections for metadata. */
const CANAL_BESIDE = [[
  "SHOW STATUS LIKE 'Ssl_version'",
  "show variables like 'server_id'",
  "show variables like 'binlog_format'",
  "show variables like 'binlog_row_image'",
  "show global variables  like 'rds\\_%'",
  "show master status",
  "show binary log status",
  "show binlog events limit 1",
], ["KILL CONNECTION 4000000000"]];

const PYTHON = [
  "SET AUTOCOMMIT = 0",
  "SHOW GLOBAL VARIABLES LIKE 'BINLOG_CHECKSUM'",
  "SET @master_binlog_checksum= @@global.binlog_checksum",
  `SET @slave_uuid = '${UUID}', @replica_uuid = '${UUID}'`,
  "SET @master_heartbeat_period = 5000000000",
  "SET @mariadb_slave_capability=4",
];

const PYTHON_BESIDE = [[
  "SET AUTOCOMMIT = 1",
  "SELECT VERSION();",
  "SHOW VARIABLES LIKE 'BINLOG_ROW_METADATA';",
]];

/**
 * Every known way of asking a MySQL source for its log, word for word as the
 * clients' sources and captures of real servers have it.
 */
export const CLIENT_SCRIPTS: readonly ClientScript[] = [
  ...replica("MySQL 5.6", 0, MYSQL56, 0, 7001),
  ...replica("MySQL 5.7", MODERN, MYSQL57, 0, 7002),
  ...replica("MySQL 8.0.0 to 8.0.25", MODERN, MYSQL57, 0, 7003),
  ...replica(
    "MySQL 8.0.26 to 8.4",
    NEWEST,
    [...MYSQL8, "SELECT @@global.rpl_semi_sync_master_enabled"],
    DumpFlag.HEARTBEAT_V2,
    7004,
  ),
  ...replica("MySQL 9", NEWEST, MYSQL8, DumpFlag.HEARTBEAT_V2, 7005),
  {
    client: "MySQL 5.6, after a lost connection",
    mode: "GTID",
    capabilities: 0,
    steps: ["SET NAMES latin1", ...MYSQL56],
    dump: (facts) => byGtid(facts, 7001, 0, "\0".repeat(13)),
    ends: false,
  },
  {
    client: "MySQL 9, after a lost connection",
    mode: "GTID",
    capabilities: NEWEST,
    attributes: REPLICA_ATTRIBUTES,
    steps: ["SET NAMES utf8mb4", ...MYSQL8],
    dump: (facts) => byGtid(facts, 7005, DumpFlag.HEARTBEAT_V2),
    ends: false,
  },
  {
    client: "mysqlbinlog 5.6 and 5.7",
    mode: "position",
    capabilities: 0,
    steps: ["SELECT VERSION()", "SET @master_binlog_checksum='NONE'"],
    dump: (facts) => byPosition(facts, 0),
    ends: true,
  },
  {
    client: "mysqlbinlog 5.6 and 5.7",
    mode: "GTID",
    capabilities: 0,
    steps: ["SELECT VERSION()", "SET @master_binlog_checksum='NONE'"],
    dump: (facts) =>
      byGtid(facts, 0, DumpFlag.NON_BLOCK, facts.fileName, facts.position),
    ends: true,
  },
  {
    client: "go-mysql",
    mode: "GTID",
    capabilities: 0,
    steps: GO_MYSQL,
    dump: (facts) => byGtid(facts, 7010),
    ends: false,
  },
  {
    client: "go-mysql",
    mode: "position",
    capabilities: 0,
    steps: GO_MYSQL,
    dump: (facts) => byPosition(facts, 7010),
    ends: false,
  },
  {
    client: "mysql-binlog-connector-java (Debezium)",
    mode: "GTID",
    capabilities: 0,
    steps: ["show global variables like 'gtid_purged'", ...CONNECTOR_JAVA],
    dump: (facts) => byGtid(facts, 65535),
    ends: false,
  },
  {
    client: "mysql-binlog-connector-java (Debezium), with file and position",
    mode: "GTID",
    capabilities: 0,
    steps: CONNECTOR_JAVA,
    dump: (facts) => byGtid(facts, 0, 0, facts.fileName, facts.position),
    ends: true,
  },
  {
    client: "mysql-binlog-connector-java (Debezium)",
    mode: "position",
    capabilities: 0,
    steps: ["show master status", ...CONNECTOR_JAVA],
    dump: (facts) => byPosition(facts, 65535),
    ends: false,
  },
  {
    client: "mysql-binlog-connector-java (Debezium), not blocking",
    mode: "position",
    capabilities: 0,
    steps: ["show binary log status", ...CONNECTOR_JAVA],
    dump: (facts) => byPosition(facts, 0),
    ends: true,
  },
  {
    client: "canal",
    mode: "GTID",
    capabilities: 0,
    beside: CANAL_BESIDE,
    steps: CANAL,
    dump: (facts) => byGtid(facts, 7020, DumpFlag.THROUGH_GTID),
    ends: false,
  },
  {
    client: "canal",
    mode: "position",
    capabilities: 0,
    beside: CANAL_BESIDE,
    steps: [...CANAL, register(7020, "10.0.0.1", "canal")],
    dump: (facts) => byPosition(facts, 7020),
    ends: false,
  },
  {
    client: "python-mysql-replication",
    mode: "GTID",
    capabilities: 0,
    beside: PYTHON_BESIDE,
    steps: PYTHON,
    dump: (facts) =>
      byGtid(
        facts,
        7030,
        DumpFlag.NON_BLOCK | DumpFlag.THROUGH_GTID,
        "\0".repeat(3),
      ),
    ends: true,
  },
  {
    client: "python-mysql-replication",
    mode: "position",
    capabilities: 0,
    beside: PYTHON_BESIDE,
    steps: [...PYTHON, register(7030, "worker", "")],
    dump: (facts) => byPosition(facts, 7030, DumpFlag.NON_BLOCK),
    ends: true,
  },
];

/** What a MariaDB replica says before it says where it is. */
const MARIADB = [
  "SELECT UNIX_TIMESTAMP()",
  "SHOW VARIABLES LIKE 'SERVER_ID'",
  "SET @master_heartbeat_period= 30000001024",
  "SET @master_binlog_checksum= @@global.binlog_checksum",
  "SELECT @master_binlog_checksum",
  "SET @mariadb_slave_capability=4",
];

/** The GTID position that a client has, as it says it. */
const connectState =
  (prefix: string) => ({ executed = "" }: ScriptFacts): string =>
    `SET @slave_connect_state${prefix}'${executed}'`;

/** As {@linkcode CLIENT_SCRIPTS}, of clients that know their source is MariaDB. */
export const MARIADB_CLIENT_SCRIPTS: readonly ClientScript[] = [
  {
    client: "MariaDB 10.9 to 11",
    mode: "GTID",
    capabilities: 0,
    steps: [
      ...MARIADB,
      "SELECT @@GLOBAL.gtid_domain_id",
      connectState("="),
      "SET @slave_gtid_strict_mode=0",
      "SET @slave_gtid_ignore_duplicates=0",
      register(8002),
    ],
    dump: () => fromState(8002, DumpFlag.MARIADB_ANNOTATE_ROWS),
    ends: false,
  },
  {
    client: "MariaDB 10.9 to 11, after a lost connection",
    mode: "GTID",
    capabilities: 0,
    steps: [
      "SET NAMES latin1",
      ...MARIADB,
      "SELECT @@GLOBAL.gtid_domain_id",
      connectState("="),
      "SET @slave_gtid_strict_mode=1",
      "SET @slave_gtid_ignore_duplicates=0",
      register(8002),
    ],
    // the state wins
    dump: (facts) =>
      byPosition(
        { ...facts, position: 4 },
        8002,
        DumpFlag.MARIADB_ANNOTATE_ROWS,
      ),
    ends: false,
  },
  {
    client: "MariaDB 10.9 to 11",
    mode: "position",
    capabilities: 0,
    steps: [
      ...MARIADB,
      ({ fileName, position }) =>
        `SELECT binlog_gtid_pos('${fileName}',${position})`,
      register(8002),
    ],
    dump: (facts) => byPosition(facts, 8002, DumpFlag.MARIADB_ANNOTATE_ROWS),
    ends: false,
  },
  {
    client: "go-mysql",
    mode: "GTID",
    capabilities: 0,
    steps: [
      "SHOW GLOBAL VARIABLES LIKE 'BINLOG_CHECKSUM'",
      "SET @master_binlog_checksum='NONE', @source_binlog_checksum='NONE'",
      "SET @mariadb_slave_capability=4",
      `SET @slave_uuid = '${UUID}', @replica_uuid = '${UUID}'`,
      register(7010, "app-host", "repl"),
      connectState("="),
      "SET @slave_gtid_strict_mode=1",
    ],
    dump: () => fromState(7010, 0),
    ends: false,
  },
  {
    client: "mysql-binlog-connector-java (Debezium)",
    mode: "GTID",
    capabilities: 0,
    steps: [
      ...CONNECTOR_JAVA,
      "SET @mariadb_slave_capability=4",
      connectState(" = "),
      "SET @slave_gtid_strict_mode = 0",
      "SET @slave_gtid_ignore_duplicates = 0",
    ],
    dump: () => fromState(65535, DumpFlag.MARIADB_ANNOTATE_ROWS),
    ends: false,
  },
  {
    client: "canal",
    mode: "GTID",
    capabilities: 0,
    beside: [...CANAL_BESIDE, ["SELECT @@global.gtid_binlog_pos"]],
    steps: [
      ...CANAL,
      connectState(" = "),
      "SET @slave_gtid_strict_mode = 0",
      "SET @slave_gtid_ignore_duplicates = 0",
      register(7020, "10.0.0.1", "canal"),
    ],
    dump: () => fromState(7020, 0),
    ends: false,
  },
  {
    client: "python-mysql-replication",
    mode: "GTID",
    capabilities: 0,
    beside: PYTHON_BESIDE,
    steps: [
      ...PYTHON,
      connectState(" = "),
      "SET @slave_gtid_strict_mode=1",
      "SET @slave_gtid_ignore_duplicates=0",
    ],
    dump: () =>
      encodeBinlogDump({
        flags: DumpFlag.NON_BLOCK,
        serverId: 7030,
        fileName: "\0".repeat(4),
        position: 4,
      }),
    ends: true,
  },
  // clients that do not know it get what they can understand
  ...CLIENT_SCRIPTS.filter(({ client, mode }) =>
    mode === "position" &&
    ["MySQL 5.6", "mysqlbinlog 5.6 and 5.7", "canal"].includes(client)
  ),
];

/** A dump from the GTID position that was set before. */
function fromState(serverId: number, flags: number): Uint8Array {
  return encodeBinlogDump({ flags, serverId, fileName: "", position: 0 });
}
