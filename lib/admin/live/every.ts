/** Does something every so many milliseconds, until it is disposed of. */
export type Every = (ms: number, act: () => void) => Disposable;

/** The system's timer. */
export function everyInterval(ms: number, act: () => void): Disposable {
  const timer = setInterval(act, ms);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
