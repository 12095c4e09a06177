/** Whether a server of that version is MariaDB's. */
export function isMariadb(version: string): boolean {
  return version.includes("MariaDB");
}

/**
 * Whether a server is MySQL of at least a version; never MariaDB, which counts
 * otherwise and keeps the old words.
 *
 * @param least major, minor and patch version
 */
export function isMysqlAtLeast(
  version: string,
  ...least: readonly number[]
): boolean {
  if (isMariadb(version)) return false;
  const parts = version.split(".").map((part) => Number.parseInt(part, 10));
  for (const [at, wanted] of least.entries()) {
    const part = parts[at] ?? 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}

/** Whether a server says source and replica where others say master and slave. */
export function hasNewWords(version: string): boolean {
  return isMysqlAtLeast(version, 8, 0, 26);
}
