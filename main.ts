/**
 * The kingbus executable: see `lib/cli`.
 *
 * @module
 */
import { COMMANDS } from "./lib/cli/commands.ts";
import { runCli } from "./lib/cli/run_cli.ts";
import { processTerminal } from "./lib/cli/terminal.ts";

if (import.meta.main) {
  Deno.exit(await runCli(Deno.args, COMMANDS, processTerminal()));
}
