import type { AdminAccess } from "./admin_access.ts";
import type { AdminQuestion } from "./admin_client.ts";
import type { CommandInput } from "./command.ts";
import { ExitCode } from "./exit_code.ts";
import { printable } from "./printable.ts";
import type { Terminal } from "./terminal.ts";
import { withAdmin } from "./with_admin.ts";

/**
 * Has the running node change something, and prints what came of it. Gives the
 * exit code; what only a running node can do is not done without one.
 *
 * @param say what to print when it is done, in one line
 */
export async function steer(
  input: CommandInput,
  terminal: Terminal,
  question: AdminQuestion<unknown>,
  say: (access: AdminAccess) => Promise<string>,
): Promise<number> {
  return await withAdmin(input, terminal, async (access) => {
    await access.client.ask(question);
    terminal.out(`${printable(await say(access))}\n`);
    return ExitCode.DONE;
  });
}
