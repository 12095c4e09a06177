import type { TLSSocket } from "node:tls";
import { TlsError } from "../tls/tls_error.ts";
import { ConnectionError, connectionErrorFrom } from "./connection_error.ts";
import { abortable } from "./abortable.ts";
import type { Transport } from "./transport.ts";
import type { TransportDuplex } from "./transport_duplex.ts";

/** How a connection is secured, as `SHOW STATUS LIKE 'Ssl%'` names it. */
export interface TlsFacts {
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly version: string;
  /** OpenSSL's name of the cipher suite. */
  readonly cipher: string;
}

/** A transport over TLS. */
export interface TlsTransport extends Transport {
  readonly tls: TlsFacts;
  closeWrite(): Promise<void>;
}

/** After so many turns of the event loop without a write there is none to come. */
const IDLE_TURNS = 3;

/** What is being written when a connection fails. */
type Rejecter = (cause: unknown) => void;

/**
 * One end of a TLS connection over a transport: waits for the handshake, and
 * makes a transport of what lies behind it.
 *
 * Node's streams tell of a failure in several ways, some of them not at all;
 * here each read and write that is under way or comes later fails with it, and
 * everything below is closed.
 */
export class TlsLayer {
  readonly #socket: TLSSocket;
  readonly #below: TransportDuplex;
  readonly #transport: Transport;
  readonly #ready = Promise.withResolvers<void>();
  readonly #writing = new Set<Rejecter>();
  #established = false;
  #failure: unknown;
  #readable: ReadableStreamDefaultController<Uint8Array> | undefined;

  /**
   * @param socket made over `below`; its handshake goes on by itself
   * @param below over `transport`
   * @param readyEvent what the socket emits at the end of its handshake
   */
  constructor(
    socket: TLSSocket,
    below: TransportDuplex,
    transport: Transport,
    readyEvent: "secure" | "secureConnect",
  ) {
    this.#socket = socket;
    this.#below = below;
    this.#transport = transport;
    // Whoever does not wait for the handshake any more is told by the signal.
    this.#ready.promise.catch(() => {});
    const fail = (cause: unknown) => this.#fail(cause);
    socket.once(readyEvent, () => this.#ready.resolve());
    socket.on("error", fail);
    // What a socket without a `tls.Server` emits for faults of TLS itself.
    socket.on("_tlsError", fail);
    socket.on("close", () => fail(undefined));
    below.on("error", fail);
    below.on("close", () => fail(undefined));
    below.once("end", () => this.#ended());
  }

  /**
   * Waits for the end of the handshake.
   *
   * @throws {TlsError} `handshake` if the two ends do not agree
   * @throws {ConnectionError} if the connection breaks, or the signal fires
   */
  async handshake(signal: AbortSignal | undefined): Promise<void> {
    try {
      await abortable(this.#ready.promise, signal);
      this.#established = true;
    } catch (cause) {
      this.#fail(cause);
      throw cause;
    }
  }

  /** The version and cipher agreed on. */
  get facts(): TlsFacts {
    return {
      version: this.#socket.getProtocol() ?? "",
      cipher: this.#socket.getCipher()?.name ?? "",
    };
  }

  /** The peer's certificates as DER, its own first; none if it gave none. */
  get peerChain(): Uint8Array[] {
    const chain: Uint8Array[] = [];
    let one = this.#socket.getPeerCertificate(true);
    while (one?.raw !== undefined) {
      chain.push(one.raw);
      // The last one of a whole chain has itself as its issuer.
      if (one.issuerCertificate === one) break;
      one = one.issuerCertificate;
    }
    return chain;
  }

  /** The transport behind the handshake. */
  transport(): TlsTransport {
    const socket = this.#socket;
    return {
      readable: this.#readableStream(),
      writable: this.#writableStream(),
      remote: this.#transport.remote,
      tls: this.facts,
      closeWrite: () => this.#closeWrite(),
      close: () => {
        this.#fail(new ConnectionError("closed", "Connection closed by us"));
        socket.destroy();
      },
    };
  }

  /** Closes everything. */
  close(): void {
    this.#fail(new ConnectionError("closed", "Connection closed by us"));
  }

  #readableStream(): ReadableStream<Uint8Array> {
    const socket = this.#socket;
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        if (this.#failure !== undefined) {
          controller.error(this.#failure);
          return;
        }
        this.#readable = controller;
        socket.on("data", (chunk: Uint8Array) => {
          if (this.#readable === undefined) return;
          this.#below.wanted = false;
          // Node gives a `Buffer`, whose `slice` is a view and no copy.
          const { buffer, byteOffset, length } = chunk;
          controller.enqueue(new Uint8Array(buffer, byteOffset, length));
        });
        socket.once("end", () => {
          if (this.#readable === undefined) return;
          this.#readable = undefined;
          controller.close();
        });
        this.#below.wanted = false;
      },
      pull: () => void (this.#below.wanted = true),
      cancel: () => {
        this.#readable = undefined;
        this.close();
      },
    }, { highWaterMark: 0 });
  }

  #writableStream(): WritableStream<Uint8Array> {
    return new WritableStream<Uint8Array>({
      write: (chunk) => this.#write(chunk),
      close: () => this.#closeWrite(),
      abort: () => this.close(),
    });
  }

  #write(chunk: Uint8Array): Promise<void> {
    return this.#whileAlive((done) => this.#socket.write(chunk, done));
  }

  /**
   * Says the last word of TLS (close_notify) behind what was written, and ends
   * what the transport sends.
   */
  async #closeWrite(): Promise<void> {
    await this.#whileAlive((done) => this.#socket.end(() => done()));
    // The socket hands on what it has said last, piece after piece, each when
    // the one before is written, and does not say when that was all.
    for (let idleTurns = 0; idleTurns < IDLE_TURNS;) {
      await this.#whileAlive((done) => void setTimeout(done, 0));
      idleTurns = this.#below.writableLength === 0 ? idleTurns + 1 : 0;
    }
    await this.#whileAlive((done) => this.#below.end(() => done()));
  }

  /**
   * The peer sends nothing more. Node waits for the rest of the handshake all
   * the same; what has come of it is looked at within a few turns.
   */
  #ended(turns = IDLE_TURNS): void {
    if (this.#established || this.#failure !== undefined) return;
    if (turns === 0) this.#fail(undefined);
    else setTimeout(() => this.#ended(turns - 1), 0);
  }

  /** Does one thing to the socket; fails when the connection does. */
  #whileAlive(
    act: (done: (error?: Error | null) => void) => void,
  ): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#writing.add(reject);
    act((error) => {
      this.#writing.delete(reject);
      if (error) reject(connectionErrorFrom(error));
      else resolve();
    });
    return promise;
  }

  /** Fails whatever waits, and closes; the first cause counts. */
  #fail(cause: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = this.#established
      ? brokenError(cause)
      : handshakeError(cause);
    this.#ready.reject(this.#failure);
    const readable = this.#readable;
    this.#readable = undefined;
    readable?.error(this.#failure);
    for (const reject of this.#writing) reject(this.#failure);
    this.#writing.clear();
    this.#socket.destroy();
    if (this.#failure instanceof TlsError) this.#below.destroy();
    else this.#below.cut();
  }
}

function handshakeError(cause: unknown): Error {
  if (cause instanceof ConnectionError || cause instanceof TlsError) {
    return cause;
  }
  if (isOfTls(cause)) return tlsErrorFrom(cause);
  if (cause instanceof Deno.errors.ConnectionReset) {
    return connectionErrorFrom(cause);
  }
  return new ConnectionError(
    "closed",
    "Connection closed by the peer during the TLS handshake",
    { cause },
  );
}

/** What ended a connection that was established. */
function brokenError(cause: unknown): ConnectionError {
  if (!isOfTls(cause)) {
    return connectionErrorFrom(cause ?? new Error("by the peer"));
  }
  // TLS 1.3 clients hear only now what the server thinks of their certificate.
  const error = tlsErrorFrom(cause);
  return new ConnectionError("reset", error.message, { cause: error });
}

function tlsErrorFrom(cause: Error & { code: string }): TlsError {
  if (/_ALERT_.*(CERT|UNKNOWN_CA)/.test(cause.code)) {
    return new TlsError(
      "own-certificate",
      `TLS handshake failed, the peer refuses our certificate or wants one: ${cause.message}`,
      { cause },
    );
  }
  return new TlsError("handshake", `TLS handshake failed: ${cause.message}`, {
    cause,
  });
}

/** Whether an error is one of TLS itself, not of the connection below. */
function isOfTls(cause: unknown): cause is Error & { code: string } {
  return cause instanceof Error && "code" in cause &&
    typeof cause.code === "string" &&
    cause.code !== "ECONNRESET" && cause.code !== "EPIPE" &&
    !cause.code.startsWith("ERR_STREAM");
}
