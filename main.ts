/**
 * The kingbus executable: see `lib/cli`.
 *
 * @module
 */
import { COMMANDS } from "./lib/cli/commands.ts";
import { runCli } from "./lib/cli/run_cli.ts";
import { processTerminal } from "./lib/cli/terminal.ts";
import { giveUpRoot } from "./lib/permission/give_up_root.ts";

if (import.meta.main) {
  giveUpRoot();
  Deno.exit(await runCli(Deno.args, COMMANDS, processTerminal()));
}
