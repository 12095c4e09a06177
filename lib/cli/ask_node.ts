import type { AdminAccess } from "./admin_access.ts";
import { AdminError, type AdminQuestion } from "./admin_client.ts";
import { describeError } from "../log/describe_error.ts";
import { StoreError } from "../store/binlog_store.ts";
import { readStoredNode, type StoredNode } from "./stored_node.ts";
import type { Terminal } from "./terminal.ts";

/** What was found out about a node, and from whom. */
export interface Found<Data> {
  /** `store`: no node runs, and its store was read in its place. */
  readonly from: "node" | "store";
  readonly data: Data;
}

/** What `Found.from` is, for the descriptions of `--json`. */
export const FROM_FIELD = [
  "from",
  "`node`, or `store` when no node runs.",
] as const;

/**
 * Asks the running node; where none runs, reads what its store knows, and says
 * on standard error that this is so.
 *
 * @param stored picks the answer out of what the store knows
 * @throws {AdminError} when neither can be done
 */
export async function askNodeOrStore<Data>(
  { client, tree, named }: AdminAccess,
  question: AdminQuestion<Data>,
  stored: (node: StoredNode) => Data,
  terminal: Pick<Terminal, "err">,
): Promise<Found<Data>> {
  try {
    return { from: "node", data: await client.ask(question) };
  } catch (error) {
    if (!(error instanceof AdminError) || error.kind !== "nobody") throw error;
    if (named) throw error;
    const dataDir = tree["data-dir"];
    let node: StoredNode;
    try {
      node = await readStoredNode(tree);
    } catch (cause) {
      if (!(cause instanceof StoreError)) throw cause;
      throw new AdminError(
        "nobody",
        `${error.message} Nor is there a store to read: ${
          describeError(cause)
        }`,
        { cause },
      );
    }
    terminal.err(
      `kingbus: no node runs at ${client.url}, so this is what the store in ${dataDir} knows\n`,
    );
    return { from: "store", data: stored(node) };
  }
}

/** Prints a document for programs: from whom, and what. */
export function formatFound<Data>({ from, data }: Found<Data>): string {
  return `${JSON.stringify({ from, data })}\n`;
}
