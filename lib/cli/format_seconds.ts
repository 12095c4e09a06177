/** A time span for people, two units at most: `12 s`, `3 min 5 s`, `2 d 4 h`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 10 && !Number.isInteger(seconds)) {
    return `${seconds.toFixed(1)} s`;
  }
  const whole = Math.round(seconds);
  const [minutes, hours, days] = [60, 3600, 86_400].map((unit) =>
    Math.floor(whole / unit)
  );
  if (minutes === 0) return `${whole} s`;
  if (hours === 0) return both(minutes!, "min", whole % 60, "s");
  if (days === 0) return both(hours!, "h", minutes! % 60, "min");
  return both(days!, "d", hours! % 24, "h");
}

function both(
  large: number,
  largeUnit: string,
  small: number,
  smallUnit: string,
): string {
  return small === 0
    ? `${large} ${largeUnit}`
    : `${large} ${largeUnit} ${small} ${smallUnit}`;
}
