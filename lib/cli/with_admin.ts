import { type AdminAccess, openAdmin, tellAdminError } from "./admin_access.ts";
import type { CommandInput } from "./command.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Runs the part of a command that needs a node, or its store. Gives its exit
 * code, or that of the `AdminError` it threw, which is said.
 *
 * @throws {UsageError} when the flags can't be used
 * @throws {ConfigError} when the configuration can't be
 * @throws what `run` throws and is no `AdminError`
 */
export async function withAdmin(
  input: CommandInput,
  terminal: Terminal,
  run: (access: AdminAccess) => Promise<number>,
): Promise<number> {
  const access = await openAdmin(input, terminal);
  try {
    return await run(access);
  } catch (error) {
    return tellAdminError(error, terminal);
  }
}
