import { hasNewWords, isMariadb, isMysqlAtLeast } from "./server_version.ts";
import { type SourceControl, SourceControlError } from "./source_control.ts";
import { StatementError, StatementFault } from "./statement_error.ts";
import { errorResult } from "./statement.ts";
import type {
  SourceAction,
  StatementResult,
  StatementWarning,
} from "./statement_result.ts";

// Notes of a statement that finds done what it asks for, since 5.7 by channel.
const ER_REPLICA_CHANNEL_WAS_RUNNING = 3083;
const ER_REPLICA_CHANNEL_WAS_NOT_RUNNING = 3084;
const ER_REPLICA_WAS_RUNNING = 1254;
const ER_REPLICA_WAS_NOT_RUNNING = 1255;

/**
 * Does what a statement asks of the source, and answers as a server of that
 * version would (`sql/rpl_replica.cc`: `start_slave`, `stop_slave`,
 * `change_replication_source`).
 */
export async function steerSource(
  action: SourceAction,
  control: SourceControl | undefined,
  version: string,
): Promise<StatementResult> {
  try {
    if (control === undefined) {
      throw new StatementError(
        StatementFault.ER_NOT_SUPPORTED_YET,
        "kingbus does not support 'CHANGE, START and STOP of the source' here: it follows none",
      );
    }
    return await steer(action, control, version);
  } catch (error) {
    return errorResult(
      error instanceof SourceControlError
        ? statementErrorOf(error, version)
        : error,
    );
  }
}

async function steer(
  action: SourceAction,
  control: SourceControl,
  version: string,
): Promise<StatementResult> {
  switch (action.kind) {
    case "change":
      await control.change(action.change);
      return done();
    case "start": {
      if (control.status() === undefined) {
        throw new SourceControlError("not-configured", "no source is known");
      }
      // there is no such thread, so that it is what it is asked to be
      if (action.threads === "sql") return done(wasRunning(version));
      const began = await control.start();
      return began ? done() : done(wasRunning(version));
    }
    case "stop": {
      const ended = await control.stop();
      return ended ? done() : done(wasNotRunning(version));
    }
  }
}

function done(...warnings: StatementWarning[]): StatementResult {
  return { kind: "ok", change: {}, warnings };
}

function wasRunning(version: string): StatementWarning {
  return isMysqlAtLeast(version, 5, 7, 0)
    ? {
      level: "Note",
      code: ER_REPLICA_CHANNEL_WAS_RUNNING,
      message: "Replication thread(s) for channel '' are already running.",
    }
    : {
      level: "Note",
      code: ER_REPLICA_WAS_RUNNING,
      message: "Slave is already running",
    };
}

function wasNotRunning(version: string): StatementWarning {
  return isMysqlAtLeast(version, 5, 7, 0)
    ? {
      level: "Note",
      code: ER_REPLICA_CHANNEL_WAS_NOT_RUNNING,
      message: "Replication thread(s) for channel '' are already stopped.",
    }
    : {
      level: "Note",
      code: ER_REPLICA_WAS_NOT_RUNNING,
      message: "Slave already has been stopped",
    };
}

function statementErrorOf(
  { kind, message }: SourceControlError,
  version: string,
): StatementError {
  switch (kind) {
    case "running":
      return mustStop(version);
    case "not-configured":
      return new StatementError(
        StatementFault.ER_REPLICA_CONFIGURATION,
        notConfigured(version),
      );
    case "refused":
      return new StatementError(StatementFault.ER_WRONG_ARGUMENTS, message);
    case "failed":
      return new StatementError(StatementFault.ER_UNKNOWN, message);
  }
}

function mustStop(version: string): StatementError {
  if (isMariadb(version)) {
    return new StatementError(
      StatementFault.ER_REPLICA_MUST_STOP,
      "This operation cannot be performed as you have a running slave ''; run STOP SLAVE '' first",
    );
  }
  if (!isMysqlAtLeast(version, 5, 7, 0)) {
    return new StatementError(
      StatementFault.ER_REPLICA_MUST_STOP,
      "This operation cannot be performed with a running slave; run STOP SLAVE first",
    );
  }
  const word = hasNewWords(version) ? "replica" : "slave";
  return new StatementError(
    StatementFault.ER_REPLICA_CHANNEL_IO_THREAD_MUST_STOP,
    `This operation cannot be performed with a running ${word} io thread; run STOP ${word.toUpperCase()} IO_THREAD FOR CHANNEL '' first.`,
  );
}

function notConfigured(version: string): string {
  if (isMariadb(version)) {
    return "Misconfigured slave: MASTER_HOST was not set; Fix in config file or with CHANGE MASTER TO";
  }
  return hasNewWords(version)
    ? "The server is not configured as replica; fix in config file or with CHANGE REPLICATION SOURCE TO"
    : "The server is not configured as slave; fix in config file or with CHANGE MASTER TO";
}
