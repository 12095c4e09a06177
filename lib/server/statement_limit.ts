import type { StatementCursor } from "./statement_cursor.ts";

/** Every row, for `parseLimit` without a LIMIT. */
const ALL_ROWS = 0xffff_ffff_ffff_ffffn;

/** Reads `LIMIT count`, `LIMIT offset, count` or `LIMIT count OFFSET offset` if it is there. */
export function parseLimit(
  cursor: StatementCursor,
): { offset: bigint; count: bigint } {
  if (!cursor.takeWords("LIMIT")) return { offset: 0n, count: ALL_ROWS };
  const first = cursor.expectInteger();
  if (cursor.takeSymbol(",")) {
    return { offset: first, count: cursor.expectInteger() };
  }
  if (cursor.takeWords("OFFSET")) {
    return { offset: cursor.expectInteger(), count: first };
  }
  return { offset: 0n, count: first };
}
