import { eventTypeAt, HEADER_BYTES } from "../binlog/event_header.ts";
import { EventType } from "../binlog/event_type.ts";
import { ClientConnection } from "../connection/client_connection.ts";
import { GtidSet } from "../gtid/gtid_set.ts";
import type { MariadbGtid } from "../gtid/mariadb_gtid.ts";
import {
  formatMariadbGtidPosition,
  parseMariadbGtidPosition,
} from "../gtid/mariadb_gtid_position.ts";
import { MariadbGtidState } from "../gtid/mariadb_gtid_state.ts";
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
import {
  type Flavour,
  flavourOfVersion,
  type SourceIdentity,
} from "../store/source_identity.ts";
import { type GtidTaker, LogOrder } from "./log_order.ts";
import { SourceError } from "./source_error.ts";

/**
 * From MySQL heartbeats with 64-bit positions, where it has them; from MariaDB
 * the Annotate_rows events, which belong to the file. Older servers ignore it.
 */
const HEARTBEAT_V2_OR_ANNOTATE = DumpFlag.HEARTBEAT_V2 |
  DumpFlag.MARIADB_ANNOTATE_ROWS;

/** As a MariaDB replica of today: GTIDs, Gtid_list and all, nothing rewritten for us. */
const SET_CAPABILITY = "SET @mariadb_slave_capability = 4";

/** Says that we know checksums; without it a file with them is not sent. */
const SET_CHECKSUM =
  "SET @master_binlog_checksum = @@global.binlog_checksum, @source_binlog_checksum = @@global.binlog_checksum";

/**
 * What an encrypted file has in front of the binlog it holds, and what its size
 * counts (`Rpl_encryption_header::HEADER_SIZE` in MySQL's `sql/rpl_log_encryption.h`).
 */
const ENCRYPTION_HEADER_BYTES = 512;

/** How long the first events of a file may take, in ms. */
const FORMAT_TIMEOUT_MS = 10_000;

/** The highest position COM_BINLOG_DUMP can ask for. */
const POSITION32_MAX = 0xffff_ffff;

/** A binlog file of the source. */
export interface SourceFile {
  readonly name: string;
  /** Position at its end, in bytes. */
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
    const version = this.#connection.serverVersion;
    const gtidMode = await this.#variable("gtid_mode");
    // The version can be set to anything; only MariaDB has domains.
    const gtidDomainId = gtidMode === null
      ? await this.#variable("gtid_domain_id")
      : null;
    const isMariadb = flavourOfVersion(version) === "mariadb" ||
      gtidDomainId !== null;
    const rowMetadata = await this.#variable("binlog_row_metadata");
    return {
      flavour: isMariadb ? "mariadb" : "mysql",
      serverId: await this.#variable("server_id") ?? "0",
      uuid: (await this.#variable("server_uuid") ?? "").toLowerCase(),
      version,
      gtidMode: gtidMode ?? "OFF",
      binlogFormat: await this.#variable("binlog_format") ?? "ROW",
      binlogChecksum: await this.#variable("binlog_checksum") ?? "NONE",
      binlogRowImage: await this.#variable("binlog_row_image") ?? "FULL",
      ...rowMetadata === null ? {} : { binlogRowMetadata: rowMetadata },
      ...gtidDomainId === null ? {} : {
        gtidDomainId,
        gtidStrictMode: await this.#variable("gtid_strict_mode") ?? "0",
      },
    };
  }

  /**
   * The GTIDs of every transaction the source has executed.
   *
   * @throws {SourceError} `stream` when it answers no GTID set
   */
  async executedGtids(): Promise<GtidSet> {
    return parsed(GtidSet.parse, await this.#variable("gtid_executed"));
  }

  /**
   * The GTIDs of the transactions it has that none of its files holds.
   *
   * @throws {SourceError} `stream` when it answers no GTID set
   */
  async purgedGtids(): Promise<GtidSet> {
    return parsed(GtidSet.parse, await this.#variable("gtid_purged"));
  }

  /**
   * The source's binlog files, oldest first.
   *
   * @throws {SourceError} `unsuitable` when it has none
   * @throws {ServerError} when it writes none, or the account may not see them
   */
  async files(): Promise<SourceFile[]> {
    const { rows } = await this.#connection.query("SHOW BINARY LOGS");
    if (rows.length === 0) {
      throw new SourceError(
        "unsuitable",
        "The source has no binlog files; it must write a binary log (log_bin)",
      );
    }
    return rows.map((row) => ({
      name: row[0] ?? "",
      size: Number(row[1] ?? 0) -
        (row[2] === "Yes" ? ENCRYPTION_HEADER_BYTES : 0),
    }));
  }

  /**
   * The host name of a replica that is registered at the source with this
   * server id or UUID; undefined when there is none, or the account may not
   * see it. One that was not closed in order stays for a while.
   */
  async registered(
    { serverId, uuid }: Pick<ReplicaIdentity, "serverId" | "uuid">,
  ): Promise<string | undefined> {
    for (const statement of ["SHOW REPLICAS", "SHOW SLAVE HOSTS"]) {
      try {
        const { rows } = await this.#connection.query(statement);
        const row = rows.find((one) =>
          one[0] === String(serverId) || one[4]?.toLowerCase() === uuid
        );
        return row === undefined ? undefined : row[1] || "a host without name";
      } catch (error) {
        // Servers have the one statement or the other.
        if (!(error instanceof ServerError)) throw error;
      }
    }
    return undefined;
  }

  /**
   * The format description with which a file begins. The connection is of no
   * other use afterwards.
   *
   * @throws {SourceError} `stream` when something else comes
   */
  async formatDescription(fileName: string): Promise<Uint8Array> {
    await this.#connection.query(SET_CHECKSUM);
    await this.#connection.sendCommand(encodeBinlogDump({
      fileName,
      position: FIRST_POSITION,
      serverId: 0,
      flags: DumpFlag.NON_BLOCK,
    }));
    for (;;) {
      const packet = await this.#connection.reader.read({
        signal: AbortSignal.timeout(FORMAT_TIMEOUT_MS),
      });
      if (packet !== null && isErr(packet.payload)) {
        throw decodeErr(packet.payload);
      }
      const event = packet?.payload.slice(1) ?? new Uint8Array();
      if (event.length < HEADER_BYTES) break;
      const type = eventTypeAt(event, 0);
      if (type === EventType.FORMAT_DESCRIPTION) return event;
      if (type !== EventType.ROTATE) break;
    }
    throw new SourceError(
      "stream",
      `The source does not send the begin of its file ${fileName}`,
    );
  }

  /**
   * The GTIDs of all files before `name`, from the file's own first events.
   *
   * @throws {SourceError} `stream` when it answers no GTID set
   */
  async previousGtids(name: string): Promise<GtidSet> {
    const { rows } = await this.#connection.query(
      `SHOW BINLOG EVENTS IN '${quoted(name)}' FROM ${FIRST_POSITION} LIMIT 3`,
    );
    const row = rows.find((one) => one[2] === "Previous_gtids");
    return parsed(GtidSet.parse, row?.[5]);
  }

  /**
   * The state of a MariaDB server's binary log: all it has ever written.
   *
   * @throws {SourceError} `stream` when it answers no state
   */
  async mariadbState(): Promise<MariadbGtidState> {
    const text = await this.#variable("gtid_binlog_state");
    return parsed(MariadbGtidState.parse, text);
  }

  /**
   * The state of a MariaDB server's log before its file `name`: what the file's
   * Gtid_list says. Empty for a file without one.
   *
   * @throws {SourceError} `stream` when it answers no state
   */
  async mariadbStateBefore(name: string): Promise<MariadbGtidState> {
    const { rows } = await this.#connection.query(
      `SHOW BINLOG EVENTS IN '${quoted(name)}' FROM ${FIRST_POSITION} LIMIT 3`,
    );
    const row = rows.find((one) => one[2] === "Gtid_list");
    return parsed(
      MariadbGtidState.parse,
      row?.[5]?.replace(/^\[|\]$/g, ""),
    );
  }

  /**
   * The newest GTID of each domain at a place in a MariaDB server's log;
   * undefined when the server can't tell. It reads the file up to there.
   *
   * @throws {SourceError} `stream` when it answers no position
   */
  async mariadbPositionAt(
    fileName: string,
    position: number,
  ): Promise<MariadbGtid[] | undefined> {
    const { rows } = await this.#connection.query(
      `SELECT BINLOG_GTID_POS('${quoted(fileName)}', ${position})`,
    );
    const text = rows[0]?.[0];
    return text === null || text === undefined
      ? undefined
      : parsed(parseMariadbGtidPosition, text);
  }

  /**
   * Sets the session up as a replica does, and registers.
   *
   * @param flavour the source's kind of server
   */
  async prepare(
    replica: ReplicaIdentity,
    heartbeatMs: number,
    flavour: Flavour,
  ): Promise<void> {
    const query = (statement: string) => this.#connection.query(statement);
    const period = BigInt(Math.round(heartbeatMs)) * 1_000_000n;
    await query(
      `SET @master_heartbeat_period = ${period}, @source_heartbeat_period = ${period}`,
    );
    await query(SET_CHECKSUM);
    await query(
      flavour === "mariadb"
        ? SET_CAPABILITY
        : `SET @slave_uuid = '${replica.uuid}', @replica_uuid = '${replica.uuid}'`,
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
   * Asks for a semi-synchronous dump, by whichever name the source knows it
   * (`repl_semi_slave_request_dump` of `plugin/semisync`). Answers whether the
   * dump will be one: a source without the plugin sends any other.
   */
  async askSemiSync(): Promise<boolean> {
    const isKnown =
      await this.#variable("rpl_semi_sync_source_enabled") !== null ||
      await this.#variable("rpl_semi_sync_master_enabled") !== null;
    if (!isKnown) return false;
    await this.#connection.query(
      "SET @rpl_semi_sync_replica = 1, @rpl_semi_sync_slave = 1",
    );
    return true;
  }

  /**
   * Asks for the log from a file and position on. COM_BINLOG_DUMP has 32 bits
   * for the position; behind 4 GiB the GTID form asks for the same, with an
   * empty set, from which nothing is left out.
   *
   * @throws {SourceError} `unsuitable` behind 4 GiB of a file of MariaDB, which
   * has no such form
   */
  async dump(
    fileName: string,
    position: number,
    serverId: number,
    flavour: Flavour,
  ): Promise<void> {
    if (flavour === "mariadb" && position > POSITION32_MAX) {
      throw new SourceError(
        "unsuitable",
        `The log goes on at position ${position} of the source's file ${fileName}, and a MariaDB server can't be asked for more than 4 GiB of a file: such a file has to come in one go. Append the rest of it with 'kingbus import' from a copy of the file, or give kingbus an empty data-dir`,
      );
    }
    const dump = { fileName, serverId, flags: HEARTBEAT_V2_OR_ANNOTATE };
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
   * Asks a MariaDB server for every transaction after a position, as its
   * replicas do.
   */
  async dumpAfter(
    position: readonly MariadbGtid[],
    serverId: number,
  ): Promise<void> {
    const text = formatMariadbGtidPosition(position);
    await this.#connection.query(`SET @slave_connect_state = '${text}'`);
    await this.#connection.query("SET @slave_gtid_strict_mode = 0");
    await this.#connection.query("SET @slave_gtid_ignore_duplicates = 0");
    await this.#connection.sendCommand(encodeBinlogDump({
      fileName: "",
      position: FIRST_POSITION,
      serverId,
      flags: HEARTBEAT_V2_OR_ANNOTATE,
    }));
  }

  /** Asks for every transaction that is not in `executed`. */
  async dumpByGtid(executed: GtidSet, serverId: number): Promise<void> {
    await this.#connection.sendCommand(encodeBinlogDumpGtid({
      fileName: "",
      position: BigInt(FIRST_POSITION),
      serverId,
      flags: HEARTBEAT_V2_OR_ANNOTATE,
      gtidSetBytes: executed.encode(),
    }));
  }

  /**
   * Reads one of the source's files for its GTIDs, in their order; reads no
   * further than to the file's end. The connection is of no other use
   * afterwards.
   *
   * @param taker is given each GTID
   * @throws {SourceError} `stream` when something else comes
   */
  async gtidsInOrder(
    fileName: string,
    taker: GtidTaker,
    timeoutMs: number,
  ): Promise<void> {
    await this.#connection.query(SET_CHECKSUM);
    if (taker.mariadb !== undefined) {
      await this.#connection.query(SET_CAPABILITY);
    }
    await this.#connection.sendCommand(encodeBinlogDump({
      fileName,
      position: FIRST_POSITION,
      // Nobody's: it ends no dump of a replica.
      serverId: 0,
      flags: DumpFlag.NON_BLOCK,
    }));
    const order = new LogOrder(taker, {
      numbered: this.#connection.numbered,
    });
    while (!order.ended) {
      const chunk = await this.#connection.reader.readChunk({
        signal: AbortSignal.timeout(timeoutMs),
      });
      if (chunk === null) {
        throw new SourceError(
          "stream",
          `The source ended the connection while its file ${fileName} was looked through`,
        );
      }
      order.push(chunk);
    }
  }

  /**
   * Whether the source is a replica that is at it. True when the account may
   * not see that.
   */
  async replicates(): Promise<boolean> {
    for (const statement of ["SHOW REPLICA STATUS", "SHOW SLAVE STATUS"]) {
      try {
        const { columns, rows } = await this.#connection.query(statement);
        return rows.some((row) =>
          columns.some((name, at) => /_Running$/.test(name) && row[at] !== "No")
        );
      } catch (error) {
        // Servers have the one statement or the other.
        if (!(error instanceof ServerError)) throw error;
      }
    }
    return true;
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

/** What a source says of its GTIDs; nothing at all counts as empty text. */
function parsed<Value>(
  parse: (text: string) => Value,
  text: string | null | undefined,
): Value {
  try {
    return parse(text ?? "");
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new SourceError(
      "stream",
      `The source says of its GTIDs what can't be read: ${cause.message}`,
      { cause },
    );
  }
}

/** A file's name inside of quotes. */
function quoted(name: string): string {
  return name.replaceAll("\\", "\\\\").replaceAll("'", "''");
}
