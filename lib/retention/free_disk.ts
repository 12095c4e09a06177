import { statfs, type StatsFs } from "node:fs";
import { promisify } from "node:util";

/**
 * Of `node:fs`, since `node:fs/promises` has none in the older versions of Deno
 * (2.5) that an executable may be made with; a module whose import is not there
 * would keep all of kingbus from starting.
 */
const statfsOf: (path: string) => Promise<StatsFs> = promisify(statfs);

/**
 * Bytes that this user can still write to the disk a path is on.
 *
 * @throws {Error} when the path can't be looked at
 */
export async function freeDisk(path: string): Promise<number> {
  const { bavail, bsize } = await statfsOf(path);
  return bavail * bsize;
}
