import { ExitCode } from "./exit_code.ts";
import { Progress } from "./progress.ts";
import { StopSignals } from "./stop_signals.ts";
import type { Terminal } from "./terminal.ts";

/** What is done, and where it is shown how far it has come. */
export interface LongWorkOptions {
  /** What is done, as in `export`. */
  readonly title: string;
  readonly terminal: Terminal;
  /**
   * What the work is ended with when a signal asks for it; an `AbortError` that
   * names the signal if absent.
   */
  readonly interrupted?: (signal: Deno.Signal) => Error;
}

/** What such work is given. */
export interface LongWork {
  /** Aborted, with what `interrupted` gave, when the process is to end. */
  readonly signal: AbortSignal;
  /** So many of so many bytes are done now. */
  readonly progress: (done: number, total: number) => void;
}

/**
 * Does work that may take a while: it shows how far it has come, the first
 * signal asks it to end where it can be taken up again, and another one ends
 * the process at once.
 */
export async function runLong<Result>(
  { title, terminal, interrupted = interruption }: LongWorkOptions,
  work: (long: LongWork) => Promise<Result>,
): Promise<Result> {
  const interrupt = new AbortController();
  using signals = new StopSignals(() => Deno.exit(ExitCode.FAILED));
  void signals.first.then((signal) => interrupt.abort(interrupted(signal)));
  let bar: Progress | undefined;
  try {
    return await work({
      signal: interrupt.signal,
      progress(done, total): void {
        // How much there is to do is often found out first.
        bar ??= new Progress(terminal, { title, total, unit: "bytes" });
        bar.update(done);
      },
    });
  } finally {
    await bar?.end();
  }
}

function interruption(signal: Deno.Signal): DOMException {
  return new DOMException(`interrupted by ${signal}`, "AbortError");
}
