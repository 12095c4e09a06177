/** Writes a whole number with a comma at each thousand. */
export function formatCount(count: number | bigint): string {
  return String(typeof count === "number" ? Math.round(count) : count)
    .replaceAll(/\B(?=(\d{3})+$)/g, ",");
}

/** Writes a number of things, whose plural ends in `s`: `1 file`, `2 files`. */
export function formatQuantity(count: number, thing: string): string {
  return `${formatCount(count)} ${thing}${count === 1 ? "" : "s"}`;
}

/** Writes a size with three digits: `482 B`, `1.25 MB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  for (const unit of ["B", "kB", "MB", "GB"]) {
    if (value < 999.5) return `${threeDigits(value, unit === "B")} ${unit}`;
    value /= 1000;
  }
  return `${threeDigits(value, false)} TB`;
}

/** Writes a time in milliseconds, or in seconds from ten of them on. */
export function formatLag(ms: number): string {
  if (ms >= 10_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms.toFixed(ms < 100 ? 1 : 0)} ms`;
}

/** Writes a rate a second. */
export function formatRate(rate: number): string {
  return rate > 0 && rate < 9.95 ? rate.toFixed(1) : formatCount(rate);
}

function threeDigits(value: number, whole: boolean): string {
  if (whole || value >= 99.95) return value.toFixed(0);
  return value.toFixed(value < 9.995 ? 2 : 1);
}
