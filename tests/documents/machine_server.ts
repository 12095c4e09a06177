import { installMysql56 } from "../../scripts/test_servers/install_mysql56.ts";
import { rigFolder } from "../../scripts/test_servers/rig_folder.ts";
import { TestServerError } from "../../scripts/test_servers/test_server_error.ts";
import { waitUntil } from "../../scripts/test_servers/wait_until.ts";
import type { DocumentMachine } from "./document_machine.ts";

/** Who sets up the servers of a document; a document's accounts are its own. */
export const OWNER = { user: "dba", password: "dbapass" };

/** A real server that a document speaks of. */
export interface MachineServerOptions {
  readonly kind: "mysql97" | "mysql56" | "mariadb";
  /** `address:port` in the machine, where the document's hosts have theirs. */
  readonly at: string;
  readonly serverId: number;
  /** Its server uuid, where the document names it; not for MariaDB. */
  readonly uuid?: string;
  readonly args?: readonly string[];
}

const DEADLINE_MS = 90_000;

const INIT_SQL = `SET sql_log_bin = 0;
CREATE USER ${OWNER.user}@'%' IDENTIFIED BY '${OWNER.password}';
GRANT ALL ON *.* TO ${OWNER.user}@'%' WITH GRANT OPTION;
CREATE DATABASE shop;
`;

/** 5.6 comes with anonymous accounts, which would be taken before others. */
const INIT_SQL_56 =
  `SET sql_log_bin = 0;\nDELETE FROM mysql.user WHERE User = '';\nFLUSH PRIVILEGES;\n` +
  INIT_SQL.slice(INIT_SQL.indexOf("CREATE"));

/** How one kind of server is made and started. */
interface Launch {
  /** Bash that makes its data folder. */
  readonly make: string;
  /** Program and arguments. */
  readonly command: string;
  /** Its folder as it names it. */
  readonly inside: string;
  readonly initSql: string;
}

/** A real server in a document's machine; it ends with the machine. */
export class MachineServer {
  readonly options: MachineServerOptions;
  readonly #machine: DocumentMachine;
  /** Its folder as the machine names it; `data` in it has its files. */
  readonly folder: string;
  readonly #start: string;

  private constructor(
    machine: DocumentMachine,
    options: MachineServerOptions,
    folder: string,
    start: string,
  ) {
    this.#machine = machine;
    this.options = options;
    this.folder = folder;
    this.#start = start;
  }

  /** Makes and starts one, and waits until it is ready. */
  static async start(
    machine: DocumentMachine,
    options: MachineServerOptions,
  ): Promise<MachineServer> {
    const root = options.kind === "mysql97" ? `${rigFolder()}/sid` : "";
    const inside = `/var/lib/document-${options.at.replace(/\W/g, "-")}`;
    const folder = `${root}${inside}`;
    const launch = await launchOf(options, root, inside);
    await machine.writeFile(`${folder}/init.sql`, launch.initSql);
    await machine.must(launch.make);
    if (options.uuid !== undefined) {
      await machine.writeFile(
        `${folder}/data/auto.cnf`,
        `[auto]\nserver-uuid=${options.uuid}\n`,
      );
    }
    const server = new MachineServer(
      machine,
      options,
      folder,
      launch.command,
    );
    await server.restart([`--init-file=${launch.inside}/init.sql`]);
    return server;
  }

  /** The command line of a client of it, with its owner's account. */
  get client(): string {
    const { hostname, port } = this.#address;
    // MySQL 9 has no mysql_native_password any more, which 5.6 has only
    const program = this.options.kind === "mysql97" ? "mysql" : "mariadb";
    return `${program} --no-defaults --host=${hostname} --port=${port} --protocol=TCP --user=${OWNER.user} --password=${OWNER.password}`;
  }

  /**
   * Runs statements as its owner.
   *
   * @returns Rows as lines, columns parted by tabs, without headings.
   */
  query(sql: string): Promise<string> {
    return this.#ask(sql, "--batch --raw --skip-column-names");
  }

  /** How it stands as a replica: lines of a column's name and its value. */
  replicaStatus(): Promise<string> {
    const modern = this.options.kind === "mysql97";
    const sql = `SHOW ${modern ? "REPLICA" : "SLAVE"} STATUS`;
    return this.#ask(sql, "--vertical");
  }

  /** Makes it the server that clients of the machine's user go to by default. */
  async becomeDefault(home: string): Promise<void> {
    const { hostname, port } = this.#address;
    await this.#machine.writeFile(
      `${home}/.my.cnf`,
      `[client]\nhost=${hostname}\nport=${port}\nuser=${OWNER.user}\npassword=${OWNER.password}\n`,
      0o600,
    );
  }

  /** Ends it as a lost machine does. */
  async kill(): Promise<void> {
    await this.#machine.must(
      `kill -9 $(cat ${this.folder}/started.pid); while kill -0 $(cat ${this.folder}/started.pid) 2>/dev/null; do sleep 0.05; done`,
    );
  }

  /** Starts it, again or for the first time. */
  async restart(args: readonly string[] = []): Promise<void> {
    const log = `${this.folder}/error.log`;
    await this.#machine.must(
      `: >>${log}; wc -c <${log} >${this.folder}/log-begins
${this.#start} ${args.join(" ")} </dev/null >>${this.folder}/start.log 2>&1 &
echo $! >${this.folder}/started.pid`,
    );
    await waitUntil(
      `${this.options.kind} at ${this.options.at} was ready`,
      async () => {
        const { code } = await this.#machine.run(
          `tail -c +$(($(cat ${this.folder}/log-begins) + 1)) ${log} | grep -q 'ready for connections'`,
        );
        if (code === 0) return true;
        const alive = await this.#machine.run(
          `kill -0 $(cat ${this.folder}/started.pid)`,
        );
        if (alive.code === 0) return false;
        const { output } = await this.#machine.run(
          `tail -20 ${this.folder}/start.log ${log}`,
        );
        throw new TestServerError(
          `Cannot start ${this.options.kind} at ${this.options.at}: ${output}`,
        );
      },
      { deadlineMs: DEADLINE_MS, intervalMs: 100 },
    );
  }

  async #ask(sql: string, flags: string): Promise<string> {
    await this.#machine.writeFile("/run/document/query.sql", sql);
    const output = await this.#machine.must(
      `${this.client} ${flags} shop </run/document/query.sql`,
    );
    return output.replace(/^mysql: \[Warning\].*\n/gm, "").trim();
  }

  get #address(): { hostname: string; port: string } {
    return splitAddress(this.options.at);
  }
}

async function launchOf(
  options: MachineServerOptions,
  root: string,
  inside: string,
): Promise<Launch> {
  const { hostname: address, port } = splitAddress(options.at);
  const common = [
    `--datadir=${inside}/data`,
    `--socket=${inside}/server.sock`,
    `--pid-file=${inside}/server.pid`,
    `--log-error=${inside}/error.log`,
    `--port=${port}`,
    `--bind-address=${address}`,
    "--skip-name-resolve",
    `--server-id=${options.serverId}`,
    "--log-bin=binlog",
    "--relay-log=relay",
    "--binlog-format=ROW",
    "--sync-binlog=0",
    "--innodb-flush-log-at-trx-commit=2",
    "--innodb-buffer-pool-size=64M",
    "--performance-schema=OFF",
  ];
  const gtids = ["--gtid-mode=ON", "--enforce-gtid-consistency=ON"];
  const more = options.args ?? [];
  switch (options.kind) {
    case "mysql97": {
      const program =
        `/usr/sbin/chroot ${root} /usr/sbin/mysqld --no-defaults --user=root --secure-file-priv= --innodb-redo-log-capacity=64M --innodb-doublewrite=OFF`;
      return {
        make: `${program} --datadir=${inside}/data --initialize-insecure`,
        command: words(program, common, gtids, [
          "--mysqlx=0",
          "--skip-replica-start",
        ], more),
        inside,
        initSql: INIT_SQL,
      };
    }
    case "mysql56": {
      const home = await installMysql56();
      return {
        make: `mkdir -p ${inside}/data ${inside}/tmp && cd ${home}/data/mysql &&
          cp -r mysql performance_schema ibdata1 ${inside}/data/`,
        command: words(
          `env LD_LIBRARY_PATH=${home} ${home}/mysqld --no-defaults --user=root`,
          common,
          gtids,
          [
            `--basedir=${home}`,
            `--lc-messages-dir=${home}/share`,
            `--character-sets-dir=${home}/share/charsets`,
            `--tmpdir=${inside}/tmp`,
            "--log-slave-updates",
            "--skip-slave-start",
            "--innodb-log-file-size=8M",
            "--explicit-defaults-for-timestamp=1",
          ],
          more,
        ),
        inside,
        initSql: INIT_SQL_56,
      };
    }
    case "mariadb":
      return {
        // A server that starts removes all temporary tables of its folder for
        // them: several must not share one.
        make: `mkdir -p ${inside}/tmp &&
          env TMPDIR=${inside}/tmp mariadb-install-db --no-defaults --user=root --datadir=${inside}/data --auth-root-authentication-method=normal --skip-test-db --skip-name-resolve --force`,
        command: words("mariadbd --no-defaults --user=root", common, [
          `--tmpdir=${inside}/tmp`,
          "--log-slave-updates",
          "--skip-slave-start",
        ], more),
        inside,
        initSql: INIT_SQL,
      };
  }
}

function splitAddress(at: string): { hostname: string; port: string } {
  const [, hostname = "", port = ""] = /^\[?(.+?)\]?:(\d+)$/.exec(at) ?? [];
  return { hostname, port };
}

function words(program: string, ...args: (readonly string[])[]): string {
  return [program, ...args.flat().map((arg) => `'${arg}'`)].join(" ");
}
