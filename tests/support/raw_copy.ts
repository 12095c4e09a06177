import type { RigProgram } from "../../scripts/test_servers/rig.ts";
import { TestServerError } from "../../scripts/test_servers/test_server_error.ts";

/**
 * A folder into which `mysqlbinlog` or `mariadb-binlog` copies binlog files
 * from a server; gone at the end, and so is a program still at it.
 */
export class RawCopy implements AsyncDisposable {
  readonly #program: RigProgram;
  readonly #port: number;
  readonly #itsPath: string;
  readonly #path: string;
  #running: Deno.ChildProcess | undefined;

  private constructor(
    program: RigProgram,
    port: number,
    folder: { itsPath: string; path: string },
  ) {
    this.#program = program;
    this.#port = port;
    this.#itsPath = folder.itsPath;
    this.#path = folder.path;
  }

  /** Makes the folder for copies from the server at `port`. */
  static async open(program: RigProgram, port: number): Promise<RawCopy> {
    return new RawCopy(program, port, await program.makeFolder());
  }

  /** Copies to its end. @throws {TestServerError} When the program fails. */
  async run(...args: string[]): Promise<void> {
    const { success, stderr } = await this.#program.run(this.#args(args));
    if (success) return;
    throw new TestServerError(
      `Cannot copy ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`,
    );
  }

  /** Begins to copy what never ends. */
  start(...args: string[]): void {
    this.#running = this.#program.spawn(this.#args(args));
  }

  /** The files that are there, by name. */
  files(): Map<string, Uint8Array> {
    const names = [...Deno.readDirSync(this.#path)].map(({ name }) => name);
    return new Map(
      names.sort().map((name) => [
        name,
        Deno.readFileSync(`${this.#path}/${name}`),
      ]),
    );
  }

  /** Bytes of one of them; 0 while it is not there. */
  sizeOf(name: string): number {
    try {
      return Deno.statSync(`${this.#path}/${name}`).size;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return 0;
      throw error;
    }
  }

  /** Ends a program that was started. */
  async stop(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    this.#running = undefined;
    try {
      running.kill("SIGKILL");
    } catch {
      // it has ended by itself
    }
    await running.output();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await Deno.remove(this.#path, { recursive: true });
  }

  #args(args: string[]): string[] {
    return [
      "--no-defaults",
      "--host=127.0.0.1",
      `--port=${this.#port}`,
      "--user=repl",
      "--password=replpass",
      "--raw",
      `--result-file=${this.#itsPath}/`,
      ...args,
    ];
  }
}
