/**
 * The candidate that `name` is most likely a slip of, or undefined when none is
 * close: at most one slip (a letter more, less, other, or two swapped) for every
 * three letters, and at least one is always forgiven.
 */
export function nearestName(
  name: string,
  candidates: Iterable<string>,
): string | undefined {
  const written = simplify(name);
  let nearest: string | undefined;
  let slipsMax = Math.max(1, Math.floor(written.length / 3));
  for (const candidate of candidates) {
    const slips = countSlips(written, simplify(candidate));
    if (slips > slipsMax || (slips === slipsMax && nearest !== undefined)) {
      continue;
    }
    nearest = candidate;
    slipsMax = slips;
  }
  return nearest;
}

/** `; did you mean "…"?` or nothing, to end a message with. */
export function suggestion(name: string, candidates: Iterable<string>): string {
  const nearest = nearestName(name, candidates);
  return nearest === undefined ? "" : `; did you mean "${nearest}"?`;
}

/** `dataDir`, `data_dir` and `data-dir` are the same slip-free name. */
function simplify(name: string): string {
  return name.slice(0, 64).replaceAll(/[-_.\s]/g, "").toLowerCase();
}

/** Optimal string alignment distance. */
function countSlips(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] &&
        a[row - 2] === b[column - 1];
      current.push(Math.min(
        last[column]! + 1,
        current[column - 1]! + 1,
        last[column - 1]! + (same ? 0 : 1),
        swapped ? beforeLast[column - 2]! + 1 : Infinity,
      ));
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length]!;
}
