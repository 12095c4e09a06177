/**
 * The kingbus executable: see `lib/cli`.
 *
 * @module
 */
import { eventsCommand } from "./lib/cli/events_command.ts";
import { exportCommand } from "./lib/cli/export_command.ts";
import { importCommand } from "./lib/cli/import_command.ts";
import { runCli } from "./lib/cli/run_cli.ts";
import { purgeCommand } from "./lib/cli/purge_command.ts";
import { readyCommand } from "./lib/cli/ready_command.ts";
import { serveCommand } from "./lib/cli/serve_command.ts";
import { statusCommand } from "./lib/cli/status_command.ts";
import { processTerminal } from "./lib/cli/terminal.ts";
import { verifyCommand } from "./lib/cli/verify_command.ts";
import { versionCommand } from "./lib/cli/version_command.ts";

if (import.meta.main) {
  const commands = [
    serveCommand,
    statusCommand,
    readyCommand,
    exportCommand,
    eventsCommand,
    importCommand,
    purgeCommand,
    verifyCommand,
    versionCommand,
  ];
  Deno.exit(await runCli(Deno.args, commands, processTerminal()));
}
