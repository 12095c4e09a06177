/**
 * Gives up the permission for the folder that an executable is started in where
 * that is the root of the file system: service managers and containers start
 * programs there, and all there is would be permitted.
 */
export function giveUpRoot(): void {
  if (!Deno.build.standalone || !isRoot(Deno.cwd())) return;
  for (const name of ["read", "write"] as const) {
    Deno.permissions.revokeSync({ name, path: "." });
  }
}

/** `/`, or a drive's. */
function isRoot(folder: string): boolean {
  return /^(?:[A-Za-z]:)?[/\\]$/.test(folder);
}
