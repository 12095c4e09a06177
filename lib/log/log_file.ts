import {
  type FormatterFunction,
  type LevelName,
  type LogRecord,
  RotatingFileHandler,
} from "@std/log";
import { describeError } from "./describe_error.ts";
import { LogFileError } from "./log_file_error.ts";

/** Name of the log's file in its folder. */
const LOG_FILE_NAME = "kingbus.log";

/** How a `LogFile` writes. */
export interface LogFileOptions {
  readonly levelName: LevelName;
  readonly formatter: FormatterFunction;
  readonly directory: string;
  readonly fileBytesMax: number;
  readonly oldFilesMax: number;
  /** Told once when the file can no longer be written. */
  readonly onFault: (reason: string) => void;
}

/**
 * The log's file: `kingbus.log`, rotated by size to `kingbus.log.1` and on.
 * Every line is in the file when the call returns, so that the last words
 * before a crash are there. A disk that fails or is full must not stop
 * replication: the file is given up and that is said once.
 */
export class LogFile extends RotatingFileHandler {
  readonly #onFault: (reason: string) => void;
  readonly #path: string;
  #faulty = false;

  /** @throws {LogFileError} when the folder or file cannot be opened. */
  constructor(options: LogFileOptions) {
    const path = `${options.directory}/${LOG_FILE_NAME}`;
    super(options.levelName, {
      filename: path,
      maxBytes: options.fileBytesMax,
      maxBackupCount: options.oldFilesMax,
      formatter: options.formatter,
    });
    this.#onFault = options.onFault;
    this.#path = path;
    try {
      Deno.mkdirSync(options.directory, { recursive: true });
      this.setup();
    } catch (error) {
      throw new LogFileError(path, error);
    }
  }

  override handle(record: LogRecord): void {
    if (this.#faulty) return;
    try {
      super.handle(record);
      this.flush();
    } catch (error) {
      this.#faulty = true;
      this.#onFault(
        `cannot write ${this.#path} (${
          describeError(error)
        }): no further line goes there until the next start`,
      );
    }
  }

  override destroy(): void {
    try {
      super.destroy();
    } catch (error) {
      if (!this.#faulty) throw error;
    }
  }
}
