import { dirname } from "node:path";
import { StoreError } from "../binlog_store.ts";

/**
 * Takes the lock file of `path`, which holds its owner's process id. The
 * operating system gives the lock free when that process ends, however it does.
 *
 * @throws {StoreError} `locked` when another process has it
 */
export async function takeLock(path: string): Promise<Deno.FsFile> {
  const lockPath = `${path}.lock`;
  await Deno.mkdir(dirname(path), { recursive: true, mode: 0o750 });
  const file = await Deno.open(lockPath, {
    create: true,
    read: true,
    write: true,
  });
  try {
    if (!await file.tryLock(true)) {
      const holder = (await Deno.readTextFile(lockPath)).trim();
      throw new StoreError(
        "locked",
        `process ${
          holder || "unknown"
        } has it open; stop it or choose another data-dir`,
      );
    }
    await file.truncate();
    await file.write(new TextEncoder().encode(`${Deno.pid}\n`));
    await file.sync();
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}
