import type { FuzzReport } from "./fuzz_loop.ts";

/** What the thread that fuzzes is told to do. */
export interface FuzzJob {
  /** Memory of an `InputWindow`. */
  readonly shared: SharedArrayBuffer;
  readonly only: readonly string[];
  readonly seed: number;
  readonly inputs: number | undefined;
  readonly seconds: number | undefined;
  readonly input: Uint8Array | undefined;
}

/** What it says. */
export type FuzzMessage =
  | { readonly kind: "begin"; readonly target: string }
  | { readonly kind: "answer"; readonly answer: string }
  | { readonly kind: "end"; readonly report: FuzzReport }
  | {
    readonly kind: "find";
    readonly target: string;
    readonly count: number;
    readonly what: string;
    /** In hexadecimal digits. */
    readonly input: string;
  }
  | { readonly kind: "done" };
