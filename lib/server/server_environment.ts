import type { ServerEnvironment } from "./session_host.ts";

/** The real clock and randomness. */
export function systemEnvironment(): ServerEnvironment {
  return {
    nowMs: () => Date.now(),
    randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
    randomUuid: () => crypto.randomUUID(),
  };
}
