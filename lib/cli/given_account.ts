import { describeReadFault } from "../config/describe_read_fault.ts";
import type { CommandFlag, CommandInput } from "./command.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage_error.ts";
import { describeError } from "../log/describe_error.ts";

const USER = "user";
const PASSWORD_FILE = "password-file";
const PASSWORD_ENV = "password-env";

/** The flags that give an account. There is none for a password in clear. */
export function accountFlags(whose: string): CommandFlag[] {
  return [
    { name: USER, value: "NAME", about: `The account ${whose}.` },
    {
      name: PASSWORD_FILE,
      value: "FILE",
      completion: "file",
      about:
        "File that holds its password; one line end at its end is not part of it.",
    },
    {
      name: PASSWORD_ENV,
      value: "NAME",
      about: "Environment variable that holds its password.",
    },
  ];
}

/**
 * The account that a command line gives; undefined when it gives none.
 *
 * @throws {UsageError} when it is not whole, or the password can't be read
 */
export async function readAccount(
  { values }: CommandInput,
  { env, readTextFile }: Pick<Terminal, "env" | "readTextFile">,
): Promise<{ user: string; password: string } | undefined> {
  const user = values.get(USER);
  const file = values.get(PASSWORD_FILE);
  const variable = values.get(PASSWORD_ENV);
  if (file !== undefined && variable !== undefined) {
    throw new UsageError(
      `--${PASSWORD_FILE} and --${PASSWORD_ENV} both give the password: give one`,
    );
  }
  const hasPassword = file !== undefined || variable !== undefined;
  if (user === undefined && !hasPassword) return undefined;
  if (user === undefined || !hasPassword) {
    throw new UsageError(
      `--${USER} and --${PASSWORD_FILE} or --${PASSWORD_ENV} go together`,
    );
  }
  if (variable !== undefined) {
    let password: string | undefined;
    try {
      password = env(variable);
    } catch (cause) {
      throw new UsageError(`--${PASSWORD_ENV}: ${describeError(cause)}`, {
        cause,
      });
    }
    if (password !== undefined) return { user, password };
    throw new UsageError(
      `--${PASSWORD_ENV}: the environment variable ${variable} is not set`,
    );
  }
  try {
    const text = await readTextFile(file!);
    return { user, password: text.replace(/\r?\n$/, "") };
  } catch (cause) {
    throw new UsageError(
      `--${PASSWORD_FILE}: ${file} ${describeReadFault(cause)}`,
      { cause },
    );
  }
}
