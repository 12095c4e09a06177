import { waitUntil } from "../../scripts/test_servers/wait_until.ts";

/** How long it may run, and is held then. */
const RUN_MS = 10;
const HOLD_MS = 600;

/**
 * A process that gets little of its time, as on a machine that does too much
 * else: it is held and let go on over and over, until this is disposed of.
 * What takes it a moment takes seconds then, on a fast machine too.
 */
export class SlowedProcess implements AsyncDisposable {
  readonly #pid: number;
  readonly #work: Promise<void>;
  #ended = false;

  private constructor(pid: number) {
    this.#pid = pid;
    this.#work = this.#run();
  }

  /**
   * Slows a process down once it has a file open.
   *
   * @param name how the file's path ends
   */
  static async once(pid: number, name: string): Promise<SlowedProcess> {
    await waitUntil(
      `process ${pid} opened ${name}`,
      () => hasOpen(pid, name),
      { intervalMs: 1 },
    );
    return new SlowedProcess(pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true;
    await this.#work;
  }

  async #run(): Promise<void> {
    try {
      while (!this.#ended) {
        Deno.kill(this.#pid, "SIGSTOP");
        await pause(HOLD_MS);
        Deno.kill(this.#pid, "SIGCONT");
        await pause(RUN_MS);
      }
    } catch (error) {
      // It has ended.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

function hasOpen(pid: number, name: string): boolean {
  try {
    const folder = `/proc/${pid}/fd`;
    return [...Deno.readDirSync(folder)].some((file) =>
      Deno.readLinkSync(`${folder}/${file.name}`).endsWith(name)
    );
  } catch (error) {
    // It has not begun, or has closed the file meanwhile.
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
