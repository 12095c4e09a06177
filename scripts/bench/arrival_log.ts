import { decodeGtid } from "../../lib/binlog/gtid_event.ts";
import { eventTypeAt } from "../../lib/binlog/event_header.ts";
import { EventType } from "../../lib/binlog/event_type.ts";
import { ClientConnection } from "../../lib/connection/client_connection.ts";
import { formatGtid } from "../../lib/gtid/gtid.ts";
import { encodeBinlogDump } from "../../lib/protocol/command.ts";
import { decodeErr, isErr } from "../../lib/protocol/response.ts";
import { type LogServer, REPLICATION } from "./bench_source.ts";

/** Where a dump begins. */
export interface ArrivalStart {
  readonly fileName: string;
  readonly position: number;
  readonly serverId: number;
}

/** Follows a log as a replica does, and notes when transactions are complete. */
export class ArrivalLog implements AsyncDisposable {
  /** GTID as text to ms since 1970, in order of arrival. */
  readonly arrivedAt: Map<string, number> = new Map();
  readonly #connection: ClientConnection;
  readonly #reading: Promise<void>;
  #closing = false;
  #gtid = "";

  private constructor(connection: ClientConnection) {
    this.#connection = connection;
    this.#reading = this.#read();
    // Whoever disposes of this is told.
    this.#reading.catch(() => {});
  }

  /** Begins to follow a server's log. */
  static async open(
    server: LogServer,
    { fileName, position, serverId }: ArrivalStart,
  ): Promise<ArrivalLog> {
    const { hostname, port } = server;
    const connection = await ClientConnection.connect({
      hostname,
      port,
      ...REPLICATION,
    });
    await connection.query(
      "SET @master_binlog_checksum = 'CRC32', @source_binlog_checksum = 'CRC32'",
    );
    await connection.sendCommand(
      encodeBinlogDump({ fileName, position, serverId, flags: 0 }),
    );
    return new ArrivalLog(connection);
  }

  async #read(): Promise<void> {
    try {
      for (;;) {
        const packets = await this.#connection.reader.readBatch();
        const now = performance.timeOrigin + performance.now();
        if (packets === null) return;
        for (const { payload } of packets) this.#take(payload, now);
      }
    } catch (error) {
      if (!this.#closing) throw error;
    }
  }

  #take(payload: Uint8Array, now: number): void {
    if (isErr(payload)) throw decodeErr(payload);
    const event = payload.subarray(1);
    switch (eventTypeAt(event, 0)) {
      case EventType.GTID:
      case EventType.GTID_TAGGED: {
        const gtid = decodeGtid(event);
        this.#gtid = gtid === null ? "" : formatGtid(gtid);
        break;
      }
      case EventType.XID:
        this.arrivedAt.set(this.#gtid, now);
    }
  }

  /** Ends the dump; throws what went wrong with it before. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    this.#connection.close();
    await this.#reading;
  }
}
