/**
 * Text that a peer has chosen, in one line that can't drive the terminal: what
 * controls it, or turns the direction of the text around, becomes `?`.
 */
export function printable(text: string): string {
  return text.replaceAll(
    // deno-lint-ignore no-control-regex -- they are what must not get through
    /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
    "?",
  );
}
