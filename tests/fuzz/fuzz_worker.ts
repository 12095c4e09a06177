/**
 * Runs the fuzz targets on a thread of its own, so that one that hangs can be
 * told of by the other. What it tries stands in shared memory before it is
 * tried.
 *
 * @module
 */

import { hex } from "../support/byte_table.ts";
import { attempt, fuzz, FuzzFind, shrink } from "./fuzz_loop.ts";
import type { FuzzJob, FuzzMessage } from "./fuzz_message.ts";
import type { FuzzTarget } from "./fuzz_target.ts";
import { InputWindow } from "./input_window.ts";
import { TARGETS } from "./targets.ts";

/** The part of a worker's global scope that is used. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<FuzzJob>) => void) | null;
  postMessage(message: FuzzMessage): void;
}

const scope = globalThis as unknown as WorkerScope;

scope.onmessage = ({ data }) => void work(data);

async function work(job: FuzzJob): Promise<void> {
  const window = new InputWindow(job.shared);
  for (const target of TARGETS) {
    if (job.only.length > 0 && !job.only.includes(target.name)) continue;
    scope.postMessage({ kind: "begin", target: target.name });
    try {
      const report = job.input === undefined
        ? await fuzz(target, { ...job, before: (input) => window.put(input) })
        : await tryOne(target, job.input, window);
      scope.postMessage({ kind: "end", report });
    } catch (error) {
      scope.postMessage(await found(target, error));
    }
  }
  scope.postMessage({ kind: "done" });
}

async function tryOne(
  target: FuzzTarget,
  input: Uint8Array,
  window: InputWindow,
): Promise<Awaited<ReturnType<typeof fuzz>>> {
  window.put(input);
  const start = performance.now();
  try {
    const answer = await attempt(target, input);
    scope.postMessage({ kind: "answer", answer });
  } catch (cause) {
    throw new FuzzFind(target.name, 1, input, cause);
  }
  return {
    target: target.name,
    inputs: 1,
    seconds: (performance.now() - start) / 1000,
    answers: 1,
    heldBefore: 0,
    heldAfter: 0,
  };
}

async function found(
  target: FuzzTarget,
  error: unknown,
): Promise<FuzzMessage> {
  if (!(error instanceof FuzzFind)) throw error;
  const cause = error.cause instanceof Error ? error.cause.stack : undefined;
  return {
    kind: "find",
    target: target.name,
    count: error.count,
    what: `${error.message}\n${cause ?? ""}`,
    input: hex(await shrink(target, error.input)),
  };
}
