/** The most characters of a label's value that came from outside. */
const LABEL_UNITS_MAX = 64;

/** What a dashboard could not show, or would be led astray by. */
// deno-lint-ignore no-control-regex
const UNSHOWN = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

/**
 * A text that a client or a server said about itself, as the value of a label:
 * bounded, one line, and well-formed. (Quotes and backslashes are for whoever
 * writes the text format.)
 */
export function labelValue(text: string): string {
  const short = text.length > LABEL_UNITS_MAX
    ? `${text.slice(0, LABEL_UNITS_MAX - 1)}…`
    : text;
  return short.replaceAll(UNSHOWN, "\ufffd").toWellFormed();
}
