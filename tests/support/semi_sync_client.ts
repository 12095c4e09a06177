import { ClientConnection } from "../../lib/connection/client_connection.ts";
import { encodeBinlogDump } from "../../lib/protocol/command.ts";
import { isErr } from "../../lib/protocol/response.ts";
import { decodeErr } from "../../lib/protocol/response.ts";
import { encodeSemiSyncAck } from "../../lib/protocol/semi_sync.ts";
import { REPLICATION_ACCOUNT } from "../../scripts/test_servers/mysql56.ts";
import type { ServerAddress } from "./test_kingbus.ts";

/** How long a client waits for a packet. */
const PACKET_DEADLINE_MS = 30_000;

/** A packet of a semi-synchronous dump. */
export interface SemiSyncPacket {
  readonly sequenceId: number;
  /** Whole: status byte, magic number, flags, event. */
  readonly payload: Uint8Array;
}

/**
 * A semi-synchronous replica in bits and pieces: takes the packets of a dump by
 * position as they are, and acknowledges what and when a test likes.
 */
export class SemiSyncClient implements AsyncDisposable {
  readonly #connection: ClientConnection;
  #sequenceId = 1;

  private constructor(connection: ClientConnection) {
    this.#connection = connection;
  }

  /** Logs in, sets up and asks for the log from a file and position on. */
  static async open(
    address: ServerAddress,
    from: { fileName: string; position: number; serverId: number },
  ): Promise<SemiSyncClient> {
    const connection = await ClientConnection.connect({
      hostname: address.hostname ?? "127.0.0.1",
      port: address.port,
      ...REPLICATION_ACCOUNT,
    });
    await connection.query(
      "SET @source_binlog_checksum = 'CRC32', @rpl_semi_sync_replica = 1, @rpl_semi_sync_slave = 1",
    );
    await connection.sendCommand(encodeBinlogDump({ ...from, flags: 2 }));
    return new SemiSyncClient(connection);
  }

  /**
   * The next packet; null when the connection is closed. Packets out of order
   * are an error.
   *
   * @throws {ServerError} When the server ends the dump with an error.
   */
  async next(deadlineMs = PACKET_DEADLINE_MS): Promise<SemiSyncPacket | null> {
    const { reader } = this.#connection;
    reader.expectSequence(this.#sequenceId);
    const packet = await reader.read({
      signal: AbortSignal.timeout(deadlineMs),
    });
    if (packet === null) return null;
    const { sequenceId } = packet;
    const payload = packet.payload.slice();
    if (isErr(payload)) throw decodeErr(payload);
    this.#sequenceId = payload[1] === 0xef && payload[2] === 1
      ? 1
      : sequenceId + 1 & 0xff;
    return { sequenceId, payload };
  }

  /** Reads on to a packet that is to be acknowledged. */
  async nextAsked(): Promise<SemiSyncPacket> {
    for (;;) {
      const packet = await this.next();
      if (packet === null) throw new TypeError("The dump ended");
      if (packet.payload[2] === 1) return packet;
    }
  }

  /** Acknowledges the log up to there. */
  async acknowledge(fileName: string, position: number): Promise<void> {
    const ack = encodeSemiSyncAck({ fileName, position: BigInt(position) });
    await this.send(ack);
  }

  /** Sends whatever payload as a packet. */
  async send(payload: Uint8Array, sequenceId = 0): Promise<void> {
    await this.#connection.writer.write(payload, sequenceId);
  }

  /** Sends whatever bytes. */
  async sendRaw(bytes: Uint8Array): Promise<void> {
    await this.#connection.writer.writeRaw(bytes);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#connection.close();
    return Promise.resolve();
  }
}
