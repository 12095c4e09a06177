/** What was asked for in one go, at most, and in all, in bytes. */
export interface Allocations {
  readonly largest: number;
  readonly total: number;
}

type Work<Result> = () => Result | Promise<Result>;

/**
 * Does something and tells how much memory it asked for by length:
 * `new Uint8Array(n)` and `new ArrayBuffer(n)`, which is how a length from a
 * packet would become memory. Slow, and not for two at a time.
 */
export async function meterAllocations<Result>(
  work: Work<Result>,
): Promise<{ result: Result; allocations: Allocations }> {
  const { Uint8Array: bytes, ArrayBuffer: buffer } = globalThis;
  let largest = 0;
  let total = 0;
  const note = (length: unknown): void => {
    if (typeof length !== "number") return;
    largest = Math.max(largest, length);
    total += length;
  };
  const counted = <Target extends typeof bytes | typeof buffer>(
    target: Target,
  ): Target =>
    new Proxy(target, {
      construct(made, args, asked) {
        note(args[0]);
        return Reflect.construct(made, args, asked);
      },
    });
  globalThis.Uint8Array = counted(bytes);
  globalThis.ArrayBuffer = counted(buffer);
  try {
    const result = await work();
    return { result, allocations: { largest, total } };
  } finally {
    globalThis.Uint8Array = bytes;
    globalThis.ArrayBuffer = buffer;
  }
}
