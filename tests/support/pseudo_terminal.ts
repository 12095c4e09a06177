import { waitUntil } from "../../scripts/test_servers/wait_until.ts";

/** How a pseudo terminal is set up. */
export interface PseudoTerminalOptions {
  readonly columns: number;
  readonly rows: number;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * A command on a terminal of its own, which util-linux's `script` makes: what
 * it writes is what a person would see, and what is typed reaches it as keys.
 */
export class PseudoTerminal implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #keys: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  #written = "";

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#keys = child.stdin.getWriter();
    this.#reading = this.#read();
  }

  /** Whether this machine can make one. */
  static async isThere(): Promise<boolean> {
    try {
      const { stdout } = await new Deno.Command("script", {
        args: ["--version"],
      }).output();
      return new TextDecoder().decode(stdout).includes("util-linux");
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }

  /** Starts a shell command. */
  static start(
    shellCommand: string,
    { columns, rows, env = {} }: PseudoTerminalOptions,
  ): PseudoTerminal {
    const setUp = `stty cols ${columns} rows ${rows}`;
    return new PseudoTerminal(
      new Deno.Command("script", {
        args: ["-qfec", `${setUp}; ${shellCommand}`, "/dev/null"],
        env: { TERM: "xterm-256color", SHELL: "/bin/sh", ...env },
        stdin: "piped",
        stdout: "piped",
        stderr: "inherit",
      }).spawn(),
    );
  }

  /** All that was written to it, escape sequences too. */
  get written(): string {
    return this.#written;
  }

  /** Waits until that has a text. */
  async shows(text: string): Promise<void> {
    await waitUntil(
      `the terminal showed ${JSON.stringify(text)}`,
      () => this.#written.includes(text),
      { intervalMs: 20 },
    );
  }

  /** Types keys. */
  async type(keys: string): Promise<void> {
    await this.#keys.write(new TextEncoder().encode(keys));
  }

  /** Waits for the command's end and gives its exit code. */
  async ended(): Promise<number> {
    const { code } = await this.#child.status;
    await this.#reading;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#keys.close().catch(() => {});
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.ended();
  }

  async #read(): Promise<void> {
    const text = this.#child.stdout.pipeThrough(new TextDecoderStream());
    for await (const chunk of text) this.#written += chunk;
  }
}

/** A command as a shell reads it. */
export function shellCommand(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
}
