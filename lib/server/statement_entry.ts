import type { StatementContext } from "./statement_context.ts";
import type { StatementCursor } from "./statement_cursor.ts";
import type { StatementFault } from "./statement_error.ts";
import type { StatementResult } from "./statement_result.ts";
import type { NeededRight } from "./statement_right.ts";

/** What a statement is about, as the documents group them. */
export type StatementSubject =
  | "the log"
  | "replicas and connections"
  | "the source"
  | "variables and values"
  | "the session";

/** One kind of statement that is answered. */
export interface StatementEntry {
  /**
   * Its leading words, in each spelling; what decides which entry a statement
   * belongs to. The longest that fits wins.
   */
  readonly words: readonly string[];
  /** Its grammar, in the manual's notation. */
  readonly syntax: string;
  readonly subject: StatementSubject;
  /** What the account needs; absent where every account may. */
  readonly needed?: NeededRight;
  /** What it answers or does, in words. */
  readonly about: string;
  /** What MySQL counts it as, by its newer and its older name. */
  readonly counters: readonly string[];
  /** The errors it may end in, besides 1064 and 1227. */
  readonly errors?: readonly (keyof typeof StatementFault)[];
  /** Answers it after its leading words; leaves the cursor behind it. */
  answer(cursor: StatementCursor, context: StatementContext): StatementResult;
}
