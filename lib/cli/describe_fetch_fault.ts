import { describeError } from "../log/describe_error.ts";

/** What `describeFetchFault()` says when nobody listens there. */
export const NOBODY_LISTENS = "connection refused";

/** What `fetch` says of a refused connection fills three lines. */
export function describeFetchFault(error: unknown): string {
  const text = describeError(error);
  return /connection refused/i.test(text) ? NOBODY_LISTENS : text;
}
