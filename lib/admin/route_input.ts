import type { z } from "zod";
import { describeIssue } from "../config/describe_issue.ts";
import { formatKeyPath } from "../config/config_key.ts";
import { RequestError } from "./request_error.ts";

/**
 * Validates what came in a path or a query string.
 *
 * @throws {RequestError} 400 with the name and what is wrong with it.
 */
export function parseInput<Value>(
  input: Readonly<Record<string, unknown>>,
  schema: z.ZodType<Value>,
): Value {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const shape = "shape" in schema ? schema.shape : {};
  const { path, reason } = describeIssue(
    result.error.issues,
    () => Object.keys(shape as Record<string, unknown>),
  );
  throw new RequestError(400, `${formatKeyPath(path)}: ${reason}`);
}

/**
 * A query string's names and texts.
 *
 * @throws {RequestError} 400 when a name is there twice.
 */
export function parseQuery(
  parameters: URLSearchParams,
): Readonly<Record<string, string>> {
  const names = [...parameters.keys()];
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) {
    throw new RequestError(400, `${twice.slice(0, 100)}: is given twice`);
  }
  return Object.fromEntries(parameters);
}
