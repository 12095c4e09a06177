// @ts-check
/**
 * Rows by a value of theirs; those without one come last in either direction,
 * equal ones stay as they were.
 *
 * @template Row
 * @param {readonly Row[]} rows
 * @param {(row: Row) => string | number | undefined} valueOf
 * @param {boolean} descending
 * @returns {Row[]} another array
 */
export function orderRows(rows, valueOf, descending) {
  const sign = descending ? -1 : 1;
  const valued = rows.map((row) => ({ row, value: valueOf(row) }));
  valued.sort(({ value: a }, { value: b }) => {
    if (a === b) return 0;
    if (a === undefined) return 1;
    if (b === undefined) return -1;
    return a < b ? -sign : sign;
  });
  return valued.map(({ row }) => row);
}
