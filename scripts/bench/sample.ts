/** One quantity, measured several times. */
export interface Sample {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** In the order they were measured. */
  readonly values: readonly number[];
}

/** Sums up measurements of one quantity; there must be at least one. */
export function sampleOf(values: readonly number[]): Sample {
  return {
    median: percentile(values, 50),
    min: Math.min(...values),
    max: Math.max(...values),
    values,
  };
}

/**
 * The value below or at which `percent` of the values are, between two of them
 * in proportion.
 */
export function percentile(
  values: readonly number[],
  percent: number,
): number {
  const sorted = values.toSorted((a, b) => a - b);
  const rank = (sorted.length - 1) * percent / 100;
  const below = sorted[Math.floor(rank)] ?? NaN;
  const above = sorted[Math.ceil(rank)] ?? NaN;
  return below + (above - below) * (rank - Math.floor(rank));
}
