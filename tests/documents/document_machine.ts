import { importFlags } from "../../scripts/import_flags.ts";
import { installMysql56 } from "../../scripts/test_servers/install_mysql56.ts";
import { rigFolder } from "../../scripts/test_servers/rig_folder.ts";
import { TestServerError } from "../../scripts/test_servers/test_server_error.ts";
import { makeExecutable } from "../support/executable.ts";

const ROOT = new URL("../../", import.meta.url).pathname.replace(/\/$/, "");

/** Where the reader of a document is at home. */
export const HOME = "/home/reader";

/** The project's folder there: what the repository has, and nothing else. */
export const CHECKOUT = `${HOME}/kingbus`;

/** MySQL's own programs, which the machine's root has not, or MariaDB's. */
const MYSQL_PROGRAMS = ["mysql", "mysqlbinlog", "mysqladmin", "mysqldump"];

/** Names an executable to run as kingbus, instead of its source. */
const EXECUTABLE_VARIABLE = "KINGBUS_EXECUTABLE";

/** How a command in the machine ended, and what it wrote. */
export interface MachineOutput {
  readonly code: number;
  /** Standard output and errors, as a terminal shows them. */
  readonly output: string;
}

/**
 * A machine for the reader of one document: this one's programs and files, but
 * nothing written there stays, every port is free, and no packet leaves it. So
 * commands are run with the paths, names and ports that the document has.
 *
 * It has `kingbus`, `mysql`, `mysqlbinlog`, `mariadb`, `mariadb-binlog`, a
 * clean copy of this project, and a `sudo` that only does what it is told.
 */
export class DocumentMachine implements AsyncDisposable {
  /** Process id of its first process, in the eyes of this machine. */
  readonly pid: number;
  readonly #base: string;
  readonly #process: Deno.ChildProcess;
  /** Environment of everything that runs in it. */
  readonly #environment: Record<string, string>;

  private constructor(
    pid: number,
    base: string,
    process: Deno.ChildProcess,
    environment: Record<string, string>,
  ) {
    this.pid = pid;
    this.#base = base;
    this.#process = process;
    this.#environment = environment;
  }

  /**
   * Says why there can be no such machine here; undefined where there can.
   */
  static async missing(): Promise<string | undefined> {
    if (Deno.build.os !== "linux") return "not on Linux";
    const missing: string[] = [];
    for (const program of ["unshare", "nsenter", "ip", "git", "curl"]) {
      const found = await runHere("sh", ["-c", `command -v ${program}`]);
      if (found.code !== 0) missing.push(program);
    }
    if (missing.length > 0) return `no program ${missing.join(", ")}`;
    const { code, output } = await runHere("unshare", [
      ...NAMESPACES,
      "--fork",
      "true",
    ]);
    if (code !== 0) return `no namespaces: ${output.trim()} (is this root?)`;
    return undefined;
  }

  /**
   * Starts it.
   *
   * @param hosts Names it knows, with their loopback addresses.
   */
  static async start(
    hosts: Readonly<Record<string, string>>,
  ): Promise<DocumentMachine> {
    const flags = await importFlags();
    // it can't download: whatever the commands load has to be there
    await mustRun(Deno.execPath(), [
      "cache",
      "--quiet",
      ...flags,
      "main.ts",
      "scripts/demo.ts",
      "scripts/import_flags.ts",
    ]);
    const denoDir = await denoFolder();
    const mysql56 = await installMysql56();
    const base = await Deno.makeTempDir({ prefix: "kingbus-machine-" });
    const process = new Deno.Command("unshare", {
      args: [
        ...NAMESPACES,
        "--fork",
        "--kill-child",
        new URL("machine.sh", import.meta.url).pathname,
        base,
        ROOT,
        rigFolder(),
        denoDir,
        mysql56,
      ],
      cwd: "/",
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const reader = process.stdout.getReader();
    const { done } = await reader.read();
    await reader.cancel();
    if (done) {
      await process.status;
      await Deno.remove(base, { recursive: true });
      throw new TestServerError("Cannot make a machine for a document");
    }
    const children = await Deno.readTextFile(
      `/proc/${process.pid}/task/${process.pid}/children`,
    );
    const machine = new DocumentMachine(
      Number(children.trim()),
      base,
      process,
      {
        PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        HOME,
        USER: "root",
        LANG: "C.UTF-8",
        NO_COLOR: "1",
        DENO_DIR: denoDir,
        DENO_NO_UPDATE_CHECK: "1",
        KINGBUS_IMPORTS: flags.length > 0 ? "npm" : "jsr",
        KINGBUS_RIG: rigFolder(),
        KINGBUS_MYSQL56: mysql56,
      },
    );
    try {
      await machine.#furnish(hosts, flags);
    } catch (error) {
      await machine[Symbol.asyncDispose]();
      throw error;
    }
    return machine;
  }

  /** A path in it as this machine names it. */
  path(path: string): string {
    return `/proc/${this.pid}/root${path}`;
  }

  /** Prepares a program to be run in it. */
  command(
    command: readonly string[],
    options: {
      folder?: string;
      stdin?: "piped" | "null";
      stdout?: "piped" | "null";
      env?: Record<string, string>;
    } = {},
  ): Deno.Command {
    const { folder = HOME, stdin = "null", stdout = "piped", env } = options;
    return new Deno.Command("nsenter", {
      args: [
        `--target=${this.pid}`,
        "--mount",
        "--net",
        "--pid",
        "--uts",
        "--root",
        "--wd=/",
        "/usr/bin/env",
        `--chdir=${folder}`,
        ...command,
      ],
      clearEnv: true,
      env: { ...this.#environment, ...env },
      stdin,
      stdout,
      stderr: stdout,
    });
  }

  /** Runs a script of bash in it to its end. */
  async run(script: string, folder?: string): Promise<MachineOutput> {
    const command = ["bash", "-o", "pipefail", "-c", `{ ${script}\n} 2>&1`];
    const options = folder === undefined ? {} : { folder };
    const { code, stdout } = await this.command(command, options).output();
    return { code, output: new TextDecoder().decode(stdout) };
  }

  /** As {@linkcode run}; fails where the script does. @returns its output */
  async must(script: string, folder?: string): Promise<string> {
    const { code, output } = await this.run(script, folder);
    if (code === 0) return output;
    throw new TestServerError(
      `In the document's machine, exit code ${code} of: ${script}\n${output}`,
    );
  }

  /** Writes a file in it; folders are made. */
  async writeFile(path: string, text: string, mode = 0o644): Promise<void> {
    const folder = path.slice(0, path.lastIndexOf("/"));
    await Deno.mkdir(this.path(folder), { recursive: true });
    await Deno.writeTextFile(this.path(path), text, { mode });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // its first process ends with this, and with that all others
    await this.#process.stdin.close();
    await this.#process.status;
    await Deno.remove(this.#base, { recursive: true });
  }

  async #furnish(
    hosts: Readonly<Record<string, string>>,
    flags: readonly string[],
  ): Promise<void> {
    const lines = Object.entries({
      localhost: "127.0.0.1",
      "kingbus-host": "127.0.0.1",
      ...hosts,
    }).map(([name, address]) => `${address} ${name}\n`);
    await this.writeFile("/etc/hosts", lines.join(""));
    // MySQL 9.7 sees another root
    await this.writeFile(`${rigFolder()}/sid/etc/hosts`, lines.join(""));
    await this.writeFile("/etc/mysql/my.cnf", "");
    await Deno.mkdir(this.path(HOME), { recursive: true });
    await this.#copyProject();
    const executable = Deno.env.get(EXECUTABLE_VARIABLE);
    await this.#program(
      "kingbus",
      executable ? [executable] : [
        Deno.execPath(),
        "run",
        "--quiet",
        ...flags.map((flag) =>
          flag.replace("=scripts/", `=${CHECKOUT}/scripts/`)
        ),
        ...await startFlags(),
        `${CHECKOUT}/main.ts`,
      ],
    );
    const inside = `${rigFolder()}/sid`;
    for (const name of MYSQL_PROGRAMS) {
      await this.#program(name, [
        `${inside}/lib64/ld-linux-x86-64.so.2`,
        "--library-path",
        `${inside}/usr/lib/x86_64-linux-gnu`,
        `${inside}/usr/bin/${name}`,
      ]);
    }
    await this.#program("sudo", ["env", "--"]);
    await this.#compiler();
    // what a reader without Deno has npm fetch is this very version of it
    await this.writeFile(
      "/usr/local/bin/npx",
      `#!/bin/sh
if [ "$1 $2" != "-y deno@${Deno.version.deno}" ]; then
  echo "npx in a document's test stands for Deno ${Deno.version.deno} only, not: $*" >&2
  exit 1
fi
shift 2
exec ${Deno.execPath()} "$@"
`,
      0o755,
    );
  }

  /** Where a denort is given, executables are made with it and its Deno. */
  async #compiler(): Promise<void> {
    const stub = Deno.env.get("DENORT_BIN");
    if (stub === undefined) return;
    // Out here, where packages can be had that the cache of that Deno lacks.
    const made = await makeExecutable("kingbus");
    if (typeof made === "string") throw new Error(made);
    const deno = Deno.env.get("DENO") ?? Deno.execPath();
    await this.writeFile(
      "/usr/local/bin/deno",
      `#!/bin/sh
if [ "$1 $2" = "task compile" ]; then
  export DENORT_BIN='${stub}'
  exec '${deno}' "$@"
fi
exec '${Deno.execPath()}' "$@"
`,
      0o755,
    );
  }

  async #program(name: string, command: readonly string[]): Promise<void> {
    const words = command.map((word) => `'${word}'`).join(" ");
    const text = `#!/bin/sh\nexec ${words} "$@"\n`;
    await this.writeFile(`/usr/local/bin/${name}`, text, 0o755);
  }

  /** What git has or would take, as it is now. */
  async #copyProject(): Promise<void> {
    await this.must(
      `mkdir -p ${CHECKOUT} && cd '${ROOT}' &&
        git -c safe.directory='*' ls-files -z --cached --others --exclude-standard |
          xargs -0 sh -c 'for file; do [ -e "$file" ] && printf "%s\\0" "$file"; done' sh |
          xargs -0 cp --parents --target-directory=${CHECKOUT}`,
    );
  }
}

const NAMESPACES = ["--mount", "--net", "--pid", "--uts"];

/** The flags of `deno task start`, without those that it finds out. */
async function startFlags(): Promise<string[]> {
  const { tasks } = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`));
  const start: string = tasks.start;
  return start.split(/\s+/).filter((word) =>
    /^--(allow|deny|no-prompt|v8-flags|unstable)/.test(word)
  );
}

async function denoFolder(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json"],
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
}

async function runHere(
  program: string,
  args: string[],
): Promise<MachineOutput> {
  try {
    const command = new Deno.Command(program, { args, cwd: ROOT });
    const { code, stdout, stderr } = await command.output();
    const decoder = new TextDecoder();
    return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return { code: 127, output: `no program ${program}` };
  }
}

async function mustRun(program: string, args: string[]): Promise<void> {
  const { code, output } = await runHere(program, args);
  if (code === 0) return;
  throw new TestServerError(`${program} ${args.join(" ")}: ${output}`);
}
