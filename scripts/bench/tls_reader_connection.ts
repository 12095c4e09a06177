import { PacketReader } from "../../lib/connection/packet_reader.ts";
import { PacketWriter } from "../../lib/connection/packet_writer.ts";
import type { Transport } from "../../lib/connection/transport.ts";
import { Capability, hasCapability } from "../../lib/protocol/capability.ts";
import { CharacterSet } from "../../lib/protocol/character_set.ts";
import {
  decodeHandshakeV10,
  encodeSslRequest,
} from "../../lib/protocol/handshake.ts";
import { BenchError } from "./bench_error.ts";
import { logIn, readPayload } from "./log_in.ts";
import { unbufferedTransport } from "./unbuffered_transport.ts";

const OPTIONS = { maxPayloadBytes: 1024 * 1024 };

/** What the client wants, before TLS and in it. */
const CAPABILITIES =
  (Capability.LONG_PASSWORD | Capability.PROTOCOL_41 | Capability.SSL |
    Capability.SECURE_CONNECTION | Capability.PLUGIN_AUTH) >>> 0;

/**
 * A client over Deno's own TLS, which costs a reader much less than that of
 * `node:tls`, so that what is measured is the server. It trusts any certificate
 * if its process was started so.
 */
export class TlsReaderConnection {
  /** What comes after the last command. */
  readonly conn: Deno.TlsConn;
  readonly reader: PacketReader;
  readonly #writer: PacketWriter;
  readonly #transport: Transport;

  private constructor(conn: Deno.TlsConn) {
    this.conn = conn;
    this.#transport = unbufferedTransport(conn);
    this.reader = new PacketReader(this.#transport.readable, OPTIONS);
    this.#writer = new PacketWriter(this.#transport.writable);
  }

  /**
   * Logs in over a connection that nothing was read from yet.
   *
   * @throws {BenchError} if the server has no TLS
   */
  static async open(tcp: Deno.TcpConn): Promise<TlsReaderConnection> {
    const plain = unbufferedTransport(tcp);
    const reader = new PacketReader(plain.readable, OPTIONS);
    const greeting = decodeHandshakeV10(await readPayload(reader));
    if (!hasCapability(greeting.capabilities, Capability.SSL)) {
      throw new BenchError("The server offers no TLS");
    }
    const request = encodeSslRequest({
      capabilities: CAPABILITIES,
      maxPacketBytes: OPTIONS.maxPayloadBytes,
      charset: CharacterSet.UTF8MB4_GENERAL_CI,
    });
    await new PacketWriter(plain.writable).write(request, 1);
    const { hostname } = tcp.remoteAddr;
    const connection = new TlsReaderConnection(
      await Deno.startTls(tcp, { hostname }),
    );
    await logIn(connection.reader, connection.#writer, {
      greeting: { ...greeting, capabilities: CAPABILITIES },
      sequenceId: 2,
      secure: true,
    });
    return connection;
  }

  /** Sends a command whose answer is one packet, and takes that. */
  async command(payload: Uint8Array): Promise<void> {
    await this.sendCommand(payload);
    await readPayload(this.reader);
  }

  /** Sends a command. */
  async sendCommand(payload: Uint8Array): Promise<void> {
    this.reader.expectSequence(1);
    await this.#writer.write(payload, 0);
  }

  /** Closes the connection. */
  close(): void {
    this.#transport.close();
  }
}
