import { ConfigError } from "./config_error.ts";
import { formatKeyPath } from "./config_key.ts";
import { findKeyLine, type KeyPath } from "./key_line.ts";

/** A configuration file that was read. */
export interface ConfigFile {
  readonly path: string;
  readonly text: string;
}

/** Flags of the command line: names without dashes, values as given. */
export type ConfigFlags = ReadonlyMap<string, string>;

/** Knows where each value came from, to say so in an error. */
export class ConfigOrigin {
  readonly #file: ConfigFile | undefined;
  readonly #flags: ConfigFlags;

  constructor(file: ConfigFile | undefined, flags: ConfigFlags) {
    this.#file = file;
    this.#flags = flags;
  }

  /** The error that says where the value of a key is, and what is wrong. */
  fault(path: KeyPath, reason: string, cause?: unknown): ConfigError {
    const flag = path.join("-");
    if (this.#flags.has(flag)) {
      return new ConfigError(reason, { key: `--${flag}` }, cause);
    }
    const key = path.length === 0 ? undefined : formatKeyPath(path);
    const file = this.#file?.path;
    const line = this.#file && findKeyLine(this.#file.text, path);
    return new ConfigError(reason, { file, line, key }, cause);
  }
}
