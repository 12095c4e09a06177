import PowersyncZongJi from "@powersync/mysql-zongji";
import VlaskyZongJi from "@vlasky/zongji";
import mysql from "mysql2";
import { waitUntil } from "../../scripts/test_servers/wait_until.ts";
import type { TestAccount } from "../../scripts/test_servers/mysql56.ts";
import type { ServerAddress } from "./test_kingbus.ts";

/** Where a client connects, as whom, and how. */
export type Login = ServerAddress & TestAccount & {
  /** Over TLS, whatever the certificate. */
  readonly secure?: boolean;
  /** With zlib; only `@vlasky/zongji` can. */
  readonly compress?: boolean;
};

/** What both packages' `start` understands. */
export interface ZongjiStart {
  readonly serverId?: number;
  readonly filename?: string;
  readonly position?: number;
  readonly startAtEnd?: boolean;
  readonly nonBlock?: boolean;
  /** Only `@vlasky/zongji`. */
  readonly gtidSet?: string;
}

/** An event as the packages hand it out. */
interface ZongjiEvent {
  getTypeName(): string;
  readonly nextPosition: number;
}

/** What the two packages have in common. */
interface Zongji {
  ctrlConnection: unknown;
  readonly options: { filename?: string; position?: number };
  readonly gtidSet?: string | undefined;
  on(name: "binlog", listener: (event: ZongjiEvent) => void): void;
  on(name: "error", listener: (error: Error) => void): void;
  on(name: "ready" | "stopped", listener: () => void): void;
  start(options: ZongjiStart): void;
  stop(): void;
  _fetchTableInfo(event: unknown, next: unknown): void;
}

type ZongjiClass = new (dsn: unknown) => Zongji;

/** A package of the zongji family, as it is on npm. */
export type ZongjiPackage = "@vlasky/zongji" | "@powersync/mysql-zongji";

const PACKAGES: Readonly<Record<ZongjiPackage, ZongjiClass>> = {
  "@vlasky/zongji": VlaskyZongJi as unknown as ZongjiClass,
  "@powersync/mysql-zongji": PowersyncZongJi as unknown as ZongjiClass,
};

/** Properties of an event that say nothing of the log. */
const NOT_COMPARED = new Set(["tableMap", "zongji", "options"]);

/** An event in one line of text: its kind and everything it says. */
function lineOf(event: ZongjiEvent): string {
  const text = JSON.stringify(event, (key, value: unknown) => {
    if (key.startsWith("_") || NOT_COMPARED.has(key)) return undefined;
    return typeof value === "bigint" ? `${value}n` : value;
  });
  return `${event.getTypeName()} ${text}`;
}

/** How a zongji is made. */
export interface ZongjiOptions {
  readonly login: Login;
  /**
   * Where it reads the columns of tables instead; the package itself asks the
   * server whose log it reads.
   */
  readonly metadata?: Login;
  readonly start: ZongjiStart;
}

function dsnOf(login: Login): mysql.ConnectionOptions {
  const { hostname = "127.0.0.1", port, user, password } = login;
  return {
    host: hostname,
    port,
    user,
    password,
    ...login.secure ? { ssl: { rejectUnauthorized: false } } : {},
    ...login.compress ? { compress: true } : {},
  };
}

/** A zongji that runs, with all that it has told. */
export class ZongjiClient implements AsyncDisposable {
  readonly #zongji: Zongji;
  readonly #metadata: mysql.Connection | undefined;
  readonly #stopped = Promise.withResolvers<void>();
  #running = true;
  /** Events in the order they came, a line each. */
  readonly lines: string[] = [];
  readonly errors: Error[] = [];

  private constructor(name: ZongjiPackage, options: ZongjiOptions) {
    const { login, metadata, start } = options;
    const connection = metadata && mysql.createConnection(dsnOf(metadata));
    connection?.on("error", (error: Error) => this.errors.push(error));
    this.#metadata = connection;
    const Class = PACKAGES[name];
    /** Reads columns over a connection of its own. */
    class WithMetadata extends Class {
      override _fetchTableInfo(event: unknown, next: unknown): void {
        const own = this.ctrlConnection;
        this.ctrlConnection = connection;
        super._fetchTableInfo(event, next);
        this.ctrlConnection = own;
      }
    }
    const zongji = connection === undefined
      ? new Class(dsnOf(login))
      : new WithMetadata(dsnOf(login));
    zongji.on("binlog", (event) => this.lines.push(lineOf(event)));
    zongji.on("error", (error) => this.errors.push(error));
    zongji.on("stopped", () => this.#stopped.resolve());
    this.#zongji = zongji;
    zongji.start(start);
  }

  /** Starts one; it is not connected yet. */
  static start(name: ZongjiPackage, options: ZongjiOptions): ZongjiClient {
    return new ZongjiClient(name, options);
  }

  /** Events of rows. */
  get rowLines(): string[] {
    return this.lines.filter((line) => /^\w+Rows /.test(line));
  }

  /** File and position after the last event. */
  get place(): { filename: string; position: number } {
    const { filename = "", position = 0 } = this.#zongji.options;
    return { filename, position };
  }

  /** All GTIDs it has seen the ends of, if it counts them. */
  get gtidSet(): string | undefined {
    return this.#zongji.gtidSet;
  }

  /** Waits until an event has told this; fails if an error comes before. */
  async waitFor(text: string): Promise<void> {
    await waitUntil(`zongji was told ${text}`, () => {
      if (this.errors.length > 0) {
        throw new TypeError(`zongji has failed: ${this.errors}`);
      }
      return this.lines.some((line) => line.includes(text));
    }, { deadlineMs: 30_000 });
  }

  /** Waits until it has met an error. */
  async waitForError(): Promise<Error> {
    await waitUntil("zongji failed", () => this.errors.length > 0, {
      deadlineMs: 30_000,
    });
    return this.errors[0]!;
  }

  /** Stops it, as its users do; it kills its own connection then. */
  async stop(): Promise<void> {
    if (!this.#running) return;
    this.#running = false;
    this.#zongji.stop();
    await this.#stopped.promise;
    this.#metadata?.destroy();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
