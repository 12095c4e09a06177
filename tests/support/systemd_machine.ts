import { importFlags } from "../../scripts/import_flags.ts";
import { waitUntil } from "../../scripts/test_servers/wait_until.ts";
import { TestServerError } from "../../scripts/test_servers/test_server_error.ts";

/** Programs a `SystemdMachine` needs on the PATH. */
export const SYSTEMD_MACHINE_PROGRAMS = ["systemd-nspawn", "unshare", "script"];

/** Where the machine sees the folder it is talked to through. */
const TALK = "/talk";
/** Where the machine sees this project, and Deno's cache. */
const PROJECT = "/opt/kingbus-project";
const DENO_CACHE = "/opt/kingbus-deno";

const ROOT = new URL("../../", import.meta.url).pathname;

/** Boots nothing but what systemd itself needs, and the listener below. */
const TARGET = `[Unit]
Requires=basic.target
After=basic.target
Wants=listener.service
`;

const LISTENER = `[Unit]
After=basic.target
[Service]
ExecStart=/bin/bash ${TALK}/listen.sh
`;

/** Runs what is put into the folder, one after another. */
const LISTEN = `n=1
while :; do
  if [ -f ${TALK}/$n.sh ]; then
    bash ${TALK}/$n.sh >${TALK}/$n.out 2>&1
    echo $? >${TALK}/$n.part && mv ${TALK}/$n.part ${TALK}/$n.code
    n=$((n + 1))
  else
    sleep 0.05
  fi
done
`;

/** In a mount namespace of its own, which takes all it mounted with it. */
const BOOT = `set -e
group=/sys/fs/cgroup/unified
[ -d $group ] || group=/sys/fs/cgroup
group=$group/kingbus-test-$$
mkdir $group
echo $$ >$group/cgroup.procs
mount --bind / "$1/root"
export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
systemd-nspawn --volatile=overlay --directory="$1/root" --register=no \
  --keep-unit --link-journal=no --console=interactive \
  --bind="$1/talk:${TALK}" --bind-ro="$2:${PROJECT}" --bind-ro="$3:${DENO_CACHE}" \
  --bind-ro="$1/talk/test.target:/etc/systemd/system/test.target" \
  --bind-ro="$1/talk/listener.service:/etc/systemd/system/listener.service" \
  --boot -- systemd.unit=test.target || :
echo $$ >$group/../cgroup.procs
find $group -depth -type d -exec rmdir {} +
`;

/** What a script in the machine said, and its exit code. */
export interface MachineAnswer {
  readonly code: number;
  readonly output: string;
}

/**
 * A container that systemd boots in, as process 1, with the files of this
 * machine; what it writes to them is gone with it. It has this machine's
 * network. Needs root.
 */
export class SystemdMachine implements AsyncDisposable {
  readonly #folder: string;
  readonly #process: Deno.ChildProcess;
  readonly #console: Promise<Deno.CommandOutput>;
  #count = 0;
  #ended = false;

  private constructor(folder: string, process: Deno.ChildProcess) {
    this.#folder = folder;
    this.#process = process;
    this.#console = process.output().finally(() => this.#ended = true);
  }

  /** Says why none can be booted here; undefined when one can. */
  static obstacle(): string | undefined {
    if (Deno.uid() !== 0) return "only root can boot a container";
    const probe = new Deno.Command("unshare", {
      args: [
        ...["--mount", "--pid", "--fork", "--propagation", "private"],
        ...["mount", "-t", "tmpfs", "none", "/mnt"],
      ],
      stderr: "null",
    }).outputSync();
    return probe.success ? undefined : "containers are not allowed here";
  }

  /**
   * Boots one.
   *
   * @throws {TestServerError} when it ends instead.
   */
  static async boot(): Promise<SystemdMachine> {
    const folder = await Deno.makeTempDir({ prefix: "kingbus-systemd-" });
    const talk = `${folder}/talk`;
    await Deno.mkdir(talk);
    await Deno.mkdir(`${folder}/root`);
    await Deno.writeTextFile(`${talk}/test.target`, TARGET);
    await Deno.writeTextFile(`${talk}/listener.service`, LISTENER);
    await Deno.writeTextFile(`${talk}/listen.sh`, LISTEN);
    await Deno.writeTextFile(`${folder}/boot.sh`, BOOT);
    const boot = `sh ${folder}/boot.sh ${folder} ${ROOT} ${await denoCache()}`;
    const process = new Deno.Command("unshare", {
      args: ["--mount", "--propagation", "private", "script", "-qec"]
        .concat(boot, "/dev/null"),
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const machine = new SystemdMachine(folder, process);
    try {
      await machine.run("systemctl is-system-running --wait || true");
    } catch (error) {
      await machine[Symbol.asyncDispose]();
      throw error;
    }
    return machine;
  }

  /**
   * Runs a script of bash as root and gives what it said.
   *
   * @throws {TestServerError} when the machine has ended.
   */
  async run(script: string): Promise<MachineAnswer> {
    this.#count += 1;
    const path = `${this.#folder}/talk/${this.#count}`;
    await Deno.writeTextFile(`${path}.part`, script);
    await Deno.rename(`${path}.part`, `${path}.sh`);
    await waitUntil(
      `the machine had run ${JSON.stringify(script.slice(0, 60))}`,
      () => this.#ended || isFile(`${path}.code`),
      { deadlineMs: 120_000, intervalMs: 20 },
    );
    if (!await isFile(`${path}.code`)) {
      const { stdout } = await this.#console;
      throw new TestServerError(
        `The machine has ended: ${new TextDecoder().decode(stdout)}`,
      );
    }
    return {
      code: Number(await Deno.readTextFile(`${path}.code`)),
      output: await Deno.readTextFile(`${path}.out`),
    };
  }

  /** Copies a file into the machine. @returns its path there */
  async put(path: string, name: string): Promise<string> {
    await Deno.copyFile(path, `${this.#folder}/talk/${name}`);
    return `${TALK}/${name}`;
  }

  /** Runs a script that must succeed, and gives what it said. */
  async must(script: string): Promise<string> {
    const { code, output } = await this.run(script);
    if (code === 0) return output;
    const { output: journal } = await this.run(
      "journalctl --no-pager --lines=40",
    );
    throw new TestServerError(
      `${script} ended with ${code}: ${output}\n${journal}`,
    );
  }

  /** Shell script for the machine that runs kingbus from this project. */
  static async kingbusScript(): Promise<string> {
    const flags = (await importFlags()).map((flag) =>
      flag.replace("=scripts/", `=${PROJECT}/scripts/`)
    );
    const allowed = ["net", "read", "write", "env", "sys"]
      .map((name) => `--allow-${name}`);
    const deno = await Deno.realPath(Deno.execPath());
    return `#!/bin/sh
export DENO_DIR=${DENO_CACHE} DENO_NO_UPDATE_CHECK=1 NO_COLOR=1
exec ${deno} run --cached-only ${flags.join(" ")} ${
      allowed.join(" ")
    } ${PROJECT}/main.ts "$@"
`;
  }

  /** The project's folder, as the machine sees it. */
  static get project(): string {
    return PROJECT;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) {
      const poweroff = this.run("systemctl --no-block poweroff --force");
      const late = new Promise((resolve) => setTimeout(resolve, 20_000).unref);
      await Promise.race([Promise.all([poweroff, this.#console]), late])
        .catch(() => {});
    }
    if (!this.#ended) this.#process.kill("SIGKILL");
    await this.#console;
    await Deno.remove(this.#folder, { recursive: true });
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Folder of what Deno has downloaded. */
async function denoCache(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json"],
    cwd: ROOT,
  }).output();
  const { denoDir }: { denoDir: string } = JSON.parse(
    new TextDecoder().decode(stdout),
  );
  return denoDir;
}
