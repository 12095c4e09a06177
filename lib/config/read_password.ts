import type { ConfigOrigin } from "./config_origin.ts";
import type { PasswordKeys } from "./config_schema.ts";
import { describeReadFault } from "./describe_read_fault.ts";
import type { KeyPath } from "./key_line.ts";
import { readVariable } from "./read_variable.ts";

/** What a configuration may look at besides its own text. */
export interface ConfigSurroundings {
  /** The text of a file; rejects as `Deno.readTextFile` does. */
  readonly readTextFile: (path: string) => Promise<string>;
  /** An environment variable. */
  readonly env: (name: string) => string | undefined;
}

/** The three keys a password may be given with. */
export const PASSWORD_KEYS = [
  "password",
  "password-file",
  "password-env",
] as const;

/**
 * Checks that a password is given by exactly one of its keys.
 *
 * @throws {ConfigError}
 */
export function checkPasswordKeys(
  keys: PasswordKeys,
  path: KeyPath,
  origin: ConfigOrigin,
): void {
  const given = PASSWORD_KEYS.filter((key) => keys[key] !== undefined);
  if (given.length === 1) return;
  if (given.length === 0) {
    throw origin.fault(
      path,
      "has no password: give one of password, password-file and password-env",
    );
  }
  throw origin.fault(
    [...path, given[1]!],
    `is given besides ${given[0]}: give only one of them`,
  );
}

/**
 * The password that `keys` say where to find; checked with
 * `checkPasswordKeys()` before.
 *
 * @throws {ConfigError} when the file or the variable cannot be read, or the
 * file is empty.
 */
export async function readPassword(
  keys: PasswordKeys,
  path: KeyPath,
  origin: ConfigOrigin,
  surroundings: ConfigSurroundings,
): Promise<string> {
  const { "password-file": file, "password-env": variable } = keys;
  if (variable !== undefined) {
    return readVariable(
      variable,
      [...path, "password-env"],
      origin,
      surroundings,
    );
  }
  if (file === undefined) return keys.password ?? "";
  const keyPath = [...path, "password-file"];
  let text: string;
  try {
    text = await surroundings.readTextFile(file);
  } catch (error) {
    const reason = `${file} ${describeReadFault(error)}`;
    throw origin.fault(keyPath, reason, error);
  }
  const password = text.replace(/\r?\n$/, "");
  if (password !== "") return password;
  // An account that all may use is never made by a file nobody wrote to.
  throw origin.fault(
    keyPath,
    `${file} is empty: write the password to it, or say that there is none with password: ""`,
  );
}
