const UNITS: ReadonlyMap<string, number> = new Map([
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

/**
 * Parses a duration such as `500ms`, `10s`, `1.5h` or `7d` into milliseconds.
 *
 * @throws {SyntaxError} when the text is no duration.
 */
export function parseDuration(text: string): number {
  const match = /^(\d{1,12}(?:\.\d{1,6})?)\s*([a-z]+)$/.exec(text.trim());
  const unit = UNITS.get(match?.[2] ?? "");
  if (!match || unit === undefined) {
    throw new SyntaxError(
      `"${text}" is no duration: write a number with ms, s, m, h or d, as in 10s`,
    );
  }
  return Math.round(Number(match[1]) * unit);
}

/** The shortest exact text for a number of milliseconds: `10s`, `1500ms`. */
export function formatDuration(durationMs: number): string {
  for (const unit of ["d", "h", "m", "s"]) {
    const factor = UNITS.get(unit)!;
    if (durationMs >= factor && durationMs % factor === 0) {
      return `${durationMs / factor}${unit}`;
    }
  }
  return `${durationMs}ms`;
}
