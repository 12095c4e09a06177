import { describeDenial } from "../permission/describe_denial.ts";

/** How many causes below an error are told. */
const CAUSES_MAX = 4;

/**
 * One line that says what went wrong: the error's message and those of its
 * causes that add something, from the outermost to the innermost. Line breaks
 * become spaces; no stack.
 */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  let current: unknown = error;
  for (let depth = 0; depth <= CAUSES_MAX; depth++) {
    const text = messageOf(current).replace(/\s+/g, " ").trim();
    const said = parts.some((part) => part.includes(text));
    if (text !== "" && !said) parts.push(text);
    if (!(current instanceof Error) || current.cause === undefined) break;
    current = current.cause;
  }
  return parts.length === 0 ? "unknown error" : parts.join(": ");
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof Deno.errors.NotCapable) return describeDenial(error);
  return error.message === "" ? error.name : error.message;
}
