import { ClientConnection } from "../../lib/connection/client_connection.ts";
import { ConnectionError } from "../../lib/connection/connection_error.ts";
import { freePort } from "../test_servers/free_port.ts";
import { ProcessWatchdog } from "../test_servers/process_watchdog.ts";
import { waitUntil } from "../test_servers/wait_until.ts";
import { BenchError } from "./bench_error.ts";
import { spawnDeno } from "./bench_process.ts";
import { type LogServer, REPLICATION, type SourceLog } from "./bench_source.ts";
import { type ProcessUsage, processUsage, resetPeak } from "./process_usage.ts";

/** How {@linkcode KingbusProcess.start} starts it. */
export interface KingbusProcessOptions {
  /** Entry point. */
  readonly main: string;
  /** Folder of its data; goes on with what is there. */
  readonly dataDir: string;
  /** More of the configuration's section `server`. */
  readonly server?: Readonly<Record<string, unknown>>;
}

/** How often its head is asked for: a small part of what is measured. */
const POLL_MS = 20;

/** How long it may take to come up, or to go. */
const START_MS = 30_000;

/** Longer than this no source takes to be caught up with here. */
const CATCH_UP_MS = 600_000;

/** Permissions and flags of V8 that `deno task start` gives. */
export async function startFlags(): Promise<string[]> {
  const path = new URL("../../deno.json", import.meta.url);
  const { tasks } = JSON.parse(await Deno.readTextFile(path));
  return String(tasks.start).match(/--(?:allow|v8-flags)\S+/g) ?? [];
}

/** kingbus in a process of its own, as users run it. */
export class KingbusProcess implements LogServer, AsyncDisposable {
  readonly hostname = "127.0.0.1";
  readonly port: number;
  /** `http://host:port` of its admin API. */
  readonly adminUrl: string;
  readonly #child: Deno.ChildProcess;
  readonly #watchdog: ProcessWatchdog;
  readonly #output: Promise<void>;
  #control: ClientConnection | undefined;

  private constructor(
    child: Deno.ChildProcess,
    port: number,
    adminPort: number,
    dataDir: string,
  ) {
    this.#child = child;
    // Where the benchmark is ended early, it and what it stored go too.
    this.#watchdog = new ProcessWatchdog(child.pid, dataDir);
    this.port = port;
    this.adminUrl = `http://127.0.0.1:${adminPort}`;
    this.#output = discard(child.stdout);
  }

  /** Starts it and waits until it serves replicas. */
  static async start(options: KingbusProcessOptions): Promise<KingbusProcess> {
    const { main, dataDir } = options;
    const port = freePort();
    const adminPort = freePort();
    const config = `${dataDir}/kingbus.yaml`;
    await Deno.mkdir(dataDir, { recursive: true });
    // Any JSON is YAML.
    await Deno.writeTextFile(
      config,
      JSON.stringify({
        "data-dir": `${dataDir}/data`,
        admin: { listen: `127.0.0.1:${adminPort}` },
        server: {
          listen: `127.0.0.1:${port}`,
          users: [{
            name: REPLICATION.user,
            password: REPLICATION.password,
            rights: ["admin"],
          }],
          ...options.server,
        },
        log: { level: "warn" },
      }),
    );
    const child = spawnDeno(await startFlags(), main, [
      "serve",
      "--config",
      config,
    ]);
    const kingbus = new KingbusProcess(child, port, adminPort, dataDir);
    let ended: Deno.CommandStatus | undefined;
    void child.status.then((status) => ended = status);
    try {
      kingbus.#control = await waitUntil(
        "kingbus served replicas",
        () => {
          if (ended !== undefined) {
            throw new BenchError(`kingbus ended with code ${ended.code}`);
          }
          return kingbus.#connect();
        },
        { deadlineMs: START_MS },
      );
    } catch (error) {
      await kingbus[Symbol.asyncDispose]();
      throw error;
    }
    return kingbus;
  }

  /** Begins to follow a source, through the admin API. */
  async follow(
    source: LogServer,
    { semiSync = false } = {},
  ): Promise<void> {
    await this.#put("/binlog/syncer/start", {
      mysql_addr: `${source.hostname}:${source.port}`,
      mysql_user: REPLICATION.user,
      mysql_password: REPLICATION.password,
      semi_sync: semiSync,
    });
  }

  /** Begins to follow a source without TLS, even if that offers it. */
  async followPlain(source: LogServer): Promise<void> {
    const { user, password } = REPLICATION;
    await this.#control!.query(
      `CHANGE REPLICATION SOURCE TO SOURCE_HOST = '${source.hostname}',
       SOURCE_PORT = ${source.port}, SOURCE_USER = '${user}',
       SOURCE_PASSWORD = '${password}', SOURCE_SSL = 0`,
    );
    await this.#control!.query("START REPLICA");
  }

  /** Follows no source any more. */
  async stopFollowing(): Promise<void> {
    await this.#put("/binlog/syncer/stop", {});
  }

  /** Waits until it holds all of a log, durable and visible. */
  async caughtUp(log: SourceLog): Promise<void> {
    await waitUntil(
      `kingbus reached ${log.lastFile} position ${log.lastPosition}`,
      async () => {
        const head = await this.#head();
        if (head === undefined) return false;
        return head.file > log.lastFile ||
          head.file === log.lastFile && head.position >= log.lastPosition;
      },
      { deadlineMs: CATCH_UP_MS, intervalMs: POLL_MS },
    );
  }

  /** What it has used so far. */
  async usage(): Promise<ProcessUsage> {
    return await processUsage(this.#child.pid);
  }

  /** Has its peak of memory counted anew from now on. */
  async resetPeak(): Promise<void> {
    await resetPeak(this.#child.pid);
  }

  /** Ends it in order. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#control?.close();
    try {
      this.#child.kill("SIGTERM");
    } catch {
      // It ended by itself.
    }
    await this.#child.status;
    await this.#output;
    await this.#watchdog.dismiss();
  }

  async #connect(): Promise<ClientConnection | undefined> {
    const { hostname, port } = this;
    try {
      return await ClientConnection.connect({ hostname, port, ...REPLICATION });
    } catch (error) {
      if (error instanceof ConnectionError) return undefined;
      throw error;
    }
  }

  /** Its newest durable position, as a client of its binlog server sees it. */
  async #head(): Promise<{ file: string; position: number } | undefined> {
    const { rows } = await this.#control!.query("SHOW MASTER STATUS");
    const [file, position] = rows[0] ?? [];
    return file === undefined
      ? undefined
      : { file: file ?? "", position: Number(position) };
  }

  async #put(path: string, body: unknown): Promise<void> {
    const answer = await fetch(`${this.adminUrl}${path}`, {
      method: "PUT",
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new BenchError(`kingbus refused ${path}: ${text}`);
  }
}

async function discard(output: ReadableStream<Uint8Array>): Promise<void> {
  for await (const _chunk of output);
}
