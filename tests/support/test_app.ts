import { type App, openApp } from "../../lib/app.ts";
import {
  ClientConnection,
  type ConnectOptions,
} from "../../lib/connection/client_connection.ts";
import { formatAddress } from "../../lib/config/address.ts";
import { loadOptions } from "../../lib/config/load_config.ts";
import { openLog } from "../../lib/log/log.ts";
import { REPLICATION_ACCOUNT } from "../../scripts/test_servers/mysql56.ts";
import { waitUntil } from "../../scripts/test_servers/wait_until.ts";
import { GtidSet } from "../../lib/gtid/gtid_set.ts";
import type { ServerAddress } from "./test_kingbus.ts";

/** Account of a test's kingbus that may purge. */
export const KEEPER_ACCOUNT = { user: "keeper", password: "keeperpass" };

/** The answer of the admin API. */
export interface AdminAnswer<Data> {
  readonly status: number;
  readonly message: string;
  readonly data: Data;
}

/**
 * All of a kingbus in this process, put together as `kingbus serve` does it:
 * on free ports, in a temporary folder that goes with it.
 */
export class TestApp implements AsyncDisposable {
  readonly #folder: string;
  readonly #config: string;
  /** What it has logged. */
  readonly lines: string[] = [];
  #app: App | undefined;

  private constructor(folder: string, config: string) {
    this.#folder = folder;
    this.#config = config;
  }

  /**
   * Starts one that follows a source.
   *
   * @param more sections of the configuration besides the usual, in YAML
   * @param admin more of the section `admin`, in YAML: `, hosts: [db]`
   */
  static following(
    source: ServerAddress,
    more = "",
    admin = "",
  ): Promise<TestApp> {
    const { user, password } = REPLICATION_ACCOUNT;
    const sections = `
server:
  listen: 127.0.0.1:0
  tls: { mode: disabled }
  users:
    - { name: ${user}, password: ${password} }
    - { name: ${KEEPER_ACCOUNT.user}, password: ${KEEPER_ACCOUNT.password}, rights: [admin] }
source:
  address: 127.0.0.1:${source.port}
  user: ${user}
  password: ${password}
  tls: { mode: disabled }
${more}`;
    return TestApp.with(sections, admin);
  }

  /**
   * Starts one.
   *
   * @param sections of its configuration, in YAML, besides `data-dir` and `admin`
   * @param admin see `following`
   */
  static async with(sections: string, admin = ""): Promise<TestApp> {
    const folder = await Deno.makeTempDir({ prefix: "kingbus-test-" });
    const test = new TestApp(
      folder,
      `
data-dir: ${folder}/data
admin: { listen: "127.0.0.1:0"${admin} }
${sections}`,
    );
    await test.start();
    return test;
  }

  /** Where its admin API is. */
  get adminUrl(): string {
    return `http://${formatAddress(this.app.adminListen)}`;
  }

  /** The running kingbus. */
  get app(): App {
    if (this.#app === undefined) throw new TypeError("Not running");
    return this.#app;
  }

  /** Folder of its data. */
  get dataDir(): string {
    return `${this.#folder}/data`;
  }

  /** Port replicas connect to. */
  get port(): number {
    const { serverListen } = this.app;
    return Number(serverListen.slice(serverListen.lastIndexOf(":") + 1));
  }

  /** Port of its admin API. */
  get adminPort(): number {
    return this.app.adminListen.port;
  }

  /** Names of the files it has. */
  get files(): string[] {
    return this.app.store.files.map(({ name }) => name);
  }

  /** Bytes of all of them. */
  get bytes(): number {
    return this.app.store.files.reduce((bytes, { size }) => bytes + size, 0);
  }

  /** Starts it, again if it was stopped. */
  async start(): Promise<void> {
    const file = "test.yaml";
    const options = await loadOptions({
      file,
      flags: new Map(),
      env: () => undefined,
      readTextFile: (path) =>
        path === file ? Promise.resolve(this.#config) : Deno.readTextFile(path),
    });
    const log = openLog({
      level: "info",
      format: "text",
      write: (line) => this.lines.push(line),
    });
    this.#app = await openApp(options, log);
  }

  /** Stops it in order. */
  async stop(): Promise<void> {
    await this.#app?.close();
    this.#app = undefined;
  }

  /** Asks its admin API. */
  async ask<Data>(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<AdminAnswer<Data>> {
    const url = `http://${formatAddress(this.app.adminListen)}${path}`;
    const response = await fetch(url, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const { message, data } = await response.json();
    return { status: response.status, message, data };
  }

  /** Logs in to the binlog server, as the account that may purge. */
  connect(options: Partial<ConnectOptions> = {}): Promise<ClientConnection> {
    return ClientConnection.connect({
      hostname: "127.0.0.1",
      port: this.port,
      ...KEEPER_ACCOUNT,
      ...options,
    });
  }

  /** Waits until its log has all these GTIDs. */
  async waitUntilHas(executed: string): Promise<void> {
    const wanted = GtidSet.parse(executed);
    await this.waitUntil(`kingbus had ${executed}`, () => {
      return this.app.store.head?.executed.containsSet(wanted) ?? false;
    });
  }

  /** Waits until a condition holds; says what was logged if it never does. */
  async waitUntil(what: string, condition: () => boolean): Promise<void> {
    try {
      await waitUntil(what, condition, { deadlineMs: 60_000, intervalMs: 50 });
    } catch (cause) {
      throw new TypeError(
        `Waited in vain until ${what}: ${this.files.join()}\n${
          this.lines.join("")
        }`,
        { cause },
      );
    }
  }

  /** How often it has logged a line with that text. */
  said(text: string): number {
    return this.lines.filter((line) => line.includes(text)).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await Deno.remove(this.#folder, { recursive: true });
  }
}
