import v8 from "node:v8";
import vm from "node:vm";

/**
 * Frees all memory that nothing refers to, now: V8 itself may let it lie for
 * as long as there is enough.
 */
export function collectGarbage(): void {
  v8.setFlagsFromString("--expose-gc");
  const gc: unknown = vm.runInNewContext("gc");
  if (typeof gc !== "function") {
    throw new TypeError("V8 has no garbage collection to call");
  }
  gc();
}
