import { Logger } from "@std/log";
import { LineHandler } from "./line_handler.ts";
import { LogFile } from "./log_file.ts";
import { formatJsonLine, formatTextLine } from "./log_line.ts";

/** Levels of a log, from the most to the least talkative. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** Forms of a log line: for people, or one JSON object a line for programs. */
export type LogFormat = "text" | "json";

/** What one line says besides its message. `undefined` values are left out. */
export type LogFields = Record<
  string,
  string | number | boolean | bigint | undefined
>;

/**
 * Where the parts of kingbus report what they do. Who (connection id, replica,
 * source) goes into fields, what happened into the message; a value whose
 * field is named like a secret is never printed (see `redactField()`).
 */
export interface Log {
  /**
   * Details for tracing one connection. When the level is off the call does
   * nothing; pass fields that cost something to build as a function.
   */
  debug(message: string, fields?: LogFields | (() => LogFields)): void;
  /** What an operator wants to find in a normal day's log. */
  info(message: string, fields?: LogFields): void;
  /** What works on, but not as it should. */
  warn(message: string, fields?: LogFields): void;
  /** What does not work, with what to do about it. */
  error(message: string, fields?: LogFields): void;
  /** A log that adds `fields` to each of its lines. */
  child(fields: LogFields): Log;
  /** How many lines were written, those of its parent and children included. */
  readonly lines: Readonly<Record<LogLevel, number>>;
}

/** How `openLog()` writes. */
export interface LogOptions {
  /** The least severe level that is written. */
  readonly level: LogLevel;
  /** Form of the lines. */
  readonly format: LogFormat;
  /** Folder that gets the lines as well, in `kingbus.log`; made if missing. */
  readonly directory?: string | undefined;
  /** Size at which `kingbus.log` becomes `kingbus.log.1`. Default 64 MiB. */
  readonly fileBytesMax?: number | undefined;
  /** How many old files are kept. Default 5. */
  readonly oldFilesMax?: number | undefined;
  /** Takes each line, with its line end. Default: stderr. */
  readonly write?: ((line: string) => void) | undefined;
}

/** A log that owns its file. */
export type OpenLog = Log & { close(): void };

const FILE_BYTES_DEFAULT = 64 * 1024 * 1024;
const OLD_FILES_DEFAULT = 5;

const LEVEL_NAMES = {
  debug: "DEBUG",
  info: "INFO",
  warn: "WARN",
  error: "ERROR",
} as const;

/**
 * Opens the process's log: lines go to stderr and, with a `directory`, also to
 * a file there. `close()` ends the file; lines after it go to stderr only.
 *
 * @throws {LogFileError} when the file cannot be opened.
 */
export function openLog(options: LogOptions): OpenLog {
  const formatter = options.format === "json" ? formatJsonLine : formatTextLine;
  const write = options.write ?? writeToStderr;
  const levelName = LEVEL_NAMES[options.level];
  const console = new LineHandler(levelName, { formatter, write });
  const file = options.directory === undefined ? undefined : new LogFile({
    levelName,
    formatter,
    directory: options.directory,
    fileBytesMax: options.fileBytesMax ?? FILE_BYTES_DEFAULT,
    oldFilesMax: options.oldFilesMax ?? OLD_FILES_DEFAULT,
    onFault: (reason) => write(`${reason}\n`),
  });
  const handlers = file === undefined ? [console] : [console, file];
  const logger = new Logger("kingbus", levelName, { handlers });
  const close = (): void => {
    logger.handlers = [console];
    file?.destroy();
  };
  const lines = noLines();
  return Object.assign(new LoggerLog(logger, options.level, lines, {}), {
    close,
  });
}

/** A log that says nothing, for tests and embedders. */
export function silentLog(): Log {
  const lines = noLines();
  const log: Log = {
    debug,
    info: debug,
    warn: debug,
    error: debug,
    child,
    lines,
  };
  function debug(): void {}
  function child(): Log {
    return log;
  }
  return log;
}

/** Levels from the most to the least talkative. */
const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

function noLines(): Record<LogLevel, number> {
  return { debug: 0, info: 0, warn: 0, error: 0 };
}

class LoggerLog implements Log {
  readonly lines: Record<LogLevel, number>;
  readonly #logger: Logger;
  readonly #level: LogLevel;
  readonly #fields: LogFields;

  constructor(
    logger: Logger,
    level: LogLevel,
    lines: Record<LogLevel, number>,
    fields: LogFields,
  ) {
    this.#logger = logger;
    this.#level = level;
    this.lines = lines;
    this.#fields = fields;
  }

  debug(message: string, fields?: LogFields | (() => LogFields)): void {
    if (this.#level !== "debug") return;
    const built = typeof fields === "function" ? fields() : fields;
    this.#write("debug", message, built);
  }

  info(message: string, fields?: LogFields): void {
    this.#write("info", message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#write("warn", message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#write("error", message, fields);
  }

  child(fields: LogFields): Log {
    return new LoggerLog(this.#logger, this.#level, this.lines, {
      ...this.#fields,
      ...fields,
    });
  }

  #write(level: LogLevel, message: string, fields?: LogFields): void {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(this.#level)) return;
    this.lines[level]++;
    this.#logger[level](message, { ...this.#fields, ...fields });
  }
}

function writeToStderr(line: string): void {
  const bytes = new TextEncoder().encode(line);
  let offset = 0;
  try {
    while (offset < bytes.length) {
      offset += Deno.stderr.writeSync(bytes.subarray(offset));
    }
  } catch {
    // A closed stderr (a terminal gone, a pipe's reader ended) leaves nobody
    // to tell; it must not stop replication.
  }
}
