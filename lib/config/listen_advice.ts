/** What to do by the code of the error that listening ended in. */
const ADVICE: Readonly<Record<string, (key: string) => string>> = {
  EADDRINUSE: (key) =>
    `something else listens there: stop it, or choose another ${key}`,
  EACCES: (key) =>
    `ports below 1024 need a right of their own: choose another ${key}, or give kingbus CAP_NET_BIND_SERVICE`,
  EADDRNOTAVAIL: (key) =>
    `that is no address of this machine: choose another ${key}`,
};

/**
 * What to do when an address can't be listened on, in brackets behind a space;
 * empty where that is not known.
 *
 * @param key the key of the configuration that names the address
 */
export function listenAdvice(error: unknown, key: string): string {
  const code = error instanceof Error && "code" in error
    ? String(error.code)
    : "";
  const advice = ADVICE[code];
  return advice === undefined ? "" : ` (${advice(key)})`;
}
