const REDACTED = "[redacted]";

const SECRET_NAME =
  /passw(or)?d|^pwd$|secret|tokens?$|authorization|private[-_]?key|scramble|auth[-_]?response|credential/i;

/** `scheme://user:password@host`, as peers and drivers like to print it. */
const URL_PASSWORD = /(\/\/[^\s/:@]{0,256}:)[^\s/@]{1,256}@/g;

/**
 * A secret set in a statement: `IDENTIFIED BY '…'`, `PASSWORD … = '…'`. What
 * stands between word and text is bounded, so that no input makes it slow.
 */
const STATEMENT_PASSWORD =
  /(identified\s{1,9}(?:with\s{1,9}\S{1,64}\s{1,9})?by|password[^;'"=]{0,64}(?:'[^']{0,64}'[^;'"=]{0,64}){0,2}=|password\s{0,9}\()\s{0,9}(?:'(?:[^'\\]|\\.|'')*'?|"(?:[^"\\]|\\.|"")*"?)/gi;

/**
 * True when a value under this name is not to be shown: passwords, tokens,
 * private keys and what a login is made of.
 */
function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/** `text` without the passwords that stand in addresses and SQL statements. */
export function redactText(text: string): string {
  return text
    .replace(URL_PASSWORD, `$1${REDACTED}@`)
    .replace(STATEMENT_PASSWORD, `$1 '${REDACTED}'`);
}

/** The value to show for a field: as it is, or without what is secret in it. */
export function redactField<Value>(name: string, value: Value): Value | string {
  if (isSecretName(name)) return REDACTED;
  return typeof value === "string" ? redactText(value) : value;
}
