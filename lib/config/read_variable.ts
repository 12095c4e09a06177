import { describeError } from "../log/describe_error.ts";
import type { ConfigOrigin } from "./config_origin.ts";
import type { KeyPath } from "./key_line.ts";
import type { ConfigSurroundings } from "./read_password.ts";

/**
 * The environment variable that a key names.
 *
 * @param path the key
 * @throws {ConfigError} when it is not set, or this process may not read it
 */
export function readVariable(
  variable: string,
  path: KeyPath,
  origin: ConfigOrigin,
  { env }: ConfigSurroundings,
): string {
  let value: string | undefined;
  try {
    value = env(variable);
  } catch (error) {
    throw origin.fault(path, describeError(error), error);
  }
  if (value !== undefined) return value;
  const reason = `the environment variable ${variable} is not set`;
  throw origin.fault(path, reason);
}
