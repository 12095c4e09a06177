import { rigFolder } from "./rig_folder.ts";
import { TestServerError } from "./test_server_error.ts";

/**
 * What is installed: the server, its clients, and `mariadb-binlog`, which is
 * in a package of its own.
 */
const PACKAGES = "mariadb-server-core,mariadb-client-core,mariadb-client";

/** What has to be there for the installation to count as whole. */
const PARTS = [
  "usr/sbin/mariadbd",
  "usr/bin/mariadb",
  "usr/bin/mariadb-binlog",
  "usr/bin/mariadb-install-db",
];

/**
 * The folder that MariaDB of Debian's unstable release is in, as the root of a
 * file system of its own: it needs newer libraries than the machine may have.
 */
export function mariadbSidRoot(): string {
  return `${rigFolder()}/sid-mariadb`;
}

/**
 * The newest MariaDB that Debian has (11.8 or later), for tests with servers
 * and tools newer than the machine's own. Installs it with debootstrap where
 * it is missing, in about a minute; root on Debian.
 *
 * @returns The folder it is in.
 * @throws {TestServerError} If it can't be installed.
 */
async function installMariadbSid(): Promise<string> {
  const root = mariadbSidRoot();
  if (await isWhole(root)) return root;
  if (Deno.uid() !== 0) {
    throw new TestServerError(
      "Cannot install MariaDB of Debian sid: only root can, on Debian",
    );
  }
  const mirror = await debianMirror();
  await ensureDebootstrap();
  // What a run that was ended has left would be in the way.
  await Deno.remove(root, { recursive: true }).catch(ignoreMissing);
  const parent = root.slice(0, root.lastIndexOf("/"));
  await Deno.mkdir(parent, { recursive: true });
  const making = await Deno.makeTempDir({ dir: parent, prefix: "mariadb-" });
  // others than root have to be able to enter it
  await Deno.chmod(making, 0o755);
  try {
    await run("debootstrap", [
      "--variant=minbase",
      `--include=${PACKAGES}`,
      "sid",
      making,
      mirror,
    ]);
    await run("/usr/sbin/chroot", [making, "apt-get", "clean"]);
    await Deno.rename(making, root);
  } catch (error) {
    await Deno.remove(making, { recursive: true }).catch(ignoreMissing);
    throw error;
  }
  if (await isWhole(root)) return root;
  throw new TestServerError(
    `Cannot install MariaDB of Debian sid: ${root} lacks some of ${
      PARTS.join(", ")
    }`,
  );
}

async function isWhole(root: string): Promise<boolean> {
  for (const part of PARTS) {
    try {
      await Deno.lstat(`${root}/${part}`);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }
  return true;
}

/** The mirror that apt already uses. */
async function debianMirror(): Promise<string> {
  const listed = await run("apt-get", [
    "indextargets",
    "--format",
    "$(REPO_URI)",
    "Created-By: Packages",
  ]);
  const mirror = listed.split("\n").find((uri) => /\/debian\/*$/.test(uri));
  if (mirror !== undefined) return mirror;
  throw new TestServerError(
    "Cannot install MariaDB of Debian sid: apt has no Debian mirror",
  );
}

async function ensureDebootstrap(): Promise<void> {
  try {
    await Deno.lstat("/usr/sbin/debootstrap");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    await run("apt-get", ["update", "-q"]);
    await run("apt-get", [
      ...["install", "-y", "-q", "--no-install-recommends"],
      "debootstrap",
    ]);
  }
}

async function run(command: string, args: string[]): Promise<string> {
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command(command, {
      args,
      stdin: "null",
      env: { DEBIAN_FRONTEND: "noninteractive" },
    }).output();
  } catch (cause) {
    throw new TestServerError(
      `Cannot install MariaDB of Debian sid: ${command} does not run: ${
        (cause as Error).message
      }`,
      { cause },
    );
  }
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  if (output.success) return text(output.stdout);
  // debootstrap says on its standard output what went wrong
  const said = `${text(output.stdout)}${text(output.stderr)}`.trim();
  throw new TestServerError(
    `Cannot install MariaDB of Debian sid: ${command} failed: ${
      said.split("\n").slice(-5).join("\n")
    }`,
  );
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

if (import.meta.main) console.log(await installMariadbSid());
