import { eventTypeAt, HEADER_BYTES } from "../binlog/event_header.ts";
import { EventType } from "../binlog/event_type.ts";
import { ClientConnection } from "../connection/client_connection.ts";
import { Deadline } from "../connection/deadline.ts";
import { GtidSet } from "../gtid/gtid_set.ts";
import {
  DumpFlag,
  encodeBinlogDump,
  encodeBinlogDumpGtid,
  encodeRegisterReplica,
} from "../protocol/command.ts";
import { ErrorCode } from "../protocol/error_code.ts";
import { decodeErr, isErr } from "../protocol/response.ts";
import { ServerError } from "../protocol/server_error.ts";
import { FIRST_POSITION } from "../store/binlog_store.ts";
import type { SourceIdentity } from "../store/source_identity.ts";
import { SourceError } from "./source_error.ts";

/**
 * Flag of a dump command: heartbeats with 64-bit positions (MySQL 8.0.26+;
 * older servers ignore it).
 */
const HEARTBEAT_V2 = 0x2;

const NO_BYTES = new Uint8Array(0);

/** The highest position COM_BINLOG_DUMP can ask for. */
const POSITION32_MAX = 0xffff_ffff;

/** A binlog file of the source. */
export interface SourceFile {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
}

/** Who we are towards the source. */
export interface ReplicaIdentity {
  /** Our server id; the source ends an older dump with the same one. */
  readonly serverId: number;
  /** Our UUID. */
  readonly uuid: string;
  /** Shown in the source's list of replicas. */
  readonly name: string;
}

/**
 * The statements kingbus sends to a source before the dump: what a MySQL
 * replica sends (`sql/rpl_replica.cc`), and a few more to know where it stands.
 */
export class SourceSession {
  readonly #connection: ClientConnection;

  /** @param connection logged in; closed by the caller */
  constructor(connection: ClientConnection) {
    this.#connection = connection;
  }

  /** Asks the source who it is. */
  async identify(): Promise<SourceIdentity> {
    return {
      serverId: await this.#variable("server_id") ?? "0",
      uuid: (await this.#variable("server_uuid") ?? "").toLowerCase(),
      version: this.#connection.serverVersion,
      gtidMode: await this.#variable("gtid_mode") ?? "OFF",
      binlogFormat: await this.#variable("binlog_format") ?? "ROW",
      binlogChecksum: await this.#variable("binlog_checksum") ?? "NONE",
      binlogRowImage: await this.#variable("binlog_row_image") ?? "FULL",
    };
  }

  /** The GTIDs of every transaction the source has executed. */
  async executedGtids(): Promise<GtidSet> {
    return GtidSet.parse(await this.#variable("gtid_executed") ?? "");
  }

  /**
   * The source's binlog files, oldest first.
   *
   * @throws {SourceError} `unsuitable` when it has none, or the account may
   * not see them
   */
  async files(): Promise<SourceFile[]> {
    try {
      const { rows } = await this.#connection.query("SHOW BINARY LOGS");
      const files = rows.map((row) => ({
        name: row[0] ?? "",
        size: Number(row[1] ?? 0),
      }));
      if (files.length > 0) return files;
    } catch (error) {
      if (!(error instanceof ServerError)) throw error;
      throw new SourceError(
        "unsuitable",
        `The source does not show its binlog files: ${error.message}; it needs log_bin on, and the account REPLICATION SLAVE and REPLICATION CLIENT`,
        { cause: error },
      );
    }
    throw new SourceError("unsuitable", "The source has no binlog files");
  }

  /** The GTIDs of all files before `name`, from the file's own first events. */
  async previousGtids(name: string): Promise<GtidSet> {
    const quoted = name.replaceAll("\\", "\\\\").replaceAll("'", "''");
    const { rows } = await this.#connection.query(
      `SHOW BINLOG EVENTS IN '${quoted}' FROM ${FIRST_POSITION} LIMIT 3`,
    );
    const row = rows.find((one) => one[2] === "Previous_gtids");
    return GtidSet.parse(row?.[5] ?? "");
  }

  /** Sets the session up as a replica does, and registers. */
  async prepare(replica: ReplicaIdentity, heartbeatMs: number): Promise<void> {
    const query = (statement: string) => this.#connection.query(statement);
    const period = BigInt(Math.round(heartbeatMs)) * 1_000_000n;
    await query(
      `SET @master_heartbeat_period = ${period}, @source_heartbeat_period = ${period}`,
    );
    await query(
      "SET @master_binlog_checksum = @@global.binlog_checksum, @source_binlog_checksum = @@global.binlog_checksum",
    );
    await query(
      `SET @slave_uuid = '${replica.uuid}', @replica_uuid = '${replica.uuid}'`,
    );
    await this.#connection.command(encodeRegisterReplica({
      serverId: replica.serverId,
      hostName: replica.name.slice(0, 60),
      user: "",
      port: 0,
      rank: 0,
      sourceId: 0,
    }));
  }

  /**
   * Asks for the log from a file and position on. COM_BINLOG_DUMP has 32 bits
   * for the position; behind 4 GiB the GTID form asks for the same, with an
   * empty set, from which nothing is left out.
   */
  async dump(
    fileName: string,
    position: number,
    serverId: number,
  ): Promise<void> {
    const dump = { fileName, serverId, flags: HEARTBEAT_V2 };
    await this.#connection.sendCommand(
      position <= POSITION32_MAX
        ? encodeBinlogDump({ ...dump, position })
        : encodeBinlogDumpGtid({
          ...dump,
          position: BigInt(position),
          gtidSetBytes: new GtidSet().encode(),
        }),
    );
  }

  /**
   * The format description event of a file, as a dump from the file's begin
   * has it. The connection is of no more use afterwards.
   *
   * @param timeoutMs limit of each wait for the source
   * @throws {SourceError} `stream` when the dump does not begin with one;
   * {ServerError} as the source sent it
   */
  async formatDescription(
    fileName: string,
    timeoutMs: number,
  ): Promise<Uint8Array> {
    // Without a server id and UUID it does not end our own dump.
    await this.#connection.query(
      "SET @master_binlog_checksum = @@global.binlog_checksum, @source_binlog_checksum = @@global.binlog_checksum",
    );
    await this.#connection.sendCommand(encodeBinlogDump({
      fileName,
      position: FIRST_POSITION,
      serverId: 0,
      flags: DumpFlag.NON_BLOCK,
    }));
    for (const wanted of [EventType.ROTATE, EventType.FORMAT_DESCRIPTION]) {
      using deadline = new Deadline(timeoutMs, "reading the begin of a file");
      const packet = await this.#connection.reader.read(deadline);
      const payload = packet?.payload ?? NO_BYTES;
      if (isErr(payload)) throw decodeErr(payload);
      const event = payload.subarray(1);
      if (event.length < HEADER_BYTES || eventTypeAt(event, 0) !== wanted) {
        break;
      }
      if (wanted === EventType.FORMAT_DESCRIPTION) return event.slice();
    }
    throw new SourceError(
      "stream",
      `The source's dump of ${fileName} does not begin with a format description`,
    );
  }

  async #variable(name: string): Promise<string | null> {
    try {
      const { rows } = await this.#connection.query(`SELECT @@GLOBAL.${name}`);
      return rows[0]?.[0] ?? null;
    } catch (error) {
      const unknown = error instanceof ServerError &&
        error.code === ErrorCode.ER_UNKNOWN_SYSTEM_VARIABLE;
      if (unknown) return null;
      throw error;
    }
  }
}
