/** What an account of the binlog server can be allowed. */
export const RIGHTS = ["replicate", "monitor", "admin"] as const;

/**
 * One of {@linkcode RIGHTS}:
 * - `replicate`: register as a replica and dump the log;
 * - `monitor`: see how the log, its replicas and its source stand;
 * - `admin`: change what is kept, end others' connections, steer the syncer.
 */
export type Right = typeof RIGHTS[number];

/** What an account is allowed that says nothing about it. */
export const RIGHTS_BY_DEFAULT: readonly Right[] = ["replicate", "monitor"];

/** All that an account with these rights may: `admin` includes the others. */
export function grantedRights(rights: readonly Right[]): ReadonlySet<Right> {
  return new Set(rights.includes("admin") ? RIGHTS : rights);
}
