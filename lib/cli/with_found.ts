import type { AdminQuestion } from "./admin_client.ts";
import { askNodeOrStore, formatFound, type Found } from "./ask_node.ts";
import { type CommandInput, wantsJson } from "./command.ts";
import { type FormatOptions, formatOptions } from "./format_options.ts";
import type { StoredNode } from "./stored_node.ts";
import type { Terminal } from "./terminal.ts";
import { withAdmin } from "./with_admin.ts";

/** What a command shows that a node is asked, or its store. */
export interface Shown<Answer, Data = Answer> {
  readonly question: AdminQuestion<Answer>;
  /** Picks the answer out of what the store knows. */
  readonly stored: (node: StoredNode) => Answer;
  /** What of the answer is shown. */
  readonly pick: (answer: Answer) => Data;
  /** As text for people, with its line ends. */
  readonly format: (data: Data, options: FormatOptions) => string;
}

/**
 * Asks the running node, or the store where none runs, and prints what it says,
 * as JSON if that is wanted. Gives the exit code.
 *
 * @param code the exit code, once it is printed
 * @throws what `withAdmin` throws
 */
export async function withFound<Answer, Data>(
  input: CommandInput,
  terminal: Terminal,
  { question, stored, pick, format }: Shown<Answer, Data>,
  code: (found: Found<Data>) => number,
): Promise<number> {
  return await withAdmin(input, terminal, async (access) => {
    const { from, data } = await askNodeOrStore(
      access,
      question,
      stored,
      terminal,
    );
    const found: Found<Data> = { from, data: pick(data) };
    terminal.out(
      wantsJson(input)
        ? formatFound(found)
        : format(found.data, formatOptions(terminal)),
    );
    return code(found);
  });
}
