import { abortError } from "./connection_error.ts";

/**
 * Waits for a promise or for the signal, whichever comes first; an abort throws
 * a `ConnectionError`. The promise itself runs on, and its later failure is
 * not reported anywhere, so its owner has to keep it. Nothing stays registered
 * on the signal.
 */
export async function abortable<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return await promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(abortError(signal));
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([aborted, promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
