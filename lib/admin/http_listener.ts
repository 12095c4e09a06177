import { getRequestListener } from "@hono/node-server";
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type Address, formatAddress } from "../config/address.ts";
import type { Credentials } from "../tls/credentials.ts";
import { AdminListenError } from "./admin_listen_error.ts";
import type { AdminRefusalReason } from "./connection_refusals.ts";
import { failure } from "./envelope.ts";
import { findHeadFault } from "./find_head_fault.ts";
import { formatHttpAnswer } from "./format_http_answer.ts";

/** Bytes a request's first line and headers may have. */
const HEAD_BYTES_MAX = 16 * 1024;
/** Connections at once; a status page takes a few, a probe one. */
const CONNECTIONS_MAX = 256;
/** How long the head of a request may take, and a TLS handshake. */
const HEAD_TIMEOUT_MS = 10_000;
/** How long a whole request may take to come. */
const REQUEST_TIMEOUT_MS = 30_000;
/** How long a connection stays that asks for nothing more. */
const IDLE_TIMEOUT_MS = 60_000;
/** How long a client may take to read an answer, but for an event stream. */
const ANSWER_TIMEOUT_MS = 30_000;
/** How often these are looked at. */
const CHECK_MS = 1000;
/** How long requests under way may take once the listener closes. */
const CLOSE_TIMEOUT_MS = 2000;

const EVENT_STREAM = "text/event-stream";

/** The limits of a listener, in ms where they are times. */
export interface HttpLimits {
  readonly connectionsMax: number;
  readonly headTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly answerTimeoutMs: number;
  readonly checkMs: number;
}

const LIMITS: HttpLimits = {
  connectionsMax: CONNECTIONS_MAX,
  headTimeoutMs: HEAD_TIMEOUT_MS,
  requestTimeoutMs: REQUEST_TIMEOUT_MS,
  idleTimeoutMs: IDLE_TIMEOUT_MS,
  answerTimeoutMs: ANSWER_TIMEOUT_MS,
  checkMs: CHECK_MS,
};

/** What an {@linkcode HttpListener} is made with. */
export interface HttpListenerOptions {
  readonly address: Address;
  /** Answers a request; never rejects. `remote` is the IP address it is from. */
  readonly answer: (request: Request, remote: string) => Promise<Response>;
  /** Told of each connection that gets no answer to what it asked. */
  readonly onRefused?:
    | ((reason: AdminRefusalReason, remote: string) => void)
    | undefined;
  /** Asked for the certificate at the start; undefined: plain HTTP. */
  readonly tls?: Credentials | undefined;
  /** Other limits than the usual ones, for tests. */
  readonly limits?: Partial<HttpLimits> | undefined;
}

/** What a connection broke off with, in words a client may be told. */
const FAULTS: Readonly<
  Record<string, readonly [number, string, AdminRefusalReason]>
> = {
  ERR_HTTP_REQUEST_TIMEOUT: [
    408,
    "the request took too long to come",
    "too-slow",
  ],
  HPE_HEADER_OVERFLOW: [
    431,
    "the head of the request is too large",
    "head-too-large",
  ],
};
/** Connections that ended by themselves: nothing was refused them. */
const GONE: readonly (string | undefined)[] = ["ECONNRESET", "EPIPE"];

/**
 * Listens for HTTP requests, with a limit on everything a client may take:
 * `Deno.serve` has none on the time a request's head takes, nor on the number
 * of connections, and answers what is no HTTP by itself. No request is held for
 * ever: a slow head, body or handshake, an idle connection and a client that
 * does not read its answer are each cut off in time.
 */
export class HttpListener implements AsyncDisposable {
  readonly #server: Server;
  readonly #limits: HttpLimits;
  readonly #answer: HttpListenerOptions["answer"];
  readonly #onRefused: HttpListenerOptions["onRefused"];
  readonly #sockets = new Set<Duplex>();
  /** Connections there was no place for: what they ask for is passed over. */
  readonly #sentAway = new WeakSet<Duplex>();
  /** Connections that it was told of already that they are refused. */
  readonly #told = new WeakSet<Duplex>();
  /** The answer that each connection is getting, or got last. */
  readonly #answers = new WeakMap<Duplex, ServerResponse>();
  /** Requests whose answers are not delivered yet. */
  readonly #underWay = new Set<Promise<void>>();
  #closing = false;

  private constructor(options: HttpListenerOptions) {
    const { tls, limits } = options;
    this.#answer = options.answer;
    this.#onRefused = options.onRefused;
    this.#limits = { ...LIMITS, ...limits };
    const { headTimeoutMs, requestTimeoutMs, idleTimeoutMs } = this.#limits;
    const settings = {
      maxHeaderSize: HEAD_BYTES_MAX,
      headersTimeout: headTimeoutMs,
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: idleTimeoutMs,
      connectionsCheckingInterval: this.#limits.checkMs,
      // That is told in the envelope.
      requireHostHeader: false,
    };
    this.#server = tls === undefined
      ? createServer(settings)
      : createTlsServer({
        ...settings,
        ...secretsOf(tls),
        minVersion: "TLSv1.2",
        handshakeTimeout: headTimeoutMs,
      });
    this.#attach(this.#server);
  }

  /**
   * Begins to listen.
   *
   * @throws {AdminListenError}
   */
  static async open(options: HttpListenerOptions): Promise<HttpListener> {
    const { hostname, port } = options.address;
    const listening = Promise.withResolvers<void>();
    try {
      const listener = new HttpListener(options);
      const server = listener.#server;
      server.once("error", listening.reject);
      server.listen({ host: hostname, port }, () => listening.resolve());
      await listening.promise;
      server.off("error", listening.reject);
      return listener;
    } catch (cause) {
      throw new AdminListenError(formatAddress(options.address), cause);
    }
  }

  /** Where it listens: the IP address and the port that was chosen. */
  get bound(): Address {
    const { address, port } = this.#server.address() as AddressInfo;
    return { hostname: address, port };
  }

  /** Has new connections get another certificate. */
  useCertificate(tls: Credentials): void {
    const server = this.#server as ReturnType<typeof createTlsServer>;
    server.setSecureContext({ ...secretsOf(tls), minVersion: "TLSv1.2" });
  }

  /**
   * Ends listening, once the requests under way are answered or their time is
   * up. Event streams are not waited for.
   */
  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    const closed = Promise.withResolvers<void>();
    this.#server.close(() => closed.resolve());
    await within(CLOSE_TIMEOUT_MS, Promise.all(this.#underWay));
    for (const socket of this.#sockets) socket.destroy();
    this.#server.closeAllConnections();
    // A connection that can't be ended must not keep kingbus from ending.
    await within(CLOSE_TIMEOUT_MS, closed.promise);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #attach(server: Server): void {
    const listener = getRequestListener(
      (request, { incoming, outgoing }) =>
        this.#respond(
          request,
          incoming as IncomingMessage,
          outgoing as ServerResponse,
        ),
      {
        overrideGlobalObjects: false,
        // Only HTTP/1.0 comes here without a Host header.
        hostname: "localhost",
        errorHandler: () => failure(400, "the request can't be read"),
      },
    );
    const serve = (incoming: IncomingMessage, outgoing: ServerResponse) => {
      if (this.#sentAway.has(incoming.socket)) return;
      this.#answers.set(incoming.socket, outgoing);
      const fault = findHeadFault(incoming);
      if (fault === undefined) {
        listener(incoming, outgoing);
      } else {
        this.#refused("malformed", incoming.socket);
        send(outgoing.socket, failure(fault.status, fault.message));
      }
    };
    server.on("request", serve);
    // Whatever it expects: it gets its answer.
    server.on("checkExpectation", serve);
    server.on("connection", (socket: Duplex) => this.#count(socket));
    server.on(
      "connect",
      (_: IncomingMessage, socket: Duplex) => {
        this.#refused("malformed", socket);
        send(socket, failure(405, "kingbus is no proxy", { allow: "GET" }));
      },
    );
    server.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) => {
      const [status, message, reason] = FAULTS[error.code ?? ""] ??
        [400, "this is no HTTP request", "malformed"];
      if (!GONE.includes(error.code)) this.#refused(reason, socket);
      const answer = this.#answers.get(socket);
      const isHalfSent = answer?.headersSent && !answer.writableFinished;
      if (isHalfSent) socket.destroy();
      else send(socket, failure(status, message));
    });
    // Before the server's own listener, which makes a client's error of it.
    server.prependListener(
      "tlsClientError",
      ({ code }: NodeJS.ErrnoException, socket: Duplex) => {
        if (!GONE.includes(code)) this.#refused("tls-failed", socket);
        socket.destroy();
      },
    );
  }

  /** Sends away whoever comes when all places are taken. */
  #count(socket: Duplex): void {
    if (this.#sockets.size >= this.#limits.connectionsMax) {
      this.#refused("too-many-connections", socket);
      this.#sentAway.add(socket);
      send(socket, failure(503, "there are too many connections"));
      return;
    }
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
  }

  /** Tells of a connection that is refused, once. */
  #refused(reason: AdminRefusalReason, socket: Duplex): void {
    if (this.#sentAway.has(socket) || this.#told.has(socket)) return;
    this.#told.add(socket);
    const { remoteAddress = "" } = socket as Partial<Socket>;
    this.#onRefused?.(reason, remoteAddress);
  }

  async #respond(
    request: Request,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
  ): Promise<Response> {
    if (this.#closing) return failure(503, "kingbus is stopping");
    const { socket } = incoming;
    const delivered = Promise.withResolvers<void>();
    outgoing.once("close", delivered.resolve);
    socket.once("close", delivered.resolve);
    const done = delivered.promise.finally(() => {
      socket.off("close", delivered.resolve);
      this.#underWay.delete(done);
    });
    this.#underWay.add(done);
    const remote = socket.remoteAddress ?? "";
    const response = await this.#answer(request, remote);
    const type = response.headers.get("content-type") ?? "";
    if (type.startsWith(EVENT_STREAM)) {
      this.#underWay.delete(done);
    } else {
      const timer = setTimeout(() => {
        this.#refused("not-read", socket);
        socket.destroy();
      }, this.#limits.answerTimeoutMs);
      done.finally(() => clearTimeout(timer));
    }
    // What is left of the body would be taken for the next request.
    if (!incoming.complete) response.headers.set("connection", "close");
    return response;
  }
}

/** Waits for something, and no longer than it may take. */
async function within(waitMs: number, what: Promise<unknown>): Promise<void> {
  const timeUp = Promise.withResolvers<void>();
  const timer = setTimeout(timeUp.resolve, waitMs);
  await Promise.race([what, timeUp.promise]);
  clearTimeout(timer);
}

function secretsOf(
  { certificatePem, keyPem }: Credentials,
): { cert?: string; key?: string } {
  return {
    ...certificatePem === undefined ? {} : { cert: certificatePem },
    ...keyPem === undefined ? {} : { key: keyPem },
  };
}

/** Writes an answer where no request has been read, and ends the connection. */
function send(socket: Duplex | null, response: Response): void {
  if (socket === null || !socket.writable) {
    socket?.destroy();
    return;
  }
  formatHttpAnswer(response).then((text) => {
    socket.end(text, () => socket.destroy());
  }, () => socket.destroy());
}
