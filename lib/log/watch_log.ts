import type { Log, LogFields } from "./log.ts";

/** Takes what is logged as a warning or an error, with the fields of the line. */
export type LogWatcher = (
  level: "warn" | "error",
  message: string,
  fields: LogFields,
) => void;

/** `log`, and all that is made of it, with somebody who hears what is wrong. */
export function watchLog(log: Log, watcher: LogWatcher): Log {
  return new WatchedLog(log, watcher, {});
}

class WatchedLog implements Log {
  readonly #log: Log;
  readonly #watcher: LogWatcher;
  readonly #fields: LogFields;

  constructor(log: Log, watcher: LogWatcher, fields: LogFields) {
    this.#log = log;
    this.#watcher = watcher;
    this.#fields = fields;
  }

  get lines(): Log["lines"] {
    return this.#log.lines;
  }

  debug(message: string, fields?: LogFields | (() => LogFields)): void {
    this.#log.debug(message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#log.info(message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#log.warn(message, fields);
    this.#watcher("warn", message, { ...this.#fields, ...fields });
  }

  error(message: string, fields?: LogFields): void {
    this.#log.error(message, fields);
    this.#watcher("error", message, { ...this.#fields, ...fields });
  }

  child(fields: LogFields): Log {
    return new WatchedLog(this.#log.child(fields), this.#watcher, {
      ...this.#fields,
      ...fields,
    });
  }
}
