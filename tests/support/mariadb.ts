import { freePort } from "../../scripts/test_servers/free_port.ts";
import { mariadbSidRoot } from "../../scripts/test_servers/install_mariadb_sid.ts";
import { rigFolder } from "../../scripts/test_servers/rig_folder.ts";
import { TestServerError } from "../../scripts/test_servers/test_server_error.ts";
import { type LaunchedServer, launchInFolder } from "./launched_server.ts";

/** Run at a server's first start, without a trace in the binary log. */
const INIT_SQL = `SET sql_log_bin = 0;
CREATE USER repl@'%' IDENTIFIED BY 'replpass';
GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO repl@'%';
CREATE USER app@'%' IDENTIFIED BY 'apppass';
GRANT ALL ON *.* TO app@'%' WITH GRANT OPTION;
CREATE DATABASE IF NOT EXISTS test;
`;

/** Where a MariaDB is installed, and how it is run. */
interface Installation {
  readonly title: string;
  /** What the server sees as the root of the file system; empty: the machine's. */
  readonly root: string;
  /** Folder that the servers' folders are made in. */
  readonly parent: string;
}

/** The machine's own, or the newest one of Debian. */
export type MariadbRelease = "installed" | "sid";

function installationOf(release: MariadbRelease): Installation {
  if (release === "installed") {
    return { title: "MariaDB", root: "", parent: rigFolder() };
  }
  const root = mariadbSidRoot();
  return { title: "MariaDB of Debian sid", root, parent: `${root}/var/lib` };
}

/**
 * Starts a MariaDB server, of whatever version is installed, with row format.
 *
 * @param release Which of the installed ones.
 * @throws {TestServerError} If it does not come up.
 */
export async function startMariadb(
  serverId: number,
  extraArgs: string[] = [],
  release: MariadbRelease = "installed",
): Promise<LaunchedServer> {
  const installation = installationOf(release);
  const { title, root, parent } = installation;
  return await launchInFolder(parent, async (folder) => {
    const port = freePort();
    // as the server names it
    const inside = folder.slice(root.length);
    const common = ["--no-defaults", "--user=root", `--datadir=${inside}/data`];
    await Deno.writeTextFile(`${folder}/init.sql`, INIT_SQL);
    await makeDataFolder(installation, common, inside);
    return {
      title,
      command: [
        ...command(installation, "mariadbd"),
        ...common,
        `--tmpdir=${inside}`,
        `--socket=${inside}/mariadbd.sock`,
        `--pid-file=${inside}/mariadbd.pid`,
        `--log-error=${inside}/error.log`,
        `--port=${port}`,
        "--bind-address=127.0.0.1",
        "--skip-name-resolve",
        "--skip-slave-start",
        `--server-id=${serverId}`,
        "--log-bin=binlog",
        "--log-slave-updates",
        "--relay-log=relay",
        "--binlog-format=ROW",
        "--sync-binlog=0",
        "--innodb-flush-log-at-trx-commit=2",
        ...extraArgs,
      ],
      firstArgs: [`--init-file=${inside}/init.sql`],
      folder,
      dataFolder: `${folder}/data`,
      errorLog: `${folder}/error.log`,
      ready: "ready for connections.",
      port,
    };
  });
}

/** A program of that installation, and what it is run with. */
function command({ root }: Installation, program: string): string[] {
  return root === "" ? [program] : ["/usr/sbin/chroot", root, program];
}

async function makeDataFolder(
  installation: Installation,
  common: string[],
  inside: string,
): Promise<void> {
  const [program = "", ...first] = command(installation, "mariadb-install-db");
  const { success, stderr } = await new Deno.Command(program, {
    args: [
      ...first,
      ...common,
      "--auth-root-authentication-method=normal",
      "--skip-test-db",
      "--skip-name-resolve",
      // also where the host's name can't be looked up, as in a bare root
      "--force",
    ],
    // A server that starts removes all temporary tables of its folder for them,
    // also those that another is making its system tables with.
    env: { TMPDIR: inside },
    stdin: "null",
    stdout: "null",
  }).output();
  if (success) return;
  throw new TestServerError(
    `Cannot make a data folder for ${installation.title}: ${
      new TextDecoder().decode(stderr)
    }`,
  );
}
