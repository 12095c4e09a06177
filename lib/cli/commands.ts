import type { Command } from "./command.ts";
import { completionsCommand } from "./completions_command.ts";
import { configCheckCommand } from "./config_check_command.ts";
import { eventsCommand } from "./events_command.ts";
import { exportCommand } from "./export_command.ts";
import { filesCommand } from "./files_command.ts";
import { helpCommand } from "./help_command.ts";
import { importCommand } from "./import_command.ts";
import { purgeCommand } from "./purge_command.ts";
import { readyCommand } from "./ready_command.ts";
import { replicasCommand, replicasKickCommand } from "./replicas_command.ts";
import { serveCommand } from "./serve_command.ts";
import { serverStartCommand, serverStopCommand } from "./server_commands.ts";
import {
  sourceStartCommand,
  sourceStatusCommand,
  sourceStopCommand,
} from "./source_commands.ts";
import { statusCommand } from "./status_command.ts";
import { verifyCommand } from "./verify_command.ts";
import { versionCommand } from "./version_command.ts";

/** All that kingbus can be told to do; the first one when told nothing. */
export const COMMANDS: readonly Command[] = [
  serveCommand,
  statusCommand,
  readyCommand,
  replicasCommand,
  replicasKickCommand,
  filesCommand,
  sourceStartCommand,
  sourceStopCommand,
  sourceStatusCommand,
  serverStartCommand,
  serverStopCommand,
  eventsCommand,
  verifyCommand,
  importCommand,
  exportCommand,
  purgeCommand,
  configCheckCommand,
  completionsCommand(() => [...COMMANDS, helpCommand(COMMANDS)]),
  versionCommand,
];
