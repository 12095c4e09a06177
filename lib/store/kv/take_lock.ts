import { dirname } from "node:path";
import { StoreError } from "../binlog_store.ts";

/** How long a lock that nobody has may take, where it can't be tried, in ms. */
const LOCK_MS_MAX = 250;

/**
 * Takes the lock file of `path`, which holds its owner's process id. The
 * operating system gives the lock free when that process ends, however it does.
 *
 * @throws {StoreError} `locked` when another process has it
 * @throws {StoreError} `io` when something that is no folder is in its folder's place
 */
export async function takeLock(path: string): Promise<Deno.FsFile> {
  const lockPath = `${path}.lock`;
  await makeFolder(dirname(path));
  const file = await Deno.open(lockPath, {
    create: true,
    read: true,
    write: true,
  });
  try {
    if (!await tryLock(file)) {
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

/**
 * Tries to lock a file, and tells whether it could. Older versions of Deno
 * (2.5) that an executable may be made with can only wait for a lock; there a
 * wait that is given up lasts until this process ends, as it then does.
 */
async function tryLock(file: Deno.FsFile): Promise<boolean> {
  const { tryLock }: Partial<Pick<Deno.FsFile, "tryLock">> = file;
  if (tryLock !== undefined) return await tryLock.call(file, true);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), LOCK_MS_MAX);
  });
  try {
    return await Promise.race([file.lock(true).then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function makeFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true, mode: 0o750 });
  } catch (cause) {
    if (
      cause instanceof Deno.errors.AlreadyExists ||
      cause instanceof Deno.errors.NotADirectory
    ) {
      throw new StoreError(
        "io",
        `${path} is no folder, or is in something that is none: choose another data-dir`,
        { cause },
      );
    }
    throw cause;
  }
}
