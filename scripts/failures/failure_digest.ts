import { failedTests } from "./failed_tests.ts";

/** What a digest may take. */
export interface DigestLimits {
  /** Lines in all. */
  lines: number;
  /** Lines of one failure. */
  failureLines: number;
  /** Characters of one failure. */
  failureCharacters: number;
}

/** What every digest of several steps begins with, so that it is found again. */
export const WHAT_FAILED = "== what failed";

/** What is kept of a line: some errors have a whole file in one. */
const LINE_CHARACTERS = 400;

/** Lines without which a failure says nothing: its title and its message. */
const LINES_MIN = 4;

/** A line of a stack: of this project, not of Deno. */
const PLACE = /^ +at .*file:\/\//;

/** `deno test` says of a test as soon as it is over that it failed. */
const FAILED_TEST = /\.\.\. FAILED \(/;

/**
 * Says in few lines why a command failed, from all of its output: of each failed
 * test its name, place and error, or, when it tells of none, how it ended. What
 * a command of several steps says of them itself is taken as it is.
 */
export function failureDigest(output: string, limits: DigestLimits): string[] {
  const own = output.lastIndexOf(`\n${WHAT_FAILED}\n`);
  if (own >= 0) {
    const lines = output.slice(own + 1).trimEnd().split("\n");
    return lines.length <= limits.lines
      ? lines
      : [...lines.slice(0, limits.lines - 1), "…"];
  }
  const failed = failedTests(output);
  if (failed.length === 0) return endOf(output, limits);
  const lines: string[] = [];
  for (const [index, { title, lines: error }] of failed.entries()) {
    const left = failed.length - index;
    const room = limits.lines - lines.length;
    // what earlier ones did not need is left to later ones
    const share = Math.floor(room / left);
    if (share < LINES_MIN && room < LINES_MIN + left) {
      return [...lines, ...titlesOnly(failed.slice(index), room)];
    }
    const size = Math.min(
      limits.failureLines,
      Math.max(share, LINES_MIN) - 1,
    );
    const body = cut(error, size, limits.failureCharacters);
    lines.push(`FAILED: ${shortened(title)}`, ...body.map(indented));
  }
  return lines;
}

/** Names what there is no room to say more of. */
function titlesOnly(
  failed: readonly { title: string }[],
  room: number,
): string[] {
  const titles = failed.map(({ title }) => `FAILED: ${shortened(title)}`);
  if (titles.length <= room) return titles;
  const shown = titles.slice(0, Math.max(room - 1, 0));
  return [...shown, `… and ${titles.length - shown.length} more`];
}

/** The first lines of an error, and where it is from. */
function cut(error: string[], count: number, characters: number): string[] {
  const lines = error.filter((line) => line.trim() !== "").map(shortened);
  let size = 0;
  let left = characters;
  while (size < Math.min(lines.length, count)) {
    left -= lines[size]!.length;
    if (left < 0) break;
    size++;
  }
  if (size === lines.length) return lines;
  size = Math.max(Math.min(size, count - 1), 1);
  const place = lines.slice(size).find((line) => PLACE.test(line));
  return [...lines.slice(0, size), place === undefined ? "…" : `… ${place}`];
}

/**
 * The last lines of a command that told of no failed test: another tool's, or
 * those of tests that were ended before their time. Then, before them, what had
 * failed until there.
 */
function endOf(output: string, limits: DigestLimits): string[] {
  const lines = output.trimEnd().split("\n");
  const size = Math.min(limits.failureLines, limits.lines);
  const failed = lines.slice(0, -size).filter((line) => FAILED_TEST.test(line))
    .map((line) => ({ title: line.trim() }));
  const names = titlesOnly(failed, limits.lines - size);
  return [...names, ...lines.slice(-size).map(shortened).map(indented)];
}

function shortened(line: string): string {
  return line.length > LINE_CHARACTERS
    ? `${line.slice(0, LINE_CHARACTERS)}…`
    : line;
}

function indented(line: string): string {
  return line === "" ? "" : `  ${line}`;
}
