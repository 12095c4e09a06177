import { BenchError } from "./bench_error.ts";
import { spawnDeno } from "./bench_process.ts";
import type { IdleInput } from "./idle_replicas.ts";

/** Replicas with nothing to read, in a process of their own. */
export class IdleReplicaProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
  }

  /** Starts it; answers once all of them are connected. */
  static async start(input: IdleInput): Promise<IdleReplicaProcess> {
    const program = new URL("idle_replicas.ts", import.meta.url).pathname;
    const child = spawnDeno(
      // Over TLS to a certificate that kingbus has made for itself.
      input.tls ? ["-A", "--unsafely-ignore-certificate-errors"] : ["-A"],
      program,
      [JSON.stringify(input)],
    );
    const replicas = new IdleReplicaProcess(child);
    const { value } = await child.stdout.getReader().read();
    if (value !== undefined) return replicas;
    await replicas[Symbol.asyncDispose]();
    throw new BenchError("The idle replicas could not connect");
  }

  /** Ends it at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It ended by itself.
    }
    await this.#child.status;
  }
}
