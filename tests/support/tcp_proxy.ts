import type { ServerAddress } from "./test_kingbus.ts";

/** Which side of a connection sent something. */
export type ProxySide = "client" | "server";

/** Is told of every piece before it is passed on. */
export type ProxyObserver = (
  connection: number,
  from: ProxySide,
  bytes: Uint8Array,
) => void;

/** Both ends of a connection that goes through a proxy. */
interface Pair {
  readonly client: Deno.TcpConn;
  readonly server: Deno.TcpConn;
}

/**
 * A TCP proxy on a free port that a test can make go silent, cut, or deliver
 * in small pieces: the faults of a network, without one.
 */
export class TcpProxy implements AsyncDisposable {
  readonly #target: ServerAddress;
  readonly #observe: ProxyObserver;
  readonly #listener: Deno.TcpListener;
  readonly #pairs = new Set<Pair>();
  readonly #tasks = new Set<Promise<void>>();
  #gate = Promise.withResolvers<void>();
  #connections = 0;
  #silent = false;
  /** Bytes that the server may send before silence falls. */
  #bytesLeft = Infinity;
  /** What the server sends is passed on in pieces of at most so many bytes. */
  pieceBytesMax = 65_536;
  /** Connections from this one on are heard in silence, too; none by default. */
  heardFrom = Infinity;

  /**
   * Begins to listen for connections to `target`.
   *
   * @param observe is told of all that passes; connections count from 0
   */
  constructor(target: ServerAddress, observe: ProxyObserver = () => {}) {
    this.#target = target;
    this.#observe = observe;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#gate.resolve();
    this.#track(this.#accept());
  }

  /** Port it listens on. */
  get port(): number {
    return this.#listener.addr.port;
  }

  /** Connections it has taken so far. */
  get connections(): number {
    return this.#connections;
  }

  /** Connections that are open. */
  get open(): number {
    return this.#pairs.size;
  }

  /** Whether it passes nothing on. */
  get silent(): boolean {
    return this.#silent;
  }

  /** Passes nothing on any more, and closes nothing either. */
  silence(): void {
    if (this.#silent) return;
    this.#silent = true;
    this.#gate = Promise.withResolvers();
  }

  /** Goes silent when the server has sent so many bytes more. */
  silenceAfter(bytes: number): void {
    this.#bytesLeft = bytes;
  }

  /** Ends the silence: what was held back goes on its way. */
  speak(): void {
    this.#bytesLeft = Infinity;
    this.#silent = false;
    this.#gate.resolve();
  }

  /** Breaks off every connection. */
  cut(): void {
    for (const { client, server } of this.#pairs) {
      closeQuietly(client);
      closeQuietly(server);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.cut();
    this.speak();
    while (this.#tasks.size > 0) await Promise.all(this.#tasks);
  }

  #track(task: Promise<void>): void {
    const tracked = task.finally(() => this.#tasks.delete(tracked));
    this.#tasks.add(tracked);
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) {
      this.#track(this.#serve(client, this.#connections));
      this.#connections += 1;
    }
  }

  async #serve(client: Deno.TcpConn, connection: number): Promise<void> {
    let server: Deno.TcpConn;
    try {
      const { hostname = "127.0.0.1", port } = this.#target;
      server = await Deno.connect({ hostname, port });
    } catch {
      // nobody listens: the client sees its connection close
      closeQuietly(client);
      return;
    }
    const pair = { client, server };
    this.#pairs.add(pair);
    await Promise.all([
      this.#pump(connection, client, server, (piece) => {
        this.#observe(connection, "client", piece);
        return piece.length;
      }),
      this.#pump(connection, server, client, (piece) => {
        const bytes = connection < this.heardFrom
          ? this.#serverPiece(piece.length)
          : piece.length;
        this.#observe(connection, "server", piece.subarray(0, bytes));
        return bytes;
      }),
    ]);
    closeQuietly(client);
    closeQuietly(server);
    this.#pairs.delete(pair);
  }

  /** How many of these bytes of the server to pass on at once. */
  #serverPiece(bytes: number): number {
    const piece = Math.min(bytes, this.pieceBytesMax, this.#bytesLeft);
    this.#bytesLeft -= piece;
    if (this.#bytesLeft === 0) this.silence();
    return piece;
  }

  /** Resolves when what such a connection sends may go on its way. */
  #mayPass(connection: number): Promise<void> {
    return connection < this.heardFrom ? this.#gate.promise : Promise.resolve();
  }

  async #pump(
    connection: number,
    from: Deno.TcpConn,
    to: Deno.TcpConn,
    pieceOf: (bytes: Uint8Array) => number,
  ): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (;;) {
        const count = await from.read(buffer);
        if (count === null) {
          // in silence nobody hears of an end either
          await this.#mayPass(connection);
          break;
        }
        let at = 0;
        while (at < count) {
          await this.#mayPass(connection);
          const end = at + pieceOf(buffer.subarray(at, count));
          while (at < end) at += await to.write(buffer.subarray(at, end));
        }
      }
      await to.closeWrite();
    } catch {
      await this.#mayPass(connection);
      // one end is gone: so goes the other
      closeQuietly(from);
      closeQuietly(to);
    }
  }
}

function closeQuietly(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    // it was closed before
  }
}
