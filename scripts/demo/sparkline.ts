const BARS = "▁▂▃▄▅▆▇█";

/**
 * Draws numbers as a row of bars, from 0 to their greatest.
 *
 * @param width Bars at most; the last ones are drawn.
 */
export function drawSparkline(
  values: readonly number[],
  width: number,
): string {
  const shown = width > 0 ? values.slice(-width) : [];
  const max = Math.max(...shown, Number.MIN_VALUE);
  return shown.map((value) =>
    BARS[Math.round(Math.max(value, 0) / max * (BARS.length - 1))]!
  ).join("");
}
