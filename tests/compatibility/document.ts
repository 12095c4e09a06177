import { type Cell, type ClientGroup, MODES } from "./cell.ts";
import { KNOWN_DIFFERENCES } from "../support/known_differences.ts";
import { COMPATIBILITY } from "./table.ts";

const HEAD = `# Compatibility

<!-- Written by scripts/compatibility.ts from tests/compatibility. -->

What has been connected to kingbus, and how. A filled cell stands for tests that
run the client in that mode; their numbers are listed below the table. "–" means
that the client has no such mode, "○" that no test shows it, with the reason
below.

The real programs are run wherever they can be had: MySQL 9.7 and 5.6, MariaDB
10.11 and 11, their \`mysqlbinlog\` and \`mariadb-binlog\`, and the clients from npm.
Of the others each statement and packet they send is replayed, and each answer
compared with that of a real server. \`bash .ci/run\` runs all of these tests and
says which cell was not shown because a server is missing.
`;

const TAIL = `## What kingbus sends otherwise than the source

For each client the stream through kingbus is compared with the stream from the
source itself, packet by packet, by a recording proxy. These are all the
differences there are (kingbus runs under its source's identity there):

`;

/** The text of docs/compatibility.md. */
export function compatibilityDocument(): string {
  const notes = new Notes();
  const tables = COMPATIBILITY.map((group) => groupTable(group, notes));
  const differences = Object.values(KNOWN_DIFFERENCES)
    .map(({ what, why }) => `- **${what}** ${why}`);
  return [HEAD, ...tables, notes.text(), TAIL + differences.join("\n") + "\n"]
    .join("\n");
}

/** Numbers tests and reasons in the order in which the table names them. */
class Notes {
  readonly #numbers = new Map<string, number>();

  number(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const next = this.#numbers.size + 1;
    this.#numbers.set(text, next);
    return next;
  }

  text(): string {
    const lines = [...this.#numbers].map(([text, at]) => `${at}. ${text}`);
    return `## Tests and reasons\n\n${lines.join("\n")}\n`;
  }
}

function groupTable({ title, rows }: ClientGroup, notes: Notes): string {
  const head = ["client", "version", ...MODES];
  const body = rows.map(({ client, version, cells }) => [
    client,
    version,
    ...MODES.map((mode) => cellText(cells[mode], notes)),
  ]);
  const widths = head.map((_, column) =>
    Math.max(...[head, ...body].map((row) => [...row[column]!].length))
  );
  const line = (row: readonly string[]): string =>
    `| ${
      row.map((text, at) => text + " ".repeat(widths[at]! - [...text].length))
        .join(" | ")
    } |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return `## ${title}\n\n${[line(head), rule, ...body.map(line)].join("\n")}\n`;
}

function cellText(cell: Cell, notes: Notes): string {
  if ("tests" in cell) {
    return cell.tests.map(({ file, name }) =>
      notes.number(`\`tests/${file}\`: ${name}`)
    ).join(", ");
  }
  return "never" in cell
    ? `– ${notes.number(cell.never)}`
    : `○ ${notes.number(cell.untested)}`;
}
