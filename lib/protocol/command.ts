import { ByteReader } from "./byte_reader.ts";
import { ByteWriter } from "./byte_writer.ts";
import { Capability, hasCapability } from "./capability.ts";
import { ErrorCode } from "./error_code.ts";
import { ProtocolError } from "./protocol_error.ts";
import { skipQueryAttributes } from "./query_attributes.ts";

/**
 * First byte of a command's payload (MySQL internals: Command Phase,
 * `enum_server_command`). Names are the server's without `COM_`.
 */
export const Command = {
  SLEEP: 0x00,
  QUIT: 0x01,
  INIT_DB: 0x02,
  QUERY: 0x03,
  FIELD_LIST: 0x04,
  CREATE_DB: 0x05,
  DROP_DB: 0x06,
  REFRESH: 0x07,
  SHUTDOWN: 0x08,
  STATISTICS: 0x09,
  PROCESS_INFO: 0x0a,
  CONNECT: 0x0b,
  PROCESS_KILL: 0x0c,
  DEBUG: 0x0d,
  PING: 0x0e,
  TIME: 0x0f,
  DELAYED_INSERT: 0x10,
  CHANGE_USER: 0x11,
  BINLOG_DUMP: 0x12,
  TABLE_DUMP: 0x13,
  CONNECT_OUT: 0x14,
  REGISTER_SLAVE: 0x15,
  STMT_PREPARE: 0x16,
  STMT_EXECUTE: 0x17,
  STMT_SEND_LONG_DATA: 0x18,
  STMT_CLOSE: 0x19,
  STMT_RESET: 0x1a,
  SET_OPTION: 0x1b,
  STMT_FETCH: 0x1c,
  DAEMON: 0x1d,
  BINLOG_DUMP_GTID: 0x1e,
  RESET_CONNECTION: 0x1f,
} as const;

/**
 * Flags of the two dump commands (`sql/rpl_constants.h`). Bit 1 means one thing from MySQL replicas and
 * another from MariaDB's, which say that they are by setting
 * `@mariadb_slave_capability`.
 */
export const DumpFlag = {
  /** End the dump with an EOF packet where the log ends. */
  NON_BLOCK: 0x0001,
  /** MySQL 8.0.26 and later: send HEARTBEAT_LOG_EVENT_V2. */
  HEARTBEAT_V2: 0x0002,
  /** MariaDB: send ANNOTATE_ROWS events. */
  MARIADB_ANNOTATE_ROWS: 0x0002,
  /** Set by some clients; a GTID set follows either way. */
  THROUGH_GTID: 0x0004,
} as const;

/** A file name longer than this is malformed (`FN_REFLEN` of the server). */
const FILE_NAME_BYTES_MAX = 512;
const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** COM_BINLOG_DUMP: a dump from a file and position. */
export interface BinlogDump {
  /** Offset in the file, unsigned 32 bits. */
  readonly position: number;
  /** Bits of `DumpFlag`. */
  readonly flags: number;
  /** Server id of the replica; 0 asks for a non-blocking dump too. */
  readonly serverId: number;
  /** Empty: the first file. */
  readonly fileName: string;
}

/** COM_BINLOG_DUMP_GTID: a dump of what a GTID set lacks. */
export interface BinlogDumpGtid {
  /** Bits of `DumpFlag`. */
  readonly flags: number;
  /** Server id of the replica; 0 asks for a non-blocking dump too. */
  readonly serverId: number;
  /** File to start from; empty: where the GTID set says. */
  readonly fileName: string;
  /** Offset in the file, unsigned 64 bits; 4 without a file name. */
  readonly position: bigint;
  /** The replica's GTID set in its wire form, for `GtidSet.decode`. */
  readonly gtidSetBytes: Uint8Array;
}

/** COM_REGISTER_SLAVE: what a replica says about itself. */
export interface RegisterReplica {
  /** Unsigned 32 bits. */
  readonly serverId: number;
  /** `report_host` of the replica, usually empty. */
  readonly hostName: string;
  /** `report_user` of the replica, usually empty. */
  readonly user: string;
  /** `report_port` of the replica, 0..65535. */
  readonly port: number;
  /** Unused by every server since 4.1, unsigned 32 bits. */
  readonly rank: number;
  /** Server id of the replica's source as the replica knows it, mostly 0. */
  readonly sourceId: number;
}

/** Encodes COM_BINLOG_DUMP (MySQL internals: COM_BINLOG_DUMP). */
export function encodeBinlogDump(dump: BinlogDump): Uint8Array {
  return new ByteWriter()
    .u8(Command.BINLOG_DUMP)
    .u32(dump.position)
    .u16(dump.flags)
    .u32(dump.serverId)
    .string(dump.fileName)
    .finish();
}

/**
 * Decodes COM_BINLOG_DUMP (MySQL internals: COM_BINLOG_DUMP). The file name
 * ends at its first NUL: some clients send one. Throws a `ProtocolError` (1835)
 * when too short.
 */
export function decodeBinlogDump(payload: Uint8Array): BinlogDump {
  const reader = commandReader(payload, Command.BINLOG_DUMP);
  return {
    position: reader.u32(),
    flags: reader.u16(),
    serverId: reader.u32(),
    fileName: fileNameOf(reader.rest()),
  };
}

/** Encodes COM_BINLOG_DUMP_GTID (MySQL internals: COM_BINLOG_DUMP_GTID). */
export function encodeBinlogDumpGtid(dump: BinlogDumpGtid): Uint8Array {
  const fileName = textEncoder.encode(dump.fileName);
  return new ByteWriter()
    .u8(Command.BINLOG_DUMP_GTID)
    .u16(dump.flags)
    .u32(dump.serverId)
    .u32(fileName.length)
    .bytes(fileName)
    .u64(dump.position)
    .u32(dump.gtidSetBytes.length)
    .bytes(dump.gtidSetBytes)
    .finish();
}

/**
 * Decodes COM_BINLOG_DUMP_GTID (MySQL internals: COM_BINLOG_DUMP_GTID,
 * `com_binlog_dump_gtid` in `sql/rpl_source.cc`). The file name ends at its
 * first NUL: MySQL 5.6 sends thirteen of them after a reconnect. The set is a
 * view and is not looked into. Throws a `ProtocolError` (1835) when too short
 * or when the name is longer than a server allows.
 */
export function decodeBinlogDumpGtid(payload: Uint8Array): BinlogDumpGtid {
  const reader = commandReader(payload, Command.BINLOG_DUMP_GTID);
  const flags = reader.u16();
  const serverId = reader.u32();
  const fileName = fileNameOf(reader.bytes(reader.u32()));
  const position = reader.u64();
  const gtidSetBytes = reader.bytes(reader.u32());
  return { flags, serverId, fileName, position, gtidSetBytes };
}

function fileNameOf(bytes: Uint8Array): string {
  if (bytes.length > FILE_NAME_BYTES_MAX) {
    throw new ProtocolError(
      ErrorCode.ER_MALFORMED_PACKET,
      `Malformed communication packet: a file name of ${bytes.length} bytes`,
    );
  }
  const end = bytes.indexOf(0);
  return textDecoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** Encodes COM_REGISTER_SLAVE with an empty password. */
export function encodeRegisterReplica(replica: RegisterReplica): Uint8Array {
  return new ByteWriter()
    .u8(Command.REGISTER_SLAVE)
    .u32(replica.serverId)
    .shortString(replica.hostName)
    .shortString(replica.user)
    .shortString("") // report_password
    .u16(replica.port)
    .u32(replica.rank)
    .u32(replica.sourceId)
    .finish();
}

/**
 * Decodes COM_REGISTER_SLAVE (MySQL internals: COM_REGISTER_SLAVE). The
 * password in it (`report_password`) serves nothing and is dropped. Throws a
 * `ProtocolError` (1835) when too short.
 */
export function decodeRegisterReplica(payload: Uint8Array): RegisterReplica {
  const reader = commandReader(payload, Command.REGISTER_SLAVE);
  const serverId = reader.u32();
  const hostName = reader.string(reader.u8());
  const user = reader.string(reader.u8());
  reader.skip(reader.u8());
  const port = reader.u16();
  const rank = reader.u32();
  return { serverId, hostName, user, port, rank, sourceId: reader.u32() };
}

/** Encodes COM_QUERY for a connection without `CLIENT_QUERY_ATTRIBUTES`. */
export function encodeQuery(statement: string): Uint8Array {
  return new ByteWriter(statement.length + 16)
    .u8(Command.QUERY)
    .string(statement)
    .finish();
}

/**
 * The statement of a COM_QUERY (MySQL internals: COM_QUERY). `capabilities` are
 * the common ones of the connection: with `CLIENT_QUERY_ATTRIBUTES` the
 * statement follows a list of attributes, which is passed over. Throws a
 * `ProtocolError` (1835) when malformed.
 */
export function decodeQuery(
  payload: Uint8Array,
  capabilities: number,
): string {
  const reader = commandReader(payload, Command.QUERY);
  if (hasCapability(capabilities, Capability.QUERY_ATTRIBUTES)) {
    skipQueryAttributes(reader);
  }
  return reader.restString();
}

/**
 * Decodes COM_STMT_PREPARE: the statement, placeholders as `?` (MySQL
 * internals: COM_STMT_PREPARE). Throws a `ProtocolError` (1835) for another
 * command.
 */
export function decodePrepare(payload: Uint8Array): string {
  return commandReader(payload, Command.STMT_PREPARE).restString();
}

/** A command that consists of its first byte: QUIT, PING, STATISTICS, … */
export function encodeCommand(command: number): Uint8Array {
  return new ByteWriter(1).u8(command).finish();
}

function commandReader(payload: Uint8Array, command: number): ByteReader {
  const reader = new ByteReader(payload);
  const first = reader.u8();
  if (first !== command) {
    throw new ProtocolError(
      ErrorCode.ER_MALFORMED_PACKET,
      `Malformed communication packet: command ${first}, expected ${command}`,
    );
  }
  return reader;
}
