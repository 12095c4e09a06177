import { freePort } from "../../scripts/test_servers/free_port.ts";
import { rigFolder } from "../../scripts/test_servers/rig_folder.ts";
import { TestServerError } from "../../scripts/test_servers/test_server_error.ts";
import {
  type LaunchedServer,
  launchInFolder,
  type LaunchPlan,
} from "./launched_server.ts";

/** Run at a server's first start, without a trace in the binary log. */
const INIT_SQL = `SET sql_log_bin = 0;
CREATE USER repl@'%' IDENTIFIED WITH caching_sha2_password BY 'replpass';
GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO repl@'%';
CREATE USER app@'%' IDENTIFIED WITH caching_sha2_password BY 'apppass';
GRANT ALL ON *.* TO app@'%' WITH GRANT OPTION;
CREATE DATABASE test;
`;

/**
 * Starts a MySQL 9.7 server with GTIDs on and row format, from the rig's
 * installation, which is the root of a file system of its own.
 *
 * @throws {TestServerError} If it does not come up.
 */
export async function startMysql97(
  serverId: number,
  extraArgs: string[] = [],
): Promise<LaunchedServer> {
  const root = `${rigFolder()}/sid`;
  return await launchInFolder(`${root}/var/lib`, async (folder) => {
    const plan = planMysql97(root, folder, serverId, extraArgs);
    await Deno.writeTextFile(`${folder}/init.sql`, INIT_SQL);
    await makeDataFolder(root, folder);
    return plan;
  });
}

function planMysql97(
  root: string,
  folder: string,
  serverId: number,
  extraArgs: string[],
): LaunchPlan {
  const inside = folder.slice(root.length);
  const port = freePort();
  return {
    title: "MySQL 9.7",
    command: [
      ...serverCommand(root, inside),
      `--socket=${inside}/mysqld.sock`,
      `--pid-file=${inside}/mysqld.pid`,
      `--log-error=${inside}/error.log`,
      `--port=${port}`,
      "--bind-address=127.0.0.1",
      "--mysqlx=0",
      "--skip-name-resolve",
      "--skip-replica-start",
      `--server-id=${serverId}`,
      "--gtid-mode=ON",
      "--enforce-gtid-consistency=ON",
      "--log-bin=binlog",
      "--relay-log=relay",
      "--binlog-format=ROW",
      "--sync-binlog=0",
      "--innodb-flush-log-at-trx-commit=2",
      "--performance-schema=OFF",
      ...extraArgs,
    ],
    firstArgs: [`--init-file=${inside}/init.sql`],
    folder,
    dataFolder: `${folder}/data`,
    errorLog: `${folder}/error.log`,
    ready: "ready for connections. Version",
    port,
  };
}

/** The program, and what a data folder has to be made with too. */
function serverCommand(root: string, inside: string): string[] {
  return [
    "/usr/sbin/chroot",
    root,
    "/usr/sbin/mysqld",
    "--no-defaults",
    "--user=root",
    `--datadir=${inside}/data`,
    `--tmpdir=${inside}`,
    "--secure-file-priv=",
    "--innodb-buffer-pool-size=64M",
    "--innodb-redo-log-capacity=64M",
    "--innodb-doublewrite=OFF",
  ];
}

async function makeDataFolder(root: string, folder: string): Promise<void> {
  const [program = "", ...args] = serverCommand(
    root,
    folder.slice(root.length),
  );
  const { success, stderr } = await new Deno.Command(program, {
    args: [...args, "--initialize-insecure"],
    stdin: "null",
    stdout: "null",
  }).output();
  if (success) return;
  throw new TestServerError(
    `Cannot make a data folder for MySQL 9.7: ${
      new TextDecoder().decode(stderr)
    }`,
  );
}
