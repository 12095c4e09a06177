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

/** Where a value came from: a flag, or a line of the file. */
export type ValueOrigin =
  | { readonly kind: "flag"; readonly flag: string }
  | {
    readonly kind: "file";
    readonly file: string;
    readonly line: number | undefined;
  };

/** Knows where each value came from, to say so in an error. */
export class ConfigOrigin {
  readonly #file: ConfigFile | undefined;
  readonly #flags: ConfigFlags;

  constructor(file: ConfigFile | undefined, flags: ConfigFlags) {
    this.#file = file;
    this.#flags = flags;
  }

  /** The configuration file; undefined where there is none. */
  get file(): string | undefined {
    return this.#file?.path;
  }

  /**
   * Where the value of a key came from.
   *
   * @param isInFile whether the file has the key
   * @returns undefined for a value by default
   */
  of(path: KeyPath, isInFile: boolean): ValueOrigin | undefined {
    const flag = path.join("-");
    if (this.#flags.has(flag)) return { kind: "flag", flag };
    if (!isInFile || this.#file === undefined) return undefined;
    const { path: file, text } = this.#file;
    return { kind: "file", file, line: findKeyLine(text, path) };
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
