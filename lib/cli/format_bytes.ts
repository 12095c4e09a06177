/** Three digits and a unit, for people: `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (value < 1000) return `${shortNumber(value)} ${unit}`;
    value /= 1024;
  }
  return `${shortNumber(value)} TiB`;
}

function shortNumber(value: number): string {
  if (Number.isInteger(value) || value >= 100) return value.toFixed(0);
  return value.toFixed(value < 10 ? 2 : 1);
}
