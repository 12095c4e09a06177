import type { z } from "zod";
import type { KeyPath } from "./key_line.ts";
import { suggestion } from "./nearest_name.ts";

/** Keys that earlier versions had, with what takes their place. */
const FORMER_KEYS: ReadonlyMap<string, string> = new Map([
  [
    "server.users.admin",
    "is no key any more: write rights: [admin] in the place of admin: true",
  ],
]);

/** What is wrong with one key of an input, and which key. */
export interface DescribedIssue {
  readonly path: KeyPath;
  readonly reason: string;
}

/**
 * The issue of a failed validation to tell about, in words. An unknown key comes
 * first: it often is why another one is missing.
 *
 * @param knownNames gives the names that may stand where a path leads to.
 */
export function describeIssue(
  issues: readonly z.core.$ZodIssue[],
  knownNames: (path: KeyPath) => readonly string[],
): DescribedIssue {
  const issue = issues.find(({ code }) => code === "unrecognized_keys") ??
    issues[0]!;
  const path = issue.path as KeyPath;
  if (issue.code === "unrecognized_keys") {
    const key = issue.keys[0]!;
    const former = FORMER_KEYS.get(
      [...path, key].filter((part) => typeof part === "string").join("."),
    );
    if (former !== undefined) return { path: [...path, key], reason: former };
    const names = knownNames(path);
    const wish = suggestion(key, names) || `; there are ${names.join(", ")}`;
    return { path: [...path, key], reason: `is no key here${wish}` };
  }
  if (issue.code !== "invalid_type") return { path, reason: issue.message };
  const reason = issue.expected === "array"
    ? "must be a list"
    : "must be a section: keys with values";
  return { path, reason };
}
