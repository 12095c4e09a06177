/**
 * Stands in for `@std/log` where JSR cannot be reached: levels, records,
 * loggers, handlers, `setup` and `getLogger`, over the console and synchronous
 * file writes.
 *
 * @module
 */

/** The severities of log records, by name. */
export const LogLevels = {
  NOTSET: 0,
  DEBUG: 10,
  INFO: 20,
  WARN: 30,
  ERROR: 40,
  CRITICAL: 50,
} as const;

/** Name of a severity. */
export type LevelName = keyof typeof LogLevels;

/** Number of a severity. */
export type LogLevel = (typeof LogLevels)[LevelName];

/** All names of severities, the lowest first. */
export const LogLevelNames: LevelName[] = Object.keys(LogLevels) as LevelName[];

/**
 * The number of the severity of that name.
 *
 * @throws {Error} If there is none.
 */
export function getLevelByName(name: LevelName): LogLevel {
  const level = LogLevels[name] as LogLevel | undefined;
  if (level === undefined) {
    throw new Error(`Cannot get log level: no level named ${name}`);
  }
  return level;
}

/**
 * The name of the severity of that number.
 *
 * @throws {Error} If there is none.
 */
export function getLevelName(level: LogLevel): LevelName {
  const name = LogLevelNames.find((candidate) =>
    LogLevels[candidate] === level
  );
  if (name === undefined) {
    throw new Error(`Cannot get log level: no name for level: ${level}`);
  }
  return name;
}

/** What {@linkcode LogRecord} is made from. */
export interface LogRecordOptions {
  /** The text. */
  msg: string;
  /** What was passed beside the text. */
  args: unknown[];
  /** Severity. */
  level: LogLevel;
  /** Name of the logger it was given to. */
  loggerName: string;
}

/** One thing that was logged, as handlers and formatters see it. */
export class LogRecord {
  /** The text. */
  readonly msg: string;
  /** Number of the severity. */
  readonly level: number;
  /** Name of the severity. */
  readonly levelName: string;
  /** Name of the logger it was given to. */
  readonly loggerName: string;
  readonly #args: unknown[];
  readonly #datetime: Date;

  constructor(options: LogRecordOptions) {
    this.msg = options.msg;
    this.level = options.level;
    this.levelName = getLevelName(options.level);
    this.loggerName = options.loggerName;
    this.#args = [...options.args];
    this.#datetime = new Date();
  }

  /** What was passed beside the text. */
  get args(): unknown[] {
    return [...this.#args];
  }

  /** When it was logged. */
  get datetime(): Date {
    return new Date(this.#datetime);
  }
}

/** Makes the text that a handler writes for a record. */
export type FormatterFunction = (logRecord: LogRecord) => string;

/** Options of every handler. */
export interface BaseHandlerOptions {
  /** Makes the text to write; `LEVEL message` if not given. */
  formatter?: FormatterFunction;
}

/** Writes the records of at least a given severity somewhere. */
export abstract class BaseHandler {
  /** Makes the text to write. */
  formatter: FormatterFunction;
  #level: LogLevel;

  constructor(levelName: LevelName, options: BaseHandlerOptions = {}) {
    this.#level = getLevelByName(levelName);
    this.formatter = options.formatter ??
      ((record) => `${record.levelName} ${record.msg}`);
  }

  /** Severity below which records are passed over. */
  get level(): LogLevel {
    return this.#level;
  }

  set level(level: LogLevel) {
    this.#level = getLevelByName(getLevelName(level));
  }

  /** Name of the severity below which records are passed over. */
  get levelName(): LevelName {
    return getLevelName(this.#level);
  }

  set levelName(levelName: LevelName) {
    this.#level = getLevelByName(levelName);
  }

  /** Writes the record if it is severe enough. */
  handle(logRecord: LogRecord): void {
    if (logRecord.level >= this.#level) this.log(this.format(logRecord));
  }

  /** The text to write for a record. */
  format(logRecord: LogRecord): string {
    return this.formatter(logRecord);
  }

  /** Writes one text. */
  abstract log(msg: string): void;

  /** Called by {@linkcode setup} before the first record. */
  setup(): void {}

  /** Called when the handler is no longer used. */
  destroy(): void {}

  [Symbol.dispose](): void {
    this.destroy();
  }
}

/** Options of {@linkcode ConsoleHandler}. */
export interface ConsoleHandlerOptions extends BaseHandlerOptions {
  /** Whether lines are coloured by severity; `true` if not given. */
  useColors?: boolean;
}

/** SGR codes that switch a severity's colour on and off. */
function colourCodes(level: number): [on: string, off: string] {
  switch (level) {
    case LogLevels.INFO:
      return ["\x1b[34m", "\x1b[39m"];
    case LogLevels.WARN:
      return ["\x1b[33m", "\x1b[39m"];
    case LogLevels.ERROR:
      return ["\x1b[31m", "\x1b[39m"];
    case LogLevels.CRITICAL:
      return ["\x1b[1m\x1b[31m", "\x1b[39m\x1b[22m"];
    default:
      return ["", ""];
  }
}

/** Writes records with `console.log`. */
export class ConsoleHandler extends BaseHandler {
  readonly #useColors: boolean;

  constructor(levelName: LevelName, options: ConsoleHandlerOptions = {}) {
    super(levelName, options);
    this.#useColors = (options.useColors ?? true) && !Deno.noColor;
  }

  override format(logRecord: LogRecord): string {
    const text = super.format(logRecord);
    if (!this.#useColors) return text;
    const [on, off] = colourCodes(logRecord.level);
    return on + text + off;
  }

  log(msg: string): void {
    // deno-lint-ignore no-console -- what this handler is for
    console.log(msg);
  }
}

/** `a` appends, `w` starts the file anew, `x` refuses one that exists. */
export type LogMode = "a" | "w" | "x";

/** Options of {@linkcode FileHandler}. */
export interface FileHandlerOptions extends BaseHandlerOptions {
  /** Path of the file. */
  filename: string;
  /** What becomes of an existing file; `a` if not given. */
  mode?: LogMode;
  /** Bytes kept back before they are written together; 4096 if not given. */
  bufferSize?: number;
}

/**
 * Writes records to a file, several at a time: after {@linkcode setup} until
 * {@linkcode destroy}; a record above `ERROR` is written at once.
 */
export class FileHandler extends BaseHandler {
  /** Path of the file. */
  protected readonly filename: string;
  readonly #mode: LogMode;
  readonly #bufferSize: number;
  #file: Deno.FsFile | undefined;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  readonly #onUnload = (): void => this.destroy();

  constructor(levelName: LevelName, options: FileHandlerOptions) {
    super(levelName, options);
    this.filename = options.filename;
    this.#mode = options.mode ?? "a";
    this.#bufferSize = options.bufferSize ?? 4096;
  }

  override setup(): void {
    this.open(this.#mode);
    addEventListener("unload", this.#onUnload);
  }

  /** Opens the file; the mode says what becomes of an existing one. */
  protected open(mode: LogMode): void {
    this.#file = Deno.openSync(this.filename, {
      write: true,
      create: mode !== "x",
      createNew: mode === "x",
      append: mode === "a",
      truncate: mode !== "a",
    });
  }

  /** Writes what is waiting and closes the file. */
  protected close(): void {
    this.flush();
    this.#file?.close();
    this.#file = undefined;
  }

  override handle(logRecord: LogRecord): void {
    super.handle(logRecord);
    if (logRecord.level > LogLevels.ERROR) this.flush();
  }

  log(msg: string): void {
    const bytes = new TextEncoder().encode(msg + "\n");
    if (this.#waitingBytes + bytes.length > this.#bufferSize) this.flush();
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes > this.#bufferSize) this.flush();
  }

  /** Writes what is waiting. */
  flush(): void {
    if (this.#file === undefined) return;
    for (const bytes of this.#waiting) {
      let written = 0;
      while (written < bytes.length) {
        written += this.#file.writeSync(bytes.subarray(written));
      }
    }
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  override destroy(): void {
    this.close();
    removeEventListener("unload", this.#onUnload);
  }
}

/** Options of {@linkcode RotatingFileHandler}. */
export interface RotatingFileHandlerOptions extends FileHandlerOptions {
  /** Bytes a file may reach. */
  maxBytes: number;
  /** Earlier files that are kept, as `name.1` (the youngest), `name.2`... */
  maxBackupCount: number;
}

/** Writes records to a file and starts a new one before it grows too large. */
export class RotatingFileHandler extends FileHandler {
  readonly #maxBytes: number;
  readonly #maxBackupCount: number;
  #fileBytes = 0;

  constructor(levelName: LevelName, options: RotatingFileHandlerOptions) {
    super(levelName, options);
    this.#maxBytes = options.maxBytes;
    this.#maxBackupCount = options.maxBackupCount;
  }

  override setup(): void {
    for (
      const [name, value] of [
        ["maxBytes", this.#maxBytes],
        ["maxBackupCount", this.#maxBackupCount],
      ] as const
    ) {
      if (value < 1) {
        throw new Error(`"${name}" must be >= 1: received ${value}`);
      }
    }
    super.setup();
    this.#fileBytes = Deno.statSync(this.filename).size;
  }

  override log(msg: string): void {
    const bytes = new TextEncoder().encode(msg).length + 1;
    if (this.#fileBytes + bytes > this.#maxBytes) {
      this.rotateLogFiles();
      this.#fileBytes = 0;
    }
    super.log(msg);
    this.#fileBytes += bytes;
  }

  /** Makes the current file `name.1` and starts a new one. */
  rotateLogFiles(): void {
    this.close();
    for (let age = this.#maxBackupCount - 1; age >= 0; age--) {
      const from = age === 0 ? this.filename : `${this.filename}.${age}`;
      try {
        Deno.renameSync(from, `${this.filename}.${age + 1}`);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
    this.open("a");
  }
}

/** Options of {@linkcode Logger}. */
export interface LoggerOptions {
  /** Where its records go. */
  handlers?: BaseHandler[];
}

function messageText(message: unknown): string {
  if (typeof message === "string") return message;
  if (message instanceof Error) return message.stack ?? message.message;
  if (typeof message !== "object" || message === null) return String(message);
  const fields = Object.entries(message).map(([name, value]) => {
    const text = typeof value === "string" ? `"${value}"` : messageText(value);
    return `"${name}":${text}`;
  });
  return `{${fields.join(",")}}`;
}

/** Makes records of what it is given and passes them to its handlers. */
export class Logger {
  /** Where its records go. */
  handlers: BaseHandler[];
  readonly #loggerName: string;
  #level: LogLevel;

  constructor(
    loggerName: string,
    levelName: LevelName,
    options: LoggerOptions = {},
  ) {
    this.#loggerName = loggerName;
    this.#level = getLevelByName(levelName);
    this.handlers = options.handlers ?? [];
  }

  /** Severity below which nothing is recorded. */
  get level(): LogLevel {
    return this.#level;
  }

  set level(level: LogLevel) {
    try {
      this.#level = getLevelByName(getLevelName(level));
    } catch (cause) {
      throw new TypeError(`Invalid log level: ${level}`, { cause });
    }
  }

  /** Name of the severity below which nothing is recorded. */
  get levelName(): LevelName {
    return getLevelName(this.#level);
  }

  set levelName(levelName: LevelName) {
    this.#level = getLevelByName(levelName);
  }

  /** Its name. */
  get loggerName(): string {
    return this.#loggerName;
  }

  #log<T>(level: LogLevel, msg: T | (() => T), args: unknown[]): T | undefined {
    const made = msg instanceof Function;
    if (level < this.#level) return made ? undefined : msg;
    const value = made ? msg() : msg;
    const record = new LogRecord({
      msg: messageText(value),
      args,
      level,
      loggerName: this.#loggerName,
    });
    for (const handler of this.handlers) handler.handle(record);
    return value;
  }

  /** Records at `DEBUG`; a function is called only if that is recorded. */
  debug<T>(msg: T | (() => T), ...args: unknown[]): T | undefined {
    return this.#log(LogLevels.DEBUG, msg, args);
  }

  /** Records at `INFO`; a function is called only if that is recorded. */
  info<T>(msg: T | (() => T), ...args: unknown[]): T | undefined {
    return this.#log(LogLevels.INFO, msg, args);
  }

  /** Records at `WARN`; a function is called only if that is recorded. */
  warn<T>(msg: T | (() => T), ...args: unknown[]): T | undefined {
    return this.#log(LogLevels.WARN, msg, args);
  }

  /** Records at `ERROR`; a function is called only if that is recorded. */
  error<T>(msg: T | (() => T), ...args: unknown[]): T | undefined {
    return this.#log(LogLevels.ERROR, msg, args);
  }

  /** Records at `CRITICAL`; a function is called only if that is recorded. */
  critical<T>(msg: T | (() => T), ...args: unknown[]): T | undefined {
    return this.#log(LogLevels.CRITICAL, msg, args);
  }
}

/** The record as one JSON object: level, datetime (ms), message, args. */
export function jsonFormatter(logRecord: LogRecord): string {
  const args = logRecord.args;
  return JSON.stringify({
    level: logRecord.levelName,
    datetime: logRecord.datetime.getTime(),
    message: logRecord.msg,
    args: args.length > 1 ? args : args[0],
  });
}

/** The formatters that come with the module. */
export const formatters = { jsonFormatter } as const;

/** How {@linkcode setup} makes one logger. */
export interface LoggerConfig {
  /** Severity below which nothing is recorded; `INFO` if not given. */
  level?: LevelName;
  /** Names of its handlers. */
  handlers?: string[];
}

/** What {@linkcode setup} makes. */
export interface LogConfig {
  /** Handlers by name. */
  handlers?: Record<string, BaseHandler>;
  /** Loggers by name. */
  loggers?: Record<string, LoggerConfig>;
}

// @std/log keeps its set-up in the module too: that is what setup() sets.
const current = {
  handlers: new Map<string, BaseHandler>(),
  loggers: new Map<string, Logger>(),
};

/** Replaces all handlers and loggers; those called `default` stay unless named. */
export function setup(config: LogConfig): void {
  for (const handler of current.handlers.values()) handler.destroy();
  current.handlers = new Map(Object.entries({
    default: new ConsoleHandler("INFO"),
    ...config.handlers,
  }));
  for (const handler of current.handlers.values()) handler.setup();
  const loggers: Record<string, LoggerConfig> = {
    default: { level: "INFO", handlers: ["default"] },
    ...config.loggers,
  };
  current.loggers = new Map(
    Object.entries(loggers).map(([name, { level, handlers }]) => [
      name,
      new Logger(name, level ?? "INFO", {
        handlers: (handlers ?? []).flatMap((handlerName) =>
          current.handlers.get(handlerName) ?? []
        ),
      }),
    ]),
  );
}

/** The logger of that name, made without handlers if {@linkcode setup} made none. */
export function getLogger(name = "default"): Logger {
  const known = current.loggers.get(name);
  if (known !== undefined) return known;
  const logger = new Logger(name, "NOTSET");
  current.loggers.set(name, logger);
  return logger;
}

setup({});
