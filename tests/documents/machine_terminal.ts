import { TestServerError } from "../../scripts/test_servers/test_server_error.ts";
import { waitUntil } from "../../scripts/test_servers/wait_until.ts";
import type { DocumentMachine, MachineOutput } from "./document_machine.ts";

/** A command that goes on while others are run, as in another terminal. */
export interface BackgroundCommand {
  readonly statement: string;
  /** What it has written so far. */
  output(): Promise<string>;
  /** Its exit code; undefined while it runs. */
  code(): Promise<number | undefined>;
  /** Ends it, as Ctrl-C does unless another signal is given. */
  stop(signal?: "INT" | "TERM"): Promise<number>;
}

/** Longest that a statement of a document may take. */
const DEADLINE_MS = 120_000;

/**
 * A reader's terminal in a document's machine: one bash, so that what one
 * statement has set is there for the next.
 */
export class MachineTerminal implements AsyncDisposable {
  readonly #machine: DocumentMachine;
  readonly #shell: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  #statements = 0;

  private constructor(machine: DocumentMachine, shell: Deno.ChildProcess) {
    this.#machine = machine;
    this.#shell = shell;
    this.#input = shell.stdin.getWriter();
  }

  /** Opens one in a folder of the machine, which is made. */
  static async open(
    machine: DocumentMachine,
    folder: string,
  ): Promise<MachineTerminal> {
    await Deno.mkdir(machine.path(folder), { recursive: true });
    const shell = machine.command(["bash", "--noprofile", "--norc"], {
      folder,
      stdin: "piped",
      stdout: "null",
    }).spawn();
    const terminal = new MachineTerminal(machine, shell);
    // background commands get groups of their own, to be signalled as a whole
    await terminal.#say("set -o pipefail; set -m");
    return terminal;
  }

  /** Runs a statement to its end. */
  async run(statement: string): Promise<MachineOutput> {
    const file = await this.#write(statement);
    // whoever writes to head or grep -q is cut off when it has enough
    const cutsOff = /\|\s*(head|grep -q)\b/.test(statement);
    await this.#say(`set ${cutsOff ? "+" : "-"}o pipefail`);
    await this.#say(
      `. ${file} >${file}.out 2>&1 </dev/null; echo $? >${file}.rc-; mv ${file}.rc- ${file}.rc`,
    );
    try {
      const code = await waitUntil(
        `"${statement}" ended`,
        () => this.#code(file),
        { deadlineMs: DEADLINE_MS },
      );
      return { code: Number(code), output: await this.#output(file) };
    } catch (error) {
      const output = await this.#output(file);
      throw new TestServerError(`${error}\nit wrote:\n${output}`);
    }
  }

  /** Starts a statement that others are run beside. */
  async start(statement: string): Promise<BackgroundCommand> {
    const file = await this.#write(statement);
    await this.#say(
      `{ . ${file}; echo $? >${file}.rc-; mv ${file}.rc- ${file}.rc; } >${file}.out 2>&1 </dev/null &\necho $! >${file}.pid-; disown $! && mv ${file}.pid- ${file}.pid`,
    );
    const pid = (await waitUntil(
      `"${statement}" began`,
      () => this.#read(`${file}.pid`),
    )).trim();
    const code = async (): Promise<number | undefined> => {
      const text = await this.#code(file);
      if (text !== undefined) return Number(text);
      // the group's first process may have been ended with its command
      const { code } = await this.#machine.run(`kill -0 -- -${pid}`);
      return code === 0 ? undefined : Number(await this.#code(file) ?? "130");
    };
    return {
      statement,
      output: () => this.#output(file),
      code,
      stop: async (signal = "INT"): Promise<number> => {
        await this.#machine.run(`kill -${signal} -- -${pid}`);
        return await waitUntil(`"${statement}" was stopped`, async () => {
          return await code();
        });
      },
    };
  }

  /** Variables and folder of the terminal, for a command in another place. */
  async folder(): Promise<string> {
    return (await this.run("pwd")).output.trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#input.close();
    } catch {
      // it has ended by itself
    }
    await this.#shell.status;
  }

  async #write(statement: string): Promise<string> {
    const file = `/run/document/${++this.#statements}.sh`;
    await this.#machine.writeFile(file, `${statement}\n`);
    return file;
  }

  async #say(line: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
  }

  async #code(file: string): Promise<string | undefined> {
    return (await this.#read(`${file}.rc`))?.trim();
  }

  async #output(file: string): Promise<string> {
    return await this.#read(`${file}.out`) ?? "";
  }

  async #read(path: string): Promise<string | undefined> {
    try {
      return await Deno.readTextFile(this.#machine.path(path));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }
}
