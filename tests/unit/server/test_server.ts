import { ClientConnection } from "../../../lib/connection/client_connection.ts";
import type { ConnectOptions } from "../../../lib/connection/client_connection.ts";
import { GtidSet } from "../../../lib/gtid/gtid_set.ts";
import { type Log, silentLog } from "../../../lib/log/log.ts";
import { BinlogServer } from "../../../lib/server/binlog_server.ts";
import type {
  DumpHandler,
  DumpRequest,
  DumpSession,
} from "../../../lib/server/dump_handler.ts";
import type { LogPurger } from "../../../lib/server/log_purger.ts";
import type { ServerOptions } from "../../../lib/server/server_options.ts";
import type { ServerStore } from "../../../lib/server/server_store.ts";
import { formatDescription97 } from "./statement_session.ts";

/** What the source said; the identity that a test's server greets with. */
export const SOURCE = {
  flavour: "mysql" as const,
  serverId: "9701",
  uuid: "d63952fd-e6f6-11f1-a979-02fc00000001",
  version: "9.7.4",
  gtidMode: "ON",
  binlogFormat: "ROW",
  binlogChecksum: "CRC32",
};

/** A log of one file, and a place for the values beside it. */
export function testStore(meta: Record<string, unknown> = {}): ServerStore {
  const values = new Map(Object.entries(meta));
  let metaVersion = 0;
  const set = (text: string) => ({ toLines: () => text });
  return {
    head: {
      fileName: "binlog.000001",
      position: 839,
      executed: set(`${SOURCE.uuid}:1-5`),
      purged: set(""),
    },
    files: [{
      number: 1,
      name: "binlog.000001",
      firstBlock: 0,
      size: 839,
      closed: false,
      serverUuid: SOURCE.uuid,
      sourceName: "binlog.000001",
      spliced: false,
      mariadbStart: undefined,
      previousGtids: new GtidSet(),
      formatDescription: formatDescription97(),
      checksumAlgorithm: "crc32",
      firstTimestamp: 0,
      lastTimestamp: 0,
    }],
    openReader: () => Promise.reject(new TypeError("it has no events")),
    get metaVersion() {
      return metaVersion;
    },
    getMeta: (name) => Promise.resolve(structuredClone(values.get(name))),
    setMeta: (name, value) => {
      values.set(name, structuredClone(value));
      metaVersion++;
      return Promise.resolve();
    },
  };
}

type Run = (session: DumpSession, request: DumpRequest) => Promise<void>;

/** What a test's server is made with. */
export interface TestServerOptions {
  readonly server?: Partial<ServerOptions>;
  readonly store?: ServerStore;
  readonly dump?: Run;
  readonly purger?: LogPurger;
  readonly log?: Log;
}

/** A server on a free loopback port that stops when it goes out of scope. */
export class TestServer implements AsyncDisposable {
  readonly server: BinlogServer;
  readonly port: number;

  private constructor(server: BinlogServer) {
    this.server = server;
    const { listen } = server.status();
    this.port = Number(listen.slice(listen.lastIndexOf(":") + 1));
  }

  static async start(options: TestServerOptions = {}): Promise<TestServer> {
    const dumpHandler: DumpHandler = { run: options.dump ?? waitForEnd };
    const server = new BinlogServer({
      store: options.store ?? testStore({ "source/identity": SOURCE }),
      dumpHandler,
      purger: options.purger,
      log: options.log ?? silentLog(),
    });
    await server.start({
      hostname: "127.0.0.1",
      port: 0,
      accounts: [
        { name: "repl", password: "replpass" },
        { name: "other", password: "otherpass" },
      ],
      identity: "own",
      connectionsMax: 20,
      loginTimeoutMs: 2000,
      drainTimeoutMs: 500,
      ...options.server,
    });
    return new TestServer(server);
  }

  /** Logs in as `repl`. */
  connect(options: Partial<ConnectOptions> = {}): Promise<ClientConnection> {
    return ClientConnection.connect({
      hostname: "127.0.0.1",
      port: this.port,
      user: "repl",
      password: "replpass",
      connectTimeoutMs: 5000,
      ...options,
    });
  }

  /** A TCP connection without a login. */
  dial(): Promise<Deno.TcpConn> {
    return Deno.connect({ hostname: "127.0.0.1", port: this.port });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.server.stop();
  }
}

/** A dump that sends nothing and ends when it is told to. */
function waitForEnd({ signal }: DumpSession): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  signal.addEventListener("abort", () => resolve(), { once: true });
  return promise;
}

/** Waits until `condition` holds, at most five seconds. */
export async function eventually(condition: () => boolean): Promise<void> {
  const deadlineMs = Date.now() + 5000;
  while (!condition()) {
    if (Date.now() > deadlineMs) throw new TypeError("Waited too long");
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Everything that arrives until the peer closes. */
export async function readToEnd(conn: Deno.TcpConn): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const buffer = new Uint8Array(65_536);
  for (;;) {
    const count = await conn.read(buffer);
    if (count === null) break;
    parts.push(buffer.slice(0, count));
  }
  const bytes = new Uint8Array(
    parts.reduce((sum, part) => sum + part.length, 0),
  );
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/** One packet off a raw connection. */
export async function readPacket(
  conn: Deno.TcpConn,
): Promise<{ sequenceId: number; payload: Uint8Array }> {
  const header = await readExactly(conn, 4);
  const length = header[0]! | (header[1]! << 8) | (header[2]! << 16);
  return {
    sequenceId: header[3]!,
    payload: await readExactly(conn, length),
  };
}

async function readExactly(
  conn: Deno.TcpConn,
  count: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(count);
  let offset = 0;
  while (offset < count) {
    const read = await conn.read(bytes.subarray(offset));
    if (read === null) throw new TypeError(`Ended after ${offset} of ${count}`);
    offset += read;
  }
  return bytes;
}
