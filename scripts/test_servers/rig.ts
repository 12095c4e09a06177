import {
  ClientConnection,
  type QueryResult,
} from "../../lib/connection/client_connection.ts";
import { ConnectionError } from "../../lib/connection/connection_error.ts";
import { mariadbSidRoot } from "./install_mariadb_sid.ts";
import { rigFolder } from "./rig_folder.ts";
import { TestServerError } from "./test_server_error.ts";
import { registerUnmetTest } from "./register_unmet.ts";

/** Servers and programs that tests may need and not every machine has. */
export type RigPart =
  | "mysql97"
  | "mysql97-replica"
  | "mariadb"
  | "mariadb-replica"
  | "mysqlbinlog"
  | "mysql-client"
  | "mariadb-binlog"
  | "mariadb-client"
  | "mariadb-sid"
  | "mariadb-sid-binlog";

/** Programs that have another name than their part. */
const PROGRAM_NAMES: ReadonlyMap<RigPart, string> = new Map([
  ["mysql-client", "mysql"],
  ["mariadb-client", "mariadb"],
  ["mariadb-sid", "mariadbd"],
  ["mariadb-sid-binlog", "mariadb-binlog"],
]);

/** Parts of the MariaDB that `install_mariadb_sid.ts` installs. */
const MARIADB_SID = "mariadb-sid";

/** Where a server is looked for. */
interface ServerPlace {
  /** What to call it towards people. */
  title: string;
  /** Environment variable that names another `host:port`. */
  variable: string;
  port: number;
  /** What its version looks like: another server may use the port. */
  version: RegExp;
  /** Statements that make its replication state that of a new server. */
  resetSql: string[];
}

const MYSQL_RESET = [
  "STOP REPLICA",
  "RESET REPLICA ALL",
  "RESET BINARY LOGS AND GTIDS",
];

const MARIADB_RESET = [
  "STOP ALL SLAVES",
  "RESET SLAVE ALL",
  "RESET MASTER",
  "SET GLOBAL gtid_slave_pos = ''",
];

const SERVER_PLACES: ReadonlyMap<RigPart, ServerPlace> = new Map([
  ["mysql97", {
    title: "MySQL 9.7 source",
    variable: "KINGBUS_RIG_97",
    port: 33070,
    version: /^9\./,
    resetSql: MYSQL_RESET,
  }],
  ["mysql97-replica", {
    title: "MySQL 9.7 replica",
    variable: "KINGBUS_RIG_97_REPLICA",
    port: 33071,
    version: /^9\./,
    resetSql: MYSQL_RESET,
  }],
  ["mariadb", {
    title: "MariaDB source",
    variable: "KINGBUS_RIG_MARIADB",
    port: 33080,
    version: /MariaDB/,
    resetSql: MARIADB_RESET,
  }],
  ["mariadb-replica", {
    title: "MariaDB replica",
    variable: "KINGBUS_RIG_MARIADB_REPLICA",
    port: 33081,
    version: /MariaDB/,
    resetSql: MARIADB_RESET,
  }],
]);

/** Databases that come with a server. */
const SYSTEM_DATABASES = new Set([
  "mysql",
  "sys",
  "information_schema",
  "performance_schema",
]);

/** Splits `host:port` or `[address]:port`. */
function parseAddress(
  text: string,
  variable: string,
): { hostname: string; port: number } {
  const [, hostname, port] = /^\[?(.+?)\]?:(\d+)$/.exec(text) ?? [];
  if (hostname === undefined) {
    throw new TestServerError(
      `Cannot use ${variable}="${text}": not host:port`,
    );
  }
  return { hostname, port: Number(port) };
}

/** A server that was started by others and is shared by the tests. */
export class RigServer {
  /** Name or address. */
  readonly hostname: string;
  /** TCP port. */
  readonly port: number;
  /** Its `@@version`. */
  readonly version: string;
  readonly #resetSql: readonly string[];

  constructor(
    address: { hostname: string; port: number },
    version: string,
    resetSql: readonly string[],
  ) {
    this.hostname = address.hostname;
    this.port = address.port;
    this.version = version;
    this.#resetSql = resetSql;
  }

  /** Opens a connection; as the account that may do everything if none is given. */
  async connect(
    account: { user: string; password: string } = {
      user: "app",
      password: "apppass",
    },
  ): Promise<ClientConnection> {
    const { hostname, port } = this;
    return await ClientConnection.connect({ hostname, port, ...account });
  }

  /**
   * Runs statements on a connection of their own.
   *
   * @returns The answer to the last one.
   * @throws {ServerError} If the server refuses one.
   */
  async query(...statements: string[]): Promise<QueryResult> {
    await using connection = await this.connect();
    let result: QueryResult = { columns: [], rows: [], affectedRows: 0n };
    for (const statement of statements) {
      result = await connection.query(statement);
    }
    return result;
  }

  /**
   * Drops all databases but its own and makes its replication state a new
   * server's. So never name a server here whose data matter.
   */
  async reset(): Promise<void> {
    const { rows } = await this.query("SHOW DATABASES");
    const databases = rows.map(([name]) => name ?? "")
      .filter((name) => !SYSTEM_DATABASES.has(name));
    const [stop = "DO 0", ...rest] = this.#resetSql;
    await this.query(
      stop,
      ...databases.map((name) => `DROP DATABASE \`${name}\``),
      ...rest,
    );
  }
}

/** A program of another product that tests run. */
export class RigProgram {
  readonly #command: string[];
  readonly #root: string;

  /**
   * @param command Program with its first arguments.
   * @param root Folder the program sees as the root of the file system.
   */
  constructor(command: string[], root: string) {
    this.#command = command;
    this.#root = root;
  }

  /** Starts it; its output is piped. */
  spawn(args: string[]): Deno.ChildProcess {
    return this.#start(args, "null");
  }

  /** Runs it to its end. */
  async run(args: string[]): Promise<Deno.CommandOutput> {
    return await this.spawn(args).output();
  }

  /** Runs it to its end and gives it this to read. */
  async runWith(
    input: Uint8Array,
    args: string[],
  ): Promise<Deno.CommandOutput> {
    const child = this.#start(args, "piped");
    const output = child.output();
    const writer = child.stdin.getWriter();
    try {
      await writer.write(input);
      await writer.close();
    } catch (error) {
      // It ended early; its output tells why.
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    }
    return await output;
  }

  #start(args: string[], stdin: "null" | "piped"): Deno.ChildProcess {
    const [program = "", ...first] = this.#command;
    return new Deno.Command(program, {
      args: [...first, ...args],
      stdin,
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  }

  /** Makes a folder that it can write to: as it names it, and as we do. */
  async makeFolder(): Promise<{ itsPath: string; path: string }> {
    const path = await Deno.makeTempDir({ dir: `${this.#root}/tmp` });
    return { itsPath: path.slice(this.#root.length), path };
  }
}

async function findServer(
  part: RigPart,
  place: ServerPlace,
): Promise<RigServer | string> {
  const given = Deno.env.get(place.variable);
  const address = given === undefined
    ? { hostname: "127.0.0.1", port: place.port }
    : parseAddress(given, place.variable);
  const where = `${address.hostname}:${address.port}`;
  const server = new RigServer(address, "", place.resetSql);
  try {
    const { rows } = await server.query("SELECT @@version");
    const version = rows[0]?.[0] ?? "";
    if (!place.version.test(version)) {
      return `${part}: the server at ${where} is ${version}, not a ${place.title}`;
    }
    return new RigServer(address, version, place.resetSql);
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    return `${part}: no ${place.title} at ${where} (${place.variable})`;
  }
}

/** Where a program is looked for: what runs it, and what it sees as the root. */
function programPlaces(part: RigPart): [command: string[], root: string][] {
  const name = PROGRAM_NAMES.get(part) ?? part;
  const inside = (root: string): [string[], string] => {
    return [["/usr/sbin/chroot", root, name], root];
  };
  return part.startsWith(MARIADB_SID)
    ? [inside(mariadbSidRoot())]
    : [[[name], ""], inside(`${rigFolder()}/sid`)];
}

async function findProgram(part: RigPart): Promise<RigProgram | string> {
  for (const [command, root] of programPlaces(part)) {
    const program = new RigProgram(command, root);
    try {
      const { success, stdout } = await program.run(["--version"]);
      const version = new TextDecoder().decode(stdout);
      // MariaDB installs its own program, version 3.x, under MySQL's name too
      const wanted = part.startsWith("mariadb-") ||
        /Ver [89]\./.test(version);
      if (success && wanted) return program;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  const name = PROGRAM_NAMES.get(part) ?? part;
  return part.startsWith(MARIADB_SID)
    ? `${part}: no program ${name} in ${mariadbSidRoot()}; install_mariadb_sid.ts installs it`
    : `${part}: no program ${name} on the PATH or in ${rigFolder()}`;
}

/** The parts that one test asked for. */
export class Rig {
  readonly #servers = new Map<RigPart, RigServer>();
  readonly #programs = new Map<RigPart, RigProgram>();
  /** What was not found, in words. */
  readonly missing: string[] = [];

  /** Looks for the parts. */
  static async find(parts: readonly RigPart[]): Promise<Rig> {
    const rig = new Rig();
    for (const part of parts) {
      const place = SERVER_PLACES.get(part);
      const found = place === undefined
        ? await findProgram(part)
        : await findServer(part, place);
      if (found instanceof RigServer) rig.#servers.set(part, found);
      else if (found instanceof RigProgram) rig.#programs.set(part, found);
      else rig.missing.push(found);
    }
    return rig;
  }

  /** A server asked for. */
  server(part: RigPart): RigServer {
    const server = this.#servers.get(part);
    if (server !== undefined) return server;
    throw new TestServerError(`The test did not ask for the server ${part}`);
  }

  /** A program asked for. */
  program(part: RigPart): RigProgram {
    const program = this.#programs.get(part);
    if (program !== undefined) return program;
    throw new TestServerError(`The test did not ask for the program ${part}`);
  }
}

/**
 * Registers a test that needs servers or programs of the rig.
 *
 * Where one is missing the test is skipped, and a line on standard error says
 * so; where KINGBUS_REQUIRE_RIG is set it fails instead.
 *
 * @param parts What it needs.
 * @param body The test. Servers are as earlier tests left them: reset them.
 */
export async function rigTest(
  name: string,
  parts: readonly RigPart[],
  body: (rig: Rig, context: Deno.TestContext) => void | Promise<void>,
): Promise<void> {
  const rig = await Rig.find(parts);
  if (rig.missing.length === 0) {
    Deno.test(name, (context) => body(rig, context));
    return;
  }
  registerUnmetTest(name, rig.missing.join("; "), "KINGBUS_REQUIRE_RIG");
}
