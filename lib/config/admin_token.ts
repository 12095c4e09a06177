import type { ConfigOrigin } from "./config_origin.ts";
import type { ConfigTree } from "./config_schema.ts";
import { describeReadFault } from "./describe_read_fault.ts";
import type { AdminToken } from "./options.ts";
import type { ConfigSurroundings } from "./read_password.ts";
import { readVariable } from "./read_variable.ts";

/** Characters a token has at least: less can be guessed. */
const TOKEN_LENGTH_MIN = 16;
/** Characters it has at most: a request's head has to hold it. */
const TOKEN_LENGTH_MAX = 1024;

/** What to do where the admin API is to be reached from elsewhere. */
export const TOKEN_ADVICE =
  "write one to a file (openssl rand -hex 32), name it in admin.admin-token-file or admin.read-token-file, or listen on 127.0.0.1";

/** Which of the two tokens. */
export type TokenKind = "read" | "admin";

/**
 * The token in a file's text or a variable.
 *
 * @throws {SyntaxError} whose message says what is wrong and does not quote it.
 */
export function parseToken(text: string): string {
  const token = text.replace(/\r?\n$/, "");
  if (token.length < TOKEN_LENGTH_MIN) {
    throw new SyntaxError(
      `holds a token of ${token.length} characters, which can be guessed: it must have at least ${TOKEN_LENGTH_MIN} (try: openssl rand -hex 32)`,
    );
  }
  if (token.length > TOKEN_LENGTH_MAX) {
    throw new SyntaxError(
      `holds a token of more than ${TOKEN_LENGTH_MAX} characters`,
    );
  }
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new SyntaxError(
      "holds a token with spaces, line ends or characters beyond ASCII: a request could not carry it",
    );
  }
  return token;
}

/**
 * Reads one of the tokens from where its key says; undefined where there is no
 * key.
 *
 * @throws {ConfigError} when it can't be read, or is none.
 */
export async function readToken(
  kind: TokenKind,
  { admin }: ConfigTree,
  origin: ConfigOrigin,
  surroundings: ConfigSurroundings,
): Promise<AdminToken | undefined> {
  const file = admin[`${kind}-token-file`];
  const variable = admin[`${kind}-token-env`];
  if (variable !== undefined) {
    const path = ["admin", `${kind}-token-env`];
    const value = readVariable(variable, path, origin, surroundings);
    const name = `the environment variable ${variable}`;
    return {
      text: checked(value, name, path, origin),
      file: undefined,
    };
  }
  if (file === undefined) return undefined;
  const path = ["admin", `${kind}-token-file`];
  let text: string;
  try {
    text = await surroundings.readTextFile(file);
  } catch (error) {
    const reason = `${file} ${describeReadFault(error)}`;
    throw origin.fault(path, reason, error);
  }
  return { text: checked(text, file, path, origin), file };
}

function checked(
  text: string,
  where: string,
  path: readonly string[],
  origin: ConfigOrigin,
): string {
  try {
    return parseToken(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw origin.fault(path, `${where} ${error.message}`, error);
  }
}
