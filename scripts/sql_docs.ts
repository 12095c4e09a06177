/**
 * Writes docs/sql.md from the table of statements:
 * `deno run -A scripts/sql_docs.ts`. A test compares the two.
 *
 * @module
 */
import { functionNames } from "../lib/server/statement_expression.ts";
import type {
  StatementEntry,
  StatementSubject,
} from "../lib/server/statement_entry.ts";
import { StatementFault } from "../lib/server/statement_error.ts";
import { SOURCE_OPTIONS } from "../lib/server/source_option.ts";
import { STATEMENTS } from "../lib/server/statement_list.ts";
import { formatTable } from "./markdown_table.ts";

const HEAD = `# SQL

<!-- Written by scripts/sql_docs.ts from lib/server/statement_list.ts. -->

Replicas, operators and tools speak SQL to kingbus on one port. This page has
every statement that is answered; another one gets error 1064, and the
connection stays. Where MySQL and MariaDB, or their versions, differ in columns,
words and error numbers, kingbus does as the source's version does: that is what
\`@@version\` says. Both spellings of a statement are answered whatever the
version is, each with its own columns, unless a table below says otherwise.

Words are taken in any case. One statement is answered at a time; a semicolon at
its end is none of it. Comments are passed over, and the text of a conditional
one (\`/*!50503 … */\`) counts. Statements can't be prepared: COM_STMT_PREPARE is
answered with error 1295.

## Rights

Each account of \`server.users\` has \`rights\` (see
[configuration.md](configuration.md)): \`replicate\`, \`monitor\`, \`admin\`; without
the key it has the first two, and \`admin\` includes them. What an account may not
is answered with error 1227, which names the privileges that MySQL or MariaDB
would ask for. Registering as a replica and dumping needs \`replicate\`:
COM_REGISTER_SLAVE is answered with error 1045 without it, a dump with 1227.
`;

const SUBJECTS: readonly (readonly [StatementSubject, string])[] = [
  ["the log", "The log"],
  ["replicas and connections", "Replicas and connections"],
  ["the source", "The source"],
  ["variables and values", "Variables and values"],
  ["the session", "The session"],
];

const STATUS = `### What SHOW REPLICA STATUS says

kingbus receives the log and applies nothing. So that tools which know replicas
draw the right conclusions:

- \`Replica_IO_Running\` is \`Yes\` while the source's log is received, \`Connecting\`
  while kingbus connects or waits to try again, \`No\` when it was stopped or gave
  up. Then \`Last_IO_Error\` has the reason and what to do, \`Last_IO_Errno\` a
  replica's number for that kind of error, with the time in UTC.
- \`Replica_SQL_Running\` is \`Yes\` unless the syncer was stopped.
- \`Exec_Source_Log_Pos\` and \`Relay_Source_Log_File\` are what was received: there
  is nothing left to apply. \`Relay_Log_File\` is empty, \`Relay_Log_Pos\` the same
  position, \`Relay_Log_Space\` the size of all files kept.
- \`Source_Log_File\` and \`Read_Source_Log_Pos\` are the source's, whatever the log
  calls the file after a change of source; the position is 0 where only the next
  connection will tell.
- \`Seconds_Behind_Source\` is how old the newest event was when it came; 0 once
  the source has said that it has no more, NULL while nothing is received.
- \`Retrieved_Gtid_Set\` is what the files that are kept hold, \`Executed_Gtid_Set\`
  all that was ever received.
- \`Auto_Position\` is 1 where the source has \`gtid_mode=ON\`: another server would
  be found by GTID.
- \`Connect_Retry\` is the longest pause between two attempts;
  \`Source_Retry_Count\` 0 means that there is no last one.
`;

const STEERING = `### Steering

\`CHANGE REPLICATION SOURCE TO\`, \`START REPLICA\` and \`STOP REPLICA\` do what
\`PUT /binlog/syncer/start\` and \`stop\` of the [admin API](admin-api.md) do, and
are kept in the same way: they hold after a restart, until the \`source\` section
of the configuration is changed. To go on with another server:

\`\`\`sql
STOP REPLICA;
CHANGE REPLICATION SOURCE TO SOURCE_HOST = 'db2.example.com';
START REPLICA;
SHOW REPLICA STATUS;
\`\`\`

Where the other server's log goes on is found by GTID, with the checks of any
change of source. Host, port, user and password that are not named stay as they
were. A password never appears in an answer, an error or a log line.

The options, under MySQL's newer names; \`MASTER_…\` is the same as \`SOURCE_…\`:
`;

const STATUS_VARIABLES = `### Status variables

\`SHOW STATUS\` has what is counted: \`Uptime\`, \`Connections\`, \`Threads_connected\`,
\`Threads_running\`, \`Max_used_connections\`, \`Aborted_clients\`,
\`Aborted_connects\`, \`Connection_errors_max_connections\`, \`Questions\`, \`Queries\`,
\`Bytes_received\` and \`Bytes_sent\` (commands, replies and dumps), \`Com_…\` of each
statement above, \`Ssl_version\`, \`Ssl_cipher\`, \`Compression\`,
\`Compression_algorithm\` and \`Compression_level\` of the connection,
\`Slave_running\` where the version has it, and of semi-synchronous replication,
in the version's words, \`Rpl_semi_sync_source_clients\`, \`…_status\`, \`…_yes_tx\`,
\`…_no_tx\`, \`…_no_times\`, and \`Rpl_semi_sync_replica_status\`: transactions count
that kingbus's own source waited for. What a server without tables can't count
is not there.
`;

/** The document, as \`deno fmt\` leaves it. */
export function formatSqlDocs(): string {
  const sections = SUBJECTS.flatMap(([subject, title]) => [
    `## ${title}\n\n${formatStatements(subject)}`,
    ...subject === "the source"
      ? [STATUS, `${STEERING}\n${formatOptions()}`]
      : [],
    ...subject === "variables and values"
      ? [formatFunctions(), STATUS_VARIABLES]
      : [],
  ]);
  return [HEAD, ...sections, `## Errors\n\n${formatErrors()}`].join("\n");
}

function formatStatements(subject: StatementSubject): string {
  const rows = STATEMENTS.filter((entry) => entry.subject === subject)
    .map((entry) => [
      codeCell(entry.syntax),
      rightOf(entry),
      cell(entry.about),
      errorsOf(entry),
    ]);
  return formatTable([["Statement", "Right", "Answer", "Errors"], ...rows]);
}

function rightOf({ needed }: StatementEntry): string {
  return needed === undefined ? "any account" : needed.anyOf.join(" or ");
}

function errorsOf({ errors = [] }: StatementEntry): string {
  return errors.map((name) => StatementFault[name].code).join(", ");
}

function formatOptions(): string {
  const rows = [...SOURCE_OPTIONS].map(([name, { about, refused }]) => [
    codeCell(name),
    refused ? "refused" : "taken",
    cell(about),
  ]);
  return formatTable([["Option", "", "Meaning"], ...rows]);
}

function formatFunctions(): string {
  const names = functionNames().map((name) => `- \`${name}\``).join("\n");
  return `### Functions\n\n${names}\n`;
}

/** Every error that a statement may end in, by number. */
function formatErrors(): string {
  const rows = Object.entries(StatementFault)
    .sort(([, a], [, b]) => a.code - b.code)
    .map(([name, { code, sqlState }]) => [
      code.toString(),
      sqlState,
      codeCell(name),
    ]);
  return formatTable([["Number", "SQLSTATE", "Name"], ...rows]);
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

function codeCell(text: string): string {
  return `\`${cell(text)}\``;
}

if (import.meta.main) {
  const file = new URL("../docs/sql.md", import.meta.url);
  await Deno.writeTextFile(file, formatSqlDocs());
}
