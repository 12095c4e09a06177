/** A way into the configuration: section, key, index in a list. */
export type KeyPath = readonly (string | number)[];

interface Level {
  /** Column at which the key or the list's dash stands. */
  readonly column: number;
  readonly segment: string | number;
}

interface Found {
  readonly line: number;
  readonly depth: number;
}

/**
 * The line (from 1) of a YAML text on which a key stands, found by a scan that
 * knows block mappings, block lists and block scalars. Keys inside a flow value
 * (`{ name: repl }`) are looked up by their spelling. When the key itself is not
 * found, the line of the nearest section around it; undefined if there is none.
 */
export function findKeyLine(text: string, path: KeyPath): number | undefined {
  const lines = text.split(/\r\n|\n|\r/);
  const found = findDeepest(lines, path);
  if (found === undefined || found.depth === path.length) return found?.line;
  return findInFlow(lines, found, path) ?? found.line;
}

function findDeepest(lines: string[], path: KeyPath): Found | undefined {
  const levels: Level[] = [];
  let deepest: Found | undefined;
  let scalarColumn = -1; // column of the key whose block scalar we are in
  for (const [index, line] of lines.entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const column = line.search(/\S/);
    if (scalarColumn >= 0 && column > scalarColumn) continue;
    scalarColumn = -1;
    const key = enterLine(levels, line);
    if (key?.opensScalar) scalarColumn = key.column;
    const depth = commonDepth(levels, path);
    if (depth > (deepest?.depth ?? 0)) {
      deepest = { line: index + 1, depth };
    }
  }
  return deepest;
}

/** Moves `levels` to where the line stands; says which key it has, if any. */
function enterLine(
  levels: Level[],
  line: string,
): { column: number; opensScalar: boolean } | undefined {
  let column = line.search(/\S/);
  for (let dash; (dash = /^-(\s+|$)/.exec(line.slice(column)));) {
    enterItem(levels, column);
    column += dash[0].length;
  }
  const match =
    /^(?:"([^"]*)"|'([^']*)'|([^\s#,[\]{}"'&*!|>%@`-][^:#{}[\],]*?|-[^\s:]+))\s*:(?:\s+(.*))?$/
      .exec(line.slice(column));
  if (!match) return undefined;
  while (levels.length > 0 && levels.at(-1)!.column >= column) levels.pop();
  levels.push({ column, segment: match[1] ?? match[2] ?? match[3]! });
  return { column, opensScalar: /^[|>]/.test(match[4] ?? "") };
}

function enterItem(levels: Level[], column: number): void {
  let index = 0;
  while (levels.length > 0) {
    const top = levels.at(-1)!;
    const isItem = typeof top.segment === "number";
    // A list may stand at the column of the key it belongs to.
    if (top.column < column || (top.column === column && !isItem)) break;
    if (top.column === column && typeof top.segment === "number") {
      index = top.segment + 1;
    }
    levels.pop();
  }
  levels.push({ column, segment: index });
}

function commonDepth(levels: Level[], path: KeyPath): number {
  let depth = 0;
  while (depth < levels.length && levels[depth]!.segment === path[depth]) {
    depth++;
  }
  return depth;
}

/** Looks for the path's last key as a word in the lines of the found value. */
function findInFlow(
  lines: string[],
  found: Found,
  path: KeyPath,
): number | undefined {
  const key = path.findLast((segment) => typeof segment === "string");
  if (key === undefined) return undefined;
  const start = lines[found.line - 1]!.search(/\S/);
  for (let index = found.line - 1; index < lines.length; index++) {
    const line = lines[index]!;
    const isNextKey = index >= found.line && /\S/.test(line) &&
      line.search(/\S/) <= start;
    if (isNextKey && !/^\s*[\]}]/.test(line)) return undefined;
    if (flowKeys(line).includes(String(key))) return index + 1;
  }
  return undefined;
}

function flowKeys(line: string): string[] {
  const matches = line.matchAll(
    /(?:^|[{,[])\s*(?:"([^"]*)"|'([^']*)'|([\w.-]+))\s*:/g,
  );
  return [...matches].map((match) => match[1] ?? match[2] ?? match[3]!);
}
