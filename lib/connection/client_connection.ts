import { Command, encodeCommand, encodeQuery } from "../protocol/command.ts";
import { ClientAuth } from "../protocol/client_auth.ts";
import {
  decodeHandshakeV10,
  type HandshakeV10,
} from "../protocol/handshake.ts";
import {
  agreedCompression,
  type Compression,
  type CompressionAlgorithm,
} from "../protocol/compression.ts";
import { type Packet, PART_PAYLOAD_BYTES_MAX } from "../protocol/packet.ts";
import { decodeErr, decodeOk, isErr } from "../protocol/response.ts";
import { ServerError } from "../protocol/server_error.ts";
import { TextResultSetDecoder } from "../protocol/result_set.ts";
import { Capability, hasCapability } from "../protocol/capability.ts";
import { TlsError } from "../tls/tls_error.ts";
import { connectTls, type TlsClientOptions } from "./tls_client.ts";
import type { TlsFacts } from "./tls_layer.ts";
import { compressedTransport } from "./compressed_transport.ts";
import { CompressionNotOfferedError } from "./compression_not_offered_error.ts";
import { abortError, ConnectionError } from "./connection_error.ts";
import { Deadline } from "./deadline.ts";
import { PacketLink } from "./packet_link.ts";
import type { PacketReader } from "./packet_reader.ts";
import type { PacketWriter } from "./packet_writer.ts";
import { tcpTransport, type Transport } from "./transport.ts";

/** Who logs in, and how long everything may take. */
export interface LoginOptions {
  readonly user: string;
  readonly password: string;
  /** Default schema; none when absent. */
  readonly database?: string | undefined;
  /** Connection attributes such as `program_name`. */
  readonly attributes?: ReadonlyMap<string, string> | undefined;
  /** How to secure the connection; not at all when absent. */
  readonly tls?: Omit<TlsClientOptions, "signal"> | undefined;
  /** How to compress the connection; not at all when absent. */
  readonly compression?: Compression | undefined;
  /** RSA public key of the server as PEM; asked for when absent. */
  readonly serverPublicKeyPem?: string | undefined;
  /** For dialling and login together; 10 s when absent. */
  readonly connectTimeoutMs?: number | undefined;
  /** For each wait for an answer, and each write; 60 s when absent. */
  readonly responseTimeoutMs?: number | undefined;
  /** Largest payload to accept; 64 MiB when absent. */
  readonly maxPayloadBytes?: number | undefined;
  /** Ends dialling and login. */
  readonly signal?: AbortSignal | undefined;
}

/** A login and where to. */
export interface ConnectOptions extends LoginOptions {
  /** Name or address, an IPv6 one without brackets. */
  readonly hostname: string;
  readonly port: number;
}

/** How long a command may take. */
export interface CommandOptions {
  /** For each wait for the answer, and the write; as connected when absent. */
  readonly timeoutMs?: number | undefined;
  /** Ends the command, and the connection with it. */
  readonly signal?: AbortSignal | undefined;
}

/** The answer to a statement. */
export interface QueryResult {
  /** Names of the columns, empty for a statement that answers no rows. */
  readonly columns: string[];
  /** Values as text, `null` for NULL. */
  readonly rows: (string | null)[][];
  /** Rows that the statement changed. */
  readonly affectedRows: bigint;
}

const CONNECT_TIMEOUT_MS = 10_000;
const RESPONSE_TIMEOUT_MS = 60_000;
const QUIT_TIMEOUT_MS = 1_000;
const MAX_PAYLOAD_BYTES = 64 * 1024 * 1024;

/**
 * A logged-in connection to a server as its client. One command may be under
 * way at a time. A refusal by the server throws a `ServerError` and leaves the
 * connection usable; any other error closes it.
 */
export class ClientConnection implements AsyncDisposable {
  readonly #link: PacketLink;
  readonly #handshake: HandshakeV10;
  readonly #capabilities: number;
  readonly #tls: TlsFacts | undefined;
  readonly #responseTimeoutMs: number;
  #busy = false;

  private constructor(
    link: PacketLink,
    { handshake, capabilities, tls }: AcceptedLogin,
    responseTimeoutMs: number,
  ) {
    this.#link = link;
    this.#handshake = handshake;
    this.#capabilities = capabilities;
    this.#tls = tls;
    this.#responseTimeoutMs = responseTimeoutMs;
  }

  /**
   * Dials a server and logs in. Throws a `ConnectionError` (`refused` if nobody
   * listens, `timeout`, `aborted`, …), the `ServerError` of a refused login, a
   * `TlsError`, a `CompressionNotOfferedError`, or a `ProtocolError`.
   */
  static async connect(options: ConnectOptions): Promise<ClientConnection> {
    const timeoutMs = options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
    using deadline = new Deadline(timeoutMs, "connecting", options.signal);
    const transport = await dial(options, deadline.signal);
    return await ClientConnection.#login(transport, options, deadline.signal);
  }

  /**
   * Logs in over a transport, which is closed if that fails. Throws as
   * {@linkcode connect} does.
   */
  static async open(
    transport: Transport,
    options: LoginOptions,
  ): Promise<ClientConnection> {
    const timeoutMs = options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
    using deadline = new Deadline(timeoutMs, "logging in", options.signal);
    return await ClientConnection.#login(transport, options, deadline.signal);
  }

  static async #login(
    transport: Transport,
    options: LoginOptions,
    signal: AbortSignal,
  ): Promise<ClientConnection> {
    const link = new PacketLink(transport, {
      maxPayloadBytes: options.maxPayloadBytes ?? MAX_PAYLOAD_BYTES,
      acceptsNotices: true,
    });
    try {
      const login = await authenticate(link, options, signal);
      await compress(link, options.compression, login.capabilities);
      return new ClientConnection(
        link,
        login,
        options.responseTimeoutMs ?? RESPONSE_TIMEOUT_MS,
      );
    } catch (cause) {
      link.close();
      throw cause;
    }
  }

  /** For a dump, whose packets the caller reads itself. */
  get reader(): PacketReader {
    return this.#link.reader;
  }

  /** For acknowledgements during a dump. */
  get writer(): PacketWriter {
    return this.#link.writer;
  }

  /** The server's version as its greeting gives it. */
  get serverVersion(): string {
    return this.#handshake.serverVersion;
  }

  /** The server's number for this connection, for KILL. */
  get connectionId(): number {
    return this.#handshake.connectionId;
  }

  /** Common capabilities of both sides. */
  get capabilities(): number {
    return this.#capabilities;
  }

  /**
   * False over a compressed connection: the ids of the packets of answers and
   * dumps then count nothing.
   */
  get numbered(): boolean {
    return this.compression === undefined;
  }

  /** How the connection is secured; undefined for not at all. */
  get tls(): TlsFacts | undefined {
    return this.#tls;
  }

  /** What the connection is compressed with; undefined for nothing. */
  get compression(): CompressionAlgorithm | undefined {
    return agreedCompression(this.#capabilities, undefined)?.algorithm;
  }

  /** Address of the server. */
  get remote(): string {
    return this.#link.transport.remote;
  }

  /** Runs one statement and waits for its whole answer. */
  query(
    statement: string,
    options: CommandOptions = {},
  ): Promise<QueryResult> {
    return this.#exclusively(async () => {
      await this.#send(encodeQuery(statement), options);
      const decoder = new TextResultSetDecoder(this.#capabilities);
      while (!decoder.push(await this.#receive(options)));
      const { columns, rows, ok } = decoder.answer();
      return {
        columns: columns.map((column) => column.name),
        rows,
        affectedRows: ok?.affectedRows ?? 0n,
      };
    });
  }

  /** Runs a command whose answer is OK, such as COM_REGISTER_SLAVE. */
  command(payload: Uint8Array, options: CommandOptions = {}): Promise<void> {
    return this.#exclusively(async () => {
      await this.#send(payload, options);
      const answer = await this.#receive(options);
      if (isErr(answer)) throw decodeErr(answer);
      decodeOk(answer);
    });
  }

  /** Sends a command whose answer the caller reads from {@linkcode reader}. */
  sendCommand(
    payload: Uint8Array,
    options: CommandOptions = {},
  ): Promise<void> {
    return this.#exclusively(() => this.#send(payload, options));
  }

  /** Says goodbye and closes. Never throws. */
  async quit(): Promise<void> {
    try {
      const quit = encodeCommand(Command.QUIT);
      await this.sendCommand(quit, { timeoutMs: QUIT_TIMEOUT_MS });
    } catch {
      // Goodbye is a courtesy; the connection goes either way.
    }
    this.close();
  }

  /** Closes at once; waits under way fail. Does nothing the second time. */
  close(): void {
    this.#link.close();
  }

  /** Closes as {@linkcode quit} does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.quit();
  }

  async #exclusively<T>(work: () => Promise<T>): Promise<T> {
    if (this.#busy) {
      throw new TypeError("Cannot run two commands at the same time");
    }
    this.#busy = true;
    try {
      return await work();
    } catch (cause) {
      if (!(cause instanceof ServerError)) this.close();
      throw cause;
    } finally {
      this.#busy = false;
    }
  }

  async #send(payload: Uint8Array, options: CommandOptions): Promise<void> {
    // The answer goes on where the command ends, which may take several parts.
    const parts = Math.floor(payload.length / PART_PAYLOAD_BYTES_MAX) + 1;
    this.reader.expectSequence(parts & 0xff);
    using deadline = this.#deadline("sending a command", options);
    await this.writer.write(payload, 0, { signal: deadline.signal });
  }

  async #receive(options: CommandOptions): Promise<Uint8Array> {
    const buffered = this.reader.readBuffered();
    if (buffered !== undefined) return buffered.payload;
    using deadline = this.#deadline("waiting for an answer", options);
    const packet = await readPacket(this.reader, deadline.signal);
    return packet.payload;
  }

  #deadline(what: string, options: CommandOptions): Deadline {
    const timeoutMs = options.timeoutMs ?? this.#responseTimeoutMs;
    return new Deadline(timeoutMs, what, options.signal);
  }
}

async function dial(
  { hostname, port }: ConnectOptions,
  signal: AbortSignal,
): Promise<Transport> {
  try {
    return tcpTransport(await Deno.connect({ hostname, port, signal }));
  } catch (cause) {
    if (signal.aborted) throw abortError(signal);
    const detail = cause instanceof Error ? cause.message : String(cause);
    const message = `Cannot connect to ${hostname} port ${port}: ${detail}`;
    throw new ConnectionError("refused", message, { cause });
  }
}

/** A login that came to its end. */
interface AcceptedLogin {
  readonly handshake: HandshakeV10;
  readonly capabilities: number;
  readonly tls: TlsFacts | undefined;
}

/** Whether to go on over TLS: where it is wanted, and the server has it. */
function wantsTls(
  { capabilities }: HandshakeV10,
  { tls }: LoginOptions,
): boolean {
  if (tls === undefined) return false;
  if (hasCapability(capabilities, Capability.SSL)) return true;
  if (tls.mode === "preferred") return false;
  throw new TlsError("not-offered", "The server does not offer TLS");
}

async function startTls(
  link: PacketLink,
  options: TlsClientOptions,
): Promise<TlsFacts> {
  let facts: TlsFacts = { version: "", cipher: "" };
  await link.replace(async (below) => {
    const transport = await connectTls(below, options);
    facts = transport.tls;
    return transport;
  });
  return facts;
}

/**
 * Drives the login's step machine until the server accepts. Layers such as TLS
 * come over the link on the way, so that it is asked anew for its reader and
 * writer.
 */
async function authenticate(
  link: PacketLink,
  options: LoginOptions,
  signal: AbortSignal,
): Promise<AcceptedLogin> {
  const greeting = await readPacket(link.reader, signal);
  if (isErr(greeting.payload)) throw decodeErr(greeting.payload);
  const handshake = decodeHandshakeV10(greeting.payload);
  const auth = new ClientAuth();
  let sequenceId = greeting.sequenceId + 1;
  const { tls } = options;
  const authOptions = { ...options, secure: wantsTls(handshake, options) };
  let secured: TlsFacts | undefined;
  if (tls !== undefined && authOptions.secure) {
    const request = auth.requestTls(handshake, authOptions);
    sequenceId = await link.writer.write(request, sequenceId, { signal });
    secured = await startTls(link, { ...tls, signal });
  }
  let send: Uint8Array | undefined = auth.start(handshake, authOptions);
  for (;;) {
    if (send !== undefined) {
      sequenceId = await link.writer.write(send, sequenceId, { signal });
      link.reader.expectSequence(sequenceId);
    }
    const packet = await readPacket(link.reader, signal);
    sequenceId = packet.sequenceId + 1;
    const step = auth.next(packet.payload);
    if ("done" in step) {
      return { handshake, capabilities: auth.capabilities, tls: secured };
    }
    send = "send" in step ? step.send : undefined;
  }
}

/** Goes on compressed, behind the last packet of the login. */
async function compress(
  link: PacketLink,
  wanted: Compression | undefined,
  capabilities: number,
): Promise<void> {
  if (wanted === undefined) return;
  const compression = agreedCompression(capabilities, wanted.level);
  if (compression === undefined) {
    throw new CompressionNotOfferedError(wanted.algorithm);
  }
  await link.replace(
    (transport) =>
      compressedTransport(transport, { compression, side: "client" }).transport,
    { numbered: false },
  );
}

async function readPacket(
  reader: PacketReader,
  signal: AbortSignal,
): Promise<Packet> {
  const packet = await reader.read({ signal });
  if (packet === null) {
    throw new ConnectionError("closed", "Connection closed by the server");
  }
  return packet;
}
