/**
 * `deno task fuzz`: feeds hostile bytes to everything that reads what others
 * have written.
 *
 * @module
 */

import { hex } from "../support/byte_table.ts";
import type { FuzzReport } from "./fuzz_loop.ts";
import type { FuzzJob, FuzzMessage } from "./fuzz_message.ts";
import {
  FUZZ_USAGE,
  type FuzzOptions,
  FuzzOptionsError,
  parseFuzzOptions,
} from "./fuzz_options.ts";
import { InputWindow } from "./input_window.ts";
import { TARGETS } from "./targets.ts";

/** An input that takes longer than this hangs. */
const HANG_MS = 30_000;
const LOOK_MS = 1000;
const PROGRESS_MS = 10_000;

function newSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]!;
}

/** Runs all that is asked for; answers what to exit with. */
async function run(options: FuzzOptions): Promise<number> {
  const unknown = options.only
    .filter((name) => !TARGETS.some((target) => target.name === name));
  if (unknown.length > 0) {
    throw new FuzzOptionsError(
      `There is no target ${unknown.join(", ")}; there are ${
        TARGETS.map(({ name }) => name).join(", ")
      }`,
    );
  }
  console.log(`seed ${options.seed}`);
  const shared = InputWindow.newMemory();
  const worker = new Worker(new URL("fuzz_worker.ts", import.meta.url), {
    type: "module",
  });
  const { promise, resolve } = Promise.withResolvers<number>();
  const watch = new HangWatch(new InputWindow(shared), (target, input) => {
    console.error(
      `\nFOUND ${target}: it hangs: no end after ${HANG_MS / 1000} s\n${
        howToRepeat(target, hex(input))
      }`,
    );
    resolve(1);
  });
  let inputs = 0;
  let finds = 0;
  worker.onmessage = ({ data }: MessageEvent<FuzzMessage>) => {
    switch (data.kind) {
      case "begin":
        return watch.begin(data.target);
      case "answer":
        return console.log(data.answer);
      case "end":
        inputs += data.report.inputs;
        return console.log(lineOf(data.report));
      case "find":
        console.error(
          `\nFOUND ${data.what}\ninput ${data.count} of seed ${options.seed}\n${
            howToRepeat(data.target, data.input)
          }`,
        );
        finds += 1;
        return;
      case "done":
        console.log(
          `${inputs} inputs, ${finds === 0 ? "nothing" : finds} found`,
        );
        return resolve(finds === 0 ? 0 : 1);
    }
  };
  worker.onerror = (event) => {
    event.preventDefault();
    watch.crashed(event.message, options.seed);
    resolve(1);
  };
  const { only, seed, seconds, input } = options;
  const job: FuzzJob = {
    shared,
    only,
    seed,
    inputs: options.inputs,
    seconds,
    input,
  };
  worker.postMessage(job);
  const code = await promise;
  watch.end();
  worker.terminate();
  return code;
}

/** Looks whether inputs go by, and says now and then how many have. */
class HangWatch {
  readonly #window: InputWindow;
  readonly #hangs: (target: string, input: Uint8Array) => void;
  readonly #timer: ReturnType<typeof setInterval>;
  #target = "";
  #count = 0;
  #countAtBegin = 0;
  #movedAt = performance.now();
  #saidAt = performance.now();

  constructor(
    window: InputWindow,
    hangs: (target: string, input: Uint8Array) => void,
  ) {
    this.#window = window;
    this.#hangs = hangs;
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  begin(target: string): void {
    this.#target = target;
    this.#countAtBegin = this.#window.count;
    this.#movedAt = performance.now();
    this.#saidAt = this.#movedAt;
  }

  /** An error that no input's own run has caught: a promise nobody awaits. */
  crashed(message: string, seed: number): void {
    console.error(
      `\nFOUND ${this.#target}: outside of any call: ${message}\nseed ${seed}, at or before this input\n${
        howToRepeat(this.#target, hex(this.#window.input))
      }`,
    );
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const { count } = this.#window;
    const now = performance.now();
    if (count !== this.#count) {
      this.#count = count;
      this.#movedAt = now;
    } else if (now - this.#movedAt > HANG_MS) {
      this.#hangs(this.#target, this.#window.input);
      this.end();
    }
    if (now - this.#saidAt > PROGRESS_MS) {
      this.#saidAt = now;
      console.error(`… ${this.#target}: ${count - this.#countAtBegin} inputs`);
    }
  }
}

function howToRepeat(target: string, input: string): string {
  return `to try it again: deno task fuzz --only ${target} --input ${
    input === "" ? "''" : input
  }\nto keep it: put these digits into tests/fixtures/fuzz/${target}/<what it is>.hex`;
}

function lineOf(report: FuzzReport): string {
  const { target, inputs, seconds, answers, heldBefore, heldAfter } = report;
  const rate = Math.round(inputs / Math.max(seconds, 0.001));
  const grown = (heldAfter - heldBefore) / 2 ** 20;
  return `${target.padEnd(20)} ${String(inputs).padStart(9)} inputs ${
    String(rate).padStart(8)
  }/s ${String(answers).padStart(6)} answers, memory ${
    (heldAfter / 2 ** 20).toFixed(1)
  } MiB (${grown >= 0 ? "+" : ""}${grown.toFixed(1)})`;
}

if (import.meta.main) {
  try {
    const options = parseFuzzOptions(Deno.args, newSeed);
    if (options === undefined) console.log(FUZZ_USAGE);
    else Deno.exit(await run(options));
  } catch (error) {
    if (!(error instanceof FuzzOptionsError)) throw error;
    console.error(`fuzz: ${error.message}`);
    Deno.exit(2);
  }
}
