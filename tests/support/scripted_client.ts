import { Capability, hasCapability } from "../../lib/protocol/capability.ts";
import { ClientAuth } from "../../lib/protocol/client_auth.ts";
import { Command, encodeQuery } from "../../lib/protocol/command.ts";
import { decodeHandshakeV10 } from "../../lib/protocol/handshake.ts";
import { TextResultSetDecoder } from "../../lib/protocol/result_set.ts";
import { ServerError } from "../../lib/protocol/server_error.ts";
import type { TestAccount } from "../../scripts/test_servers/mysql56.ts";
import { rawPacket, RawSocket } from "./raw_socket.ts";
import type { ServerAddress } from "./test_kingbus.ts";

/**
 * Capabilities that change how a server answers and what a statement looks
 * like; a client has those its script says, whatever ours can.
 */
const SCRIPTED = Capability.DEPRECATE_EOF | Capability.SESSION_TRACK |
  Capability.QUERY_ATTRIBUTES;

/** In front of a statement's text: no attributes, one set of them. */
const NO_ATTRIBUTES = [0, 1];

/**
 * A client whose every word a test writes, down to its capabilities. It takes
 * one answer after the other, and does nothing of its own.
 */
export class ScriptedClient implements Disposable {
  readonly #socket: RawSocket;
  readonly #capabilities: number;

  private constructor(socket: RawSocket, capabilities: number) {
    this.#socket = socket;
    this.#capabilities = capabilities;
  }

  /**
   * Logs in.
   *
   * @param capabilities which of those that change answers it says it has
   */
  static async open(
    { port }: ServerAddress,
    account: TestAccount,
    capabilities: number,
    attributes: ReadonlyMap<string, string> = new Map(),
  ): Promise<ScriptedClient> {
    const socket = await RawSocket.dial(port);
    try {
      const greeting = decodeHandshakeV10(await packetOf(socket));
      const auth = new ClientAuth();
      let sequenceId = 1;
      let send: Uint8Array | undefined = auth.start(greeting, {
        ...account,
        attributes,
        secure: false,
      });
      const view = new DataView(send.buffer, send.byteOffset);
      const asked = (view.getUint32(0, true) & ~SCRIPTED | capabilities) >>> 0;
      view.setUint32(0, asked, true);
      for (;;) {
        if (send !== undefined) {
          await socket.send(rawPacket(send, sequenceId));
          sequenceId += 1;
        }
        const step = auth.next(await packetOf(socket));
        sequenceId += 1;
        if ("done" in step) break;
        send = "send" in step ? step.send : undefined;
      }
      return new ScriptedClient(socket, (asked & greeting.capabilities) >>> 0);
    } catch (error) {
      socket[Symbol.dispose]();
      throw error;
    }
  }

  /** Sends a statement and takes the answer, which may be an error. */
  async query(statement: string): Promise<(string | null)[][]> {
    let payload = encodeQuery(statement);
    if (hasCapability(this.#capabilities, Capability.QUERY_ATTRIBUTES)) {
      payload = Uint8Array.from([
        payload[0]!,
        ...NO_ATTRIBUTES,
        ...payload.subarray(1),
      ]);
    }
    await this.send(payload);
    const decoder = new TextResultSetDecoder(this.#capabilities);
    try {
      while (!decoder.push(await packetOf(this.#socket)));
      return decoder.answer().rows;
    } catch (error) {
      if (error instanceof ServerError) return [];
      throw error;
    }
  }

  /** Sends a command and takes its one packet of an answer. */
  async command(payload: Uint8Array): Promise<Uint8Array> {
    await this.send(payload);
    return await packetOf(this.#socket);
  }

  /** Sends a command, or anything else, whose answer is not waited for. */
  async send(payload: Uint8Array): Promise<void> {
    await this.#socket.send(rawPacket(payload, 0));
  }

  /** Sends bytes that need not be packets. */
  async sendBytes(bytes: Uint8Array): Promise<boolean> {
    return await this.#socket.send(bytes);
  }

  /** The payload of a dump's next packet; `null` once the server has closed. */
  next(): Promise<Uint8Array | null> {
    return this.#socket.readPacket();
  }

  /** Takes all of a dump up to its last packet or the connection's end. */
  async drain(): Promise<void> {
    for (;;) {
      const payload = await this.#socket.readPacket();
      if (payload === null || payload[0] !== 0) return;
    }
  }

  /** Says goodbye. */
  async quit(): Promise<void> {
    await this.send(Uint8Array.of(Command.QUIT));
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }
}

/** The next packet, which has to come. */
async function packetOf(socket: RawSocket): Promise<Uint8Array> {
  const payload = await socket.readPacket();
  if (payload === null) throw new TypeError("The server has hung up");
  return payload;
}
