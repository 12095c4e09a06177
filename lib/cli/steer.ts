import type { AdminAccess } from "./admin_access.ts";
import { AdminError, type AdminQuestion } from "./admin_client.ts";
import type { CommandInput } from "./command.ts";
import { ExitCode } from "./exit_code.ts";
import { printable } from "./printable.ts";
import type { Terminal } from "./terminal.ts";
import { withAdmin } from "./with_admin.ts";

/** What is said of an answer, in one line each. */
export interface SteerAnswers {
  /** It is done. */
  readonly done: (access: AdminAccess) => Promise<string>;
  /** It was so already, which is as good; absent where it is a fault. */
  readonly already?: (access: AdminAccess) => Promise<string>;
  /** What the node can't make use of, in the words of the command line. */
  readonly invalid?: string;
}

/** HTTP status of what is not as it would have to be, and of what is no use. */
const CONFLICT = 409;
const INVALID = 400;

/**
 * Has the running node change something, and prints what came of it. Gives the
 * exit code; what only a running node can do is not done without one.
 */
export async function steer(
  input: CommandInput,
  terminal: Terminal,
  question: AdminQuestion<unknown>,
  { done, already, invalid }: SteerAnswers,
): Promise<number> {
  return await withAdmin(input, terminal, async (access) => {
    let say = done;
    try {
      await access.client.ask(question);
    } catch (error) {
      if (!(error instanceof AdminError)) throw error;
      const { status } = error;
      if (status === CONFLICT && already !== undefined) {
        say = already;
      } else if (status === INVALID && invalid !== undefined) {
        const options = { status, cause: error };
        throw new AdminError("refused", invalid, options);
      } else throw error;
    }
    terminal.out(`${printable(await say(access))}\n`);
    return ExitCode.DONE;
  });
}
