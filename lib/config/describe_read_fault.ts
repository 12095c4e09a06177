import { describeError } from "../log/describe_error.ts";

/** Why a file could not be read, to be put behind its name. */
export function describeReadFault(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "does not exist";
  if (error instanceof Deno.errors.PermissionDenied) return "may not be read";
  if (error instanceof Deno.errors.IsADirectory) return "is a folder";
  return `cannot be read: ${describeError(error)}`;
}
