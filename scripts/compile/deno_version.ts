/** The version this project is made for; older ones lack what it needs. */
const WANTED: readonly [major: number, minor: number] = [2, 9];

/**
 * What does not work in an executable of an older Deno; undefined when it is
 * new enough.
 */
export function denoShortfall(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [wantedMajor, wantedMinor] = WANTED;
  const isNew = major > wantedMajor ||
    major === wantedMajor && minor >= wantedMinor;
  if (isNew) return undefined;
  return `Deno ${version} is older than ${wantedMajor}.${wantedMinor}: TLS and zstd compression do not work in an executable made with it`;
}

/** Flags that an older Deno needs to load this project's modules. */
export function loadFlags(version: string): string[] {
  // `import text from "./page.html" with { type: "text" }`
  return denoShortfall(version) === undefined ? [] : ["--unstable-raw-imports"];
}
