/** The number at the end of a binlog file's name; undefined if it has none. */
export function fileNumber(name: string): number | undefined {
  const digits = /\.(\d+)$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/**
 * The name of the file next to another one in the same log, as many digits at
 * least; undefined if its name ends in no number.
 *
 * @param name a file's name, such as `binlog.000009`
 * @param step how many files further, may be negative
 */
export function neighbour(name: string, step: number): string | undefined {
  const digits = /\.(\d+)$/.exec(name)?.[1];
  if (digits === undefined) return undefined;
  const number = String(Number(digits) + step).padStart(digits.length, "0");
  return `${name.slice(0, -digits.length)}${number}`;
}
