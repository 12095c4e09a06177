import { BenchError } from "./bench_error.ts";
import { spawnDeno } from "./bench_process.ts";
import type { FillingInput } from "./filling_writer.ts";

/** How long the writer writes after the store is full, before it is killed. */
const WRITE_MS_MAX = 2_000;

/**
 * Has a process fill a store, and kills it with SIGKILL while it goes on
 * writing. Its folder has to be there.
 */
export async function fillAndKill(input: FillingInput): Promise<void> {
  const program = new URL("filling_writer.ts", import.meta.url).pathname;
  const child = spawnDeno(["-A"], program, [JSON.stringify(input)]);
  const { value } = await child.stdout.getReader().read();
  if (value === undefined) throw new BenchError("The store was not filled");
  await new Promise((resolve) =>
    setTimeout(resolve, WRITE_MS_MAX * Math.random())
  );
  child.kill("SIGKILL");
  await child.status;
}
