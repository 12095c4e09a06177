/** How a command ended that was shown while it ran. */
export interface TeedOutput {
  /** Whether it exited with 0. */
  success: boolean;
  /** What it wrote to its output and its errors, as it came. */
  output: string;
}

/**
 * Runs a command of Deno and passes on what it writes, and keeps it. It writes
 * in colour if this process writes to a terminal.
 */
export async function teeCommand(
  args: string[],
  cwd: URL,
): Promise<TeedOutput> {
  const coloured = Deno.stdout.isTerminal() && !Deno.noColor;
  const child = new Deno.Command(Deno.execPath(), {
    args,
    cwd,
    env: coloured ? { FORCE_COLOR: "1" } : {},
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const chunks: Uint8Array[] = [];
  const pass = async (
    from: ReadableStream<Uint8Array>,
    to: { writeSync(chunk: Uint8Array): number },
  ): Promise<void> => {
    for await (const chunk of from) {
      chunks.push(chunk);
      let written = 0;
      while (written < chunk.length) {
        written += to.writeSync(chunk.subarray(written));
      }
    }
  };
  const [{ success }] = await Promise.all([
    child.status,
    pass(child.stdout, Deno.stdout),
    pass(child.stderr, Deno.stderr),
  ]);
  return { success, output: await new Blob(chunks as BlobPart[]).text() };
}
