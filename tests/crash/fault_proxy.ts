import { createServer, type Server, type Socket } from "node:net";
import net from "node:net";

/** How connections are ended. */
export type CutKind = "fin" | "rst" | "truncate";

/** An order that is carried out when its bytes have passed. */
interface Cut {
  readonly kind: CutKind;
  /** Bytes of the server that still pass. */
  bytesLeft: number;
  readonly done: () => void;
}

/** How often a server that is not there is dialled again, in ms. */
const REDIAL_MS = 25;

/** How long a client waits for a server that is not there, in ms. */
const PATIENCE_MS = 15_000;

/**
 * A TCP proxy on a port of its own that does to connections what networks do:
 * ends them (FIN or RST) after any number of bytes or inside a packet, delays
 * what passes, holds it up, or loses both ends of each other. It changes and
 * reorders nothing.
 */
export class FaultProxy implements AsyncDisposable {
  readonly #targetPort: number;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  /** Orders, carried out one after another. */
  readonly #orders: Cut[] = [];
  #gate: Promise<void> = Promise.resolve();
  #pieceDelayMs = 0;
  #closed = false;
  /** Bytes that servers sent through it. */
  bytes = 0;
  /** Connections it ended by an order. */
  cuts = 0;
  /** Whether a client is refused at once while the server is not there. */
  refusesWhileDown = false;

  private constructor(server: Server, targetPort: number) {
    this.#server = server;
    this.#targetPort = targetPort;
    server.on("connection", (client) => void this.#serve(client));
  }

  /** Begins to take connections for a port of 127.0.0.1. */
  static async open(targetPort: number): Promise<FaultProxy> {
    const server = createServer({ allowHalfOpen: false });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", resolve);
    });
    return new FaultProxy(server, targetPort);
  }

  /** Port it listens on. */
  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /**
   * Ends all connections when so many bytes more have come from the server;
   * `truncate` waits on for the inside of a packet. An order given before that
   * was carried out counts from then.
   *
   * @returns resolves when that was done; `disarm` takes the order back
   */
  cutAfter(kind: CutKind, bytes: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#orders.push({ kind, bytesLeft: bytes, done: resolve });
    return promise;
  }

  /** Takes back the orders that were not carried out. */
  disarm(): void {
    this.#orders.length = 0;
  }

  /** Holds back each piece, in both directions, for so long. */
  delayPieces(ms: number): void {
    this.#pieceDelayMs = ms;
  }

  /** Passes nothing on until the answered function is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate = promise;
    return resolve;
  }

  /**
   * Never passes anything on again between those who are connected now, and
   * closes nothing either.
   */
  silence(): void {
    for (const pair of this.#pairs) pair.silent = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const pair of this.#pairs) pair.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #serve(client: Socket): Promise<void> {
    client.on("error", ignore);
    client.setNoDelay(true);
    const server = await this.#dial(client);
    if (server === undefined) {
      client.destroy();
      return;
    }
    const pair = new Pair(client, server);
    this.#pairs.add(pair);
    await Promise.all([
      this.#pump(pair, client, server, undefined),
      this.#pump(pair, server, client, new PacketTracker()),
    ]);
    pair.destroy();
    this.#pairs.delete(pair);
  }

  async #dial(client: Socket): Promise<Socket | undefined> {
    const deadline = performance.now() + PATIENCE_MS;
    while (!this.#closed && !client.destroyed) {
      const server = await connectTo(this.#targetPort);
      if (server !== undefined) return server;
      if (this.refusesWhileDown || performance.now() > deadline) {
        return undefined;
      }
      await sleep(REDIAL_MS);
    }
    return undefined;
  }

  /** Passes on what comes; `tracker` says that it comes from the server. */
  async #pump(
    pair: Pair,
    from: Socket,
    to: Socket,
    tracker: PacketTracker | undefined,
  ): Promise<void> {
    try {
      for await (const chunk of from as AsyncIterable<Uint8Array>) {
        if (this.#pieceDelayMs > 0) await sleep(this.#pieceDelayMs);
        await this.#gate;
        // Read all the same: that is how this end is seen to go.
        if (pair.silent) continue;
        if (pair.destroyed) return;
        if (tracker !== undefined) this.bytes += chunk.length;
        const cut = tracker === undefined ? undefined : this.#orders[0];
        if (cut !== undefined) {
          const at = cutPoint(cut, chunk, tracker!);
          if (at !== undefined) {
            await passOn(to, chunk.subarray(0, at));
            this.#end(cut);
            return;
          }
        }
        tracker?.push(chunk, chunk.length);
        await passOn(to, chunk);
      }
      if (!pair.silent) to.end();
    } catch {
      if (!pair.silent) pair.destroy();
    }
  }

  #end(cut: Cut): void {
    if (this.#orders[0] === cut) this.#orders.shift();
    for (const pair of this.#pairs) {
      this.cuts++;
      pair.cut(cut.kind === "rst");
    }
    cut.done();
  }
}

/** A client and the server it talks to. */
class Pair {
  readonly client: Socket;
  readonly server: Socket;
  silent = false;

  constructor(client: Socket, server: Socket) {
    this.client = client;
    this.server = server;
  }

  get destroyed(): boolean {
    return this.client.destroyed || this.server.destroyed;
  }

  /** Closes both ends: with a reset, or in order after what was sent. */
  cut(reset: boolean): void {
    for (const socket of [this.client, this.server]) {
      if (reset) socket.resetAndDestroy();
      else socket.destroySoon();
    }
  }

  destroy(): void {
    this.client.destroy();
    this.server.destroy();
  }
}

/** Knows where in a packet a stream of MySQL packets is. */
class PacketTracker {
  readonly #header: number[] = [];
  #left = 0;

  /** Goes on by `count` bytes of `chunk`. */
  push(chunk: Uint8Array, count: number): void {
    for (let at = 0; at < count;) {
      if (this.#left === 0) {
        this.#header.push(chunk[at++]!);
        if (this.#header.length < 4) continue;
        const [low = 0, middle = 0, high = 0] = this.#header.splice(0);
        this.#left = low | middle << 8 | high << 16;
      } else {
        const step = Math.min(count - at, this.#left);
        this.#left -= step;
        at += step;
      }
    }
  }

  /** One that can go ahead by itself. */
  clone(): PacketTracker {
    const copy = new PacketTracker();
    copy.#header.push(...this.#header);
    copy.#left = this.#left;
    return copy;
  }

  /** Whether the next byte is neither a packet's first nor beyond its last. */
  get inside(): boolean {
    return this.#left > 0 || this.#header.length > 0;
  }
}

/** Where in `chunk` to cut; undefined: not in this one. Counts its bytes. */
function cutPoint(
  cut: Cut,
  chunk: Uint8Array,
  tracker: PacketTracker,
): number | undefined {
  if (cut.bytesLeft > chunk.length) {
    cut.bytesLeft -= chunk.length;
    return undefined;
  }
  const at = cut.bytesLeft;
  if (cut.kind !== "truncate") return at;
  const ahead = tracker.clone();
  ahead.push(chunk, at);
  if (ahead.inside) return at;
  // Between two packets: inside the next one's header.
  if (at < chunk.length) return at + 1;
  cut.bytesLeft = 0;
  return undefined;
}

function connectTo(port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.setNoDelay(true);
    socket.once("connect", () => resolve(socket));
    socket.on("error", () => resolve(undefined));
  });
}

async function passOn(to: Socket, chunk: Uint8Array): Promise<void> {
  if (chunk.length === 0) return;
  await new Promise<void>((resolve, reject) => {
    to.write(chunk, (error) => error ? reject(error) : resolve());
  });
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function ignore(): void {
  // The pump sees that its connection is gone.
}
