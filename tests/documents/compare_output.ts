/**
 * Tells whether a document's block of output is what a command has written.
 *
 * What differs from run to run is passed over: numbers, times, uuids, GTID
 * sets, widths of columns, paths of temporary files. A line `…` or `...` stands
 * for any lines, `…` at a line's end for the rest of it. More lines before or
 * after those that are claimed do no harm.
 *
 * @returns The first line that the output has not; undefined if it has all.
 */
export function compareOutput(
  claimed: string,
  written: string,
): string | undefined {
  const lines = written.split("\n").map(shapeOf).filter((line) => line !== "");
  let at = 0;
  let anything = true;
  for (const line of claimed.split("\n")) {
    const wanted = shapeOf(line);
    if (wanted === "") continue;
    if (wanted === "…" || wanted === "...") {
      anything = true;
      continue;
    }
    const matches = (candidate: string | undefined): boolean =>
      candidate !== undefined && matchesShape(wanted, candidate);
    const found = anything
      ? lines.findIndex((candidate, index) => index >= at && matches(candidate))
      : matches(lines[at])
      ? at
      : -1;
    if (found < 0) return line;
    at = found + 1;
    anything = false;
  }
  return undefined;
}

/** A line without what differs from run to run. */
function shapeOf(line: string): string {
  return line
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi, "UUID")
    .replace(/UUID(:[\w:]*\d+(-\d+)?)+/g, "UUID:N")
    .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| UTC)?/g, "TIME")
    .replace(/[-─━═+┌┐└┘├┤┬┴┼]{2,}/g, "-")
    .replace(/(\d+(?:[.,:]\d+)*|\b[0-9a-f]{16,}\b)/g, "N")
    .replace(/\bN ?(ns|µs|ms|s|m|h|d|B|KB|MB|GB|KiB|MiB|GiB|TiB)\b/g, "N")
    .replace(/\s+/g, " ")
    .trim();
}

function matchesShape(wanted: string, written: string): boolean {
  const parts = wanted.split(/…|\.\.\./).map((part) =>
    part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
  );
  return new RegExp(`^${parts.join(".*")}$`).test(written);
}
