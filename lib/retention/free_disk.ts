import { statfs } from "node:fs/promises";

/**
 * Bytes that this user can still write to the disk a path is on.
 *
 * @throws {Error} when the path can't be looked at
 */
export async function freeDisk(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}
