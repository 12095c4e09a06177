/** The first Deno whose `node:tls` can do all that kingbus needs. */
const WANTED: readonly [major: number, minor: number] = [2, 9];

/**
 * Why there is no TLS in this process; undefined where there is. It is for an
 * executable that was made with an older Deno.
 *
 * @param version that of the Deno this runs on, for tests
 */
export function tlsShortfall(
  version: string = Deno.version.deno,
): string | undefined {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [wantedMajor, wantedMinor] = WANTED;
  const isNew = major > wantedMajor ||
    major === wantedMajor && minor >= wantedMinor;
  if (isNew) return undefined;
  return `this kingbus runs on Deno ${version}, and TLS needs ${wantedMajor}.${wantedMinor} or later: make the executable with that`;
}
