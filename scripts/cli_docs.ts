/**
 * Writes docs/cli.md from the table of commands:
 * `deno run -A scripts/cli_docs.ts`. A test compares the two.
 *
 * @module
 */
import type { Command, CommandFlag } from "../lib/cli/command.ts";
import { COMMANDS } from "../lib/cli/commands.ts";
import { EXIT_CODE_MEANINGS } from "../lib/cli/exit_code.ts";
import { formatUsage } from "../lib/cli/format_help.ts";
import { helpCommand } from "../lib/cli/help_command.ts";
import { listConfigKeys } from "../lib/config/config_key.ts";
import { formatTable } from "./markdown_table.ts";

const HEAD = `# Command line

<!-- Written by scripts/cli_docs.ts from lib/cli. -->

\`kingbus COMMAND [flags]\`; without a command it serves. Flags may stand before
or behind the command and be written \`--flag VALUE\` or \`--flag=VALUE\`.
\`kingbus help COMMAND\` and \`--help\` tell what is told here. The examples below
are run in this order, with this configuration and a source at \`db1:3306\`:

\`\`\`sh
cat > kingbus.yaml <<'EOF'
data-dir: ./data
server:
  users:
    - { name: repl, password: replpass }
source:
  address: db1:3306
  user: repl
  password: replpass
EOF
export KINGBUS_CONFIG=kingbus.yaml
\`\`\`

## How a command finds the node

Commands that show or steer the running node ask its admin API: at \`--admin\`,
or where the configuration says (\`admin.listen\`). Where the API wants a token
it is that of \`--token-file\`, of the environment variable
\`KINGBUS_ADMIN_TOKEN\`, or of the token files that the configuration names, as
far as this user may read them. Those of the configuration are only sent to the
address of the configuration, never to another one that \`--admin\` names.

\`status\`, \`replicas\`, \`files\` and \`source status\` read the store when no
node runs at the address of the configuration, and say so on standard error.
\`events\`, \`verify\` and \`export\` always read the store: beside a running node
they read it as it is at that moment and change nothing. \`purge\` changes the
store only when no node runs, and \`import\` and \`verify --repair\` only then: a
lock keeps them from one that is open.

## Output

Results go to standard output, everything else to standard error: errors,
warnings, and how far a long command has come (a bar on a terminal, where there
is none a line every five seconds). Tables are fitted to the terminal; what does
not fit is shortened or left out, so programs should use \`--json\`, which prints
one document, or a line each where that is said. Its names and meanings stay;
others may be added. Texts that clients have chosen, such as host names, are
shown without what would drive the terminal.

Output is coloured on a terminal. \`--color always\` and \`--color never\` decide;
without them \`NO_COLOR\`, then \`FORCE_COLOR\`, then \`TERM=dumb\` are heeded.
`;

const VARIABLES: readonly (readonly [string, string])[] = [
  ["KINGBUS_CONFIG", "The configuration file, where `--config` names none."],
  ["KINGBUS_ADMIN_TOKEN", "The token for the admin API, see above."],
  [
    "NO_COLOR, FORCE_COLOR, TERM",
    "Whether to colour; any value but an empty one counts, of `FORCE_COLOR` not `0` either.",
  ],
  [
    "those that `password-env` and the like name",
    "Passwords and tokens, see [configuration.md](configuration.md).",
  ],
];

/** The order in which the examples can be run. */
const ORDER = [
  "config check",
  "serve",
  "ready",
  "status",
  "replicas",
  "replicas kick",
  "files",
  "source status",
  "source stop",
  "source start",
  "server stop",
  "server start",
  "events",
  "verify",
  "export",
  "import",
  "purge",
  "completions",
  "version",
  "help",
];

/** All commands, in the order of the document. */
export function documentedCommands(): Command[] {
  const all = [...COMMANDS, helpCommand(COMMANDS)];
  const place = ({ name }: Command): number => ORDER.indexOf(name);
  const missing = all.find((command) => place(command) < 0);
  if (missing !== undefined) {
    throw new TypeError(`scripts/cli_docs.ts has no place for ${missing.name}`);
  }
  return all.toSorted((one, other) => place(one) - place(other));
}

/** The document, as `deno fmt` leaves it. */
export async function formatCliDocs(): Promise<string> {
  const commands = documentedCommands();
  const overview = formatTable([
    ["Command", "What it does"],
    ...commands.map(({ name, summary }) => [
      `[\`${name}\`](#kingbus-${name.replace(" ", "-")})`,
      summary,
    ]),
  ]);
  const codes = formatTable([
    ["Exit code", "Meaning"],
    ...EXIT_CODE_MEANINGS.map(([code, meaning]) => [`${code}`, meaning]),
  ]);
  const variables = formatTable([
    ["Variable", "Meaning"],
    ...VARIABLES.map(([name, meaning]) => [
      /^[A-Z]/.test(name) ? `\`${name.replaceAll(", ", "`, `")}\`` : name,
      meaning,
    ]),
  ]);
  const text = [
    HEAD,
    `## Exit codes\n\n${codes}`,
    `## Environment\n\n${variables}`,
    `## Commands\n\n${overview}`,
    ...commands.map(formatCommand),
  ].join("\n");
  return await formatMarkdown(text);
}

function formatCommand(command: Command): string {
  const { name, about, example, json } = command;
  const own = command.flags.filter((flag) => !isConfigFlag(flag));
  const takesConfig = own.length < command.flags.length;
  const parts = [
    `### kingbus ${name}`,
    `\`${formatUsage(command)}\``,
    markdownText(about),
    `\`\`\`sh\n${example}\n\`\`\``,
  ];
  if (own.length > 0 || takesConfig) {
    parts.push(formatTable([
      ["Flag", "Meaning"],
      ...own.map(flagRow),
      ...takesConfig ? [[configFlagNames(command), CONFIG_FLAGS_ABOUT]] : [],
    ]));
  }
  if (json !== undefined) {
    parts.push(`With \`--json\`: ${json.about}`);
    parts.push(formatTable([
      ["Property", "Meaning"],
      ...json.fields.map(([field, meaning]) => [
        `\`${field.replaceAll(", ", "`, `")}\``,
        meaning,
      ]),
    ]));
  }
  return `${parts.join("\n\n").trimEnd()}\n`;
}

const CONFIG_FLAGS_ABOUT =
  "In the place of the key of the same name, see [configuration.md](configuration.md).";

const CONFIG_FLAG_NAMES: ReadonlySet<string | undefined> = new Set(
  listConfigKeys().map(({ flag }) => flag),
);

function isConfigFlag({ name }: CommandFlag): boolean {
  return CONFIG_FLAG_NAMES.has(name);
}

/** A few by name; of all of them only what they are. */
function configFlagNames({ flags }: Command): string {
  const names = flags.filter(isConfigFlag).map(({ name }) => `\`--${name}\``);
  return names.length > 3 ? "a flag for each key" : names.join(", ");
}

function flagRow({ name, value, about }: CommandFlag): string[] {
  const shown = value === undefined ? "" : ` ${value.replaceAll("|", "\\|")}`;
  return [`\`--${name}${shown}\``, markdownText(about).replaceAll("|", "\\|")];
}

/** Flags in running text as code; what is between < and > stays text. */
function markdownText(text: string): string {
  return text
    .replaceAll(/(?<![\w`-])--[a-z][a-z-]*/g, "`$&`")
    .replaceAll("<(", "\\<(")
    .replaceAll("~/", "\\~/")
    .replaceAll(/(?<=\s)_(?=\w)/g, "\\_");
}

async function formatMarkdown(text: string): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext", "md", "-"],
    cwd: new URL("../", import.meta.url),
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { stdout } = await child.output();
  return new TextDecoder().decode(stdout);
}

if (import.meta.main) {
  const file = new URL("../docs/cli.md", import.meta.url);
  await Deno.writeTextFile(file, await formatCliDocs());
}
