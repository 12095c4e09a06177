import { freePort } from "../../scripts/test_servers/free_port.ts";
import { TestServerError } from "../../scripts/test_servers/test_server_error.ts";
import {
  type LaunchedServer,
  launchInFolder,
  rigFolder,
} from "./launched_server.ts";

/** Run at a server's first start, without a trace in the binary log. */
const INIT_SQL = `SET sql_log_bin = 0;
CREATE USER repl@'%' IDENTIFIED BY 'replpass';
GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO repl@'%';
CREATE USER app@'%' IDENTIFIED BY 'apppass';
GRANT ALL ON *.* TO app@'%' WITH GRANT OPTION;
CREATE DATABASE IF NOT EXISTS test;
`;

/**
 * Starts a MariaDB server, of whatever version is installed, with row format.
 *
 * @throws {TestServerError} If it does not come up.
 */
export async function startMariadb(
  serverId: number,
  extraArgs: string[] = [],
): Promise<LaunchedServer> {
  return await launchInFolder(rigFolder(), async (folder) => {
    const port = freePort();
    const common = ["--no-defaults", "--user=root", `--datadir=${folder}/data`];
    await Deno.writeTextFile(`${folder}/init.sql`, INIT_SQL);
    await makeDataFolder(common);
    return {
      title: "MariaDB",
      command: [
        "mariadbd",
        ...common,
        `--tmpdir=${folder}`,
        `--socket=${folder}/mariadbd.sock`,
        `--pid-file=${folder}/mariadbd.pid`,
        `--log-error=${folder}/error.log`,
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
      firstArgs: [`--init-file=${folder}/init.sql`],
      folder,
      dataFolder: `${folder}/data`,
      errorLog: `${folder}/error.log`,
      ready: "ready for connections.",
      port,
    };
  });
}

async function makeDataFolder(common: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("mariadb-install-db", {
    args: [
      ...common,
      "--auth-root-authentication-method=normal",
      "--skip-test-db",
    ],
    stdin: "null",
    stdout: "null",
  }).output();
  if (success) return;
  throw new TestServerError(
    `Cannot make a data folder for MariaDB: ${
      new TextDecoder().decode(stderr)
    }`,
  );
}
