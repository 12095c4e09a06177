const UNITS: ReadonlyMap<string, number> = new Map([
  ["B", 1],
  ["KiB", 2 ** 10],
  ["MiB", 2 ** 20],
  ["GiB", 2 ** 30],
  ["TiB", 2 ** 40],
  ["kB", 1e3],
  ["KB", 1e3],
  ["MB", 1e6],
  ["GB", 1e9],
  ["TB", 1e12],
]);

/**
 * Parses a size such as `20GiB`, `1.5 GB` or `4096` into bytes.
 *
 * @throws {SyntaxError} when the text is no size or the size is beyond 2^53.
 */
export function parseSize(text: string): number {
  const match = /^(\d{1,16}(?:\.\d{1,6})?)\s*([A-Za-z]*)$/.exec(text.trim());
  const unit = UNITS.get(match?.[2] || "B");
  if (!match || unit === undefined) {
    throw new SyntaxError(
      `"${text}" is no size: write a number with KiB, MiB, GiB or TiB, as in 20GiB`,
    );
  }
  const bytes = Number(match[1]) * unit;
  if (!Number.isSafeInteger(Math.round(bytes))) {
    throw new SyntaxError(`"${text}" is too large`);
  }
  return Math.round(bytes);
}

/** The shortest exact text for a number of bytes: `64MiB`, `1000B`. */
export function formatSize(bytes: number): string {
  for (const unit of ["TiB", "GiB", "MiB", "KiB"]) {
    const factor = UNITS.get(unit)!;
    if (bytes >= factor && bytes % factor === 0) {
      return `${bytes / factor}${unit}`;
    }
  }
  return `${bytes}B`;
}
