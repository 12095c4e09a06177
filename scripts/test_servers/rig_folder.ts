/** The folder that the servers and programs of the rig are installed in. */
export function rigFolder(): string {
  return Deno.env.get("KINGBUS_RIG") ??
    `${Deno.env.get("TMPDIR") ?? "/tmp"}/kingbus-rig`;
}
