/**
 * Writes docs/configuration.md from the validators' own descriptions of each
 * key: `deno run -A scripts/config_docs.ts`. A test compares the two.
 *
 * @module
 */
import { listSectionKeys } from "../lib/config/config_key.ts";
import { formatTable } from "./markdown_table.ts";
import {
  CONFIG_SECTIONS,
  type ConfigSection,
} from "../lib/config/config_schema.ts";

const HEAD = `# Configuration

<!-- Written by scripts/config_docs.ts from lib/config/config_schema.ts. -->

kingbus reads one YAML file, named by \`--config\` or by the environment variable
\`KINGBUS_CONFIG\`. Every key has a default, so an empty file, or none, runs. A
key that has a flag can be given on the command line as well; the flag wins.
Paths are relative to the folder kingbus is started in.

An unknown key, a bad value or two values that do not go together are refused at
start, with exit code 2 and one line that says where and why.

\`\`\`yaml
name: node-1
data-dir: /var/lib/kingbus
server:
  listen: 0.0.0.0:3306
  users:
    - { name: repl, password-file: /etc/kingbus/repl.password }
source:
  address: db1.example.com:3306
  user: kingbus
  password-env: KINGBUS_SOURCE_PASSWORD
\`\`\`

Sizes are written as \`20GiB\` or \`64MiB\`, durations as \`500ms\`, \`10s\`, \`5m\`, \`1h\`
or \`7d\`, addresses as \`host:port\` with IPv6 addresses in brackets
(\`[::1]:3306\`). Wherever there is a \`password\`, exactly one of \`password\`,
\`password-file\` and \`password-env\` is given. There is no flag for a password in
clear: every user of the machine could read it.
`;

const TAIL = `## What a restart resumes

Starting and stopping the syncer and the binlog server through the admin API is
kept in the store and holds after a restart: a stopped syncer stays stopped, and
one that was started with other values than the configuration's goes on with
those. The configuration wins again once it says something else than it did at
the last start: a changed \`source\` section, or changed \`server.listen\` or
\`server.users\`, takes the place of what the admin API had set, and the log says
so. A \`source\` section that was removed stops the syncer in the same way.

## Accounts

There is no default account. Without \`server.users\` the binlog server listens,
greets and answers every login with error 1045; the log says so in one line at
start. An account can also be given for the time being with
\`PUT /binlog/server/start\`; it may replicate and monitor.

Every account may log in, set what is its session's own, and ask for variables
and status values. For the rest it needs \`rights\`: \`replicate\` to register and
dump, \`monitor\` for the statements that show how the log, its replicas and the
source stand, \`admin\` for those that change something.

## What retention removes

Whole files, the oldest first, as soon as one of the limits of \`retention\` asks
for it. It never removes the file being written, nor a file that a connected
replica is reading or has yet to read, nor one that a replica in
\`retention.replicas\` has not been sent, connected or not. A limit that cannot be
kept because of a replica is said in the log and in the status, with the replica
and since when it holds files back; \`PUT /binlog/purge\` and \`kingbus purge\` can
remove them all the same with \`force\`.

What counts for a replica that is away is what it was sent, less the last check
interval. One that loses what it has received (a relay log that was not on disk)
may need more than that: give \`age\` or \`size\` some room. A MariaDB replica has
no uuid, so its files are kept only while it is connected.
`;

/** The document, as \`deno fmt\` leaves it. */
export function formatConfigDocs(): string {
  const sections = CONFIG_SECTIONS.map(formatSection);
  return [HEAD, ...sections, TAIL].join("\n");
}

function formatSection(section: ConfigSection): string {
  const title = section.path.length === 0
    ? "Top level"
    : `\`${section.path.join(".").replace(".[]", "[]")}\``;
  const rows = listSectionKeys(section).map(({ name, flag, info }) => [
    `\`${name}\``,
    flag === undefined ? "" : `\`--${flag}\``,
    info.type,
    info.fallback === undefined
      ? info.absent ?? "must be given"
      : `\`${info.fallback}\``,
    info.about,
  ]);
  const header = ["Key", "Flag", "Value", "Default", "Meaning"];
  return `## ${title}\n\n${section.about}\n\n${formatTable([header, ...rows])}`;
}

if (import.meta.main) {
  const folder = new URL("../docs/", import.meta.url);
  await Deno.mkdir(folder, { recursive: true });
  const file = new URL("configuration.md", folder);
  await Deno.writeTextFile(file, formatConfigDocs());
}
