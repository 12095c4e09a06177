import { tlsShortfall } from "../../lib/tls/tls_runtime.ts";

/**
 * What does not work in an executable of an older Deno; undefined when it is
 * new enough.
 */
export function denoShortfall(version: string): string | undefined {
  if (tlsShortfall(version) === undefined) return undefined;
  return `Deno ${version} is older than 2.9: TLS, zstd compression and the admin API's limits on connections do not work in an executable made with it`;
}

/** Flags that an older Deno needs to load this project's modules. */
export function loadFlags(version: string): string[] {
  // `import text from "./page.html" with { type: "text" }`
  return denoShortfall(version) === undefined ? [] : ["--unstable-raw-imports"];
}
