import { installMysql56 } from "../test_servers/install_mysql56.ts";
import { pause } from "./pause.ts";
import { childPids } from "./process_list.ts";

/** Size of the archive that npm downloads, in bytes. */
export const ARCHIVE_BYTES = 31_394_029;

/** What an installation under way has come to. */
export interface InstallProgress {
  /** Milliseconds since it began. */
  readonly elapsedMs: number;
  /** Bytes downloaded; `undefined` once that is over, or not known. */
  readonly downloadedBytes: number | undefined;
}

/** A server that is there already is found faster than this. */
const FIRST_REPORT_MS = 300;
const REPORT_MS = 250;

/**
 * Installs MySQL 5.6 if it is not there yet, and reports how that goes on.
 * While it runs, this process must have no other children: they are taken for
 * the installation's.
 *
 * @param report Called some times a second while there is something to wait for.
 * @param signal Ends the installation and what it has started; what it had
 * unpacked is removed.
 * @throws {TestServerError} If the server cannot be installed.
 */
export async function installServer(
  report: (progress: InstallProgress) => void,
  signal: AbortSignal,
): Promise<void> {
  const startMs = performance.now();
  let done = false;
  const installing = installMysql56().finally(() => done = true);
  const settled = installing.then(() => {}, () => {});
  await Promise.race([settled, pause(FIRST_REPORT_MS, signal).catch(() => {})]);
  while (!done) {
    const pids = await childPids(Deno.pid);
    if (signal.aborted) {
      for (const pid of pids) terminate(pid);
    } else {
      const downloadedBytes = await bytesDownloaded(pids);
      report({ elapsedMs: performance.now() - startMs, downloadedBytes });
    }
    await Promise.race([
      settled,
      new Promise((resolve) => setTimeout(resolve, REPORT_MS)),
    ]);
  }
  signal.throwIfAborted();
  await installing;
}

function terminate(pid: number): void {
  try {
    Deno.kill(pid, "SIGTERM");
  } catch {
    // it ended by itself in the meantime
  }
}

/**
 * What npm has downloaded. It writes all of it to its cache, and nothing else
 * of any size, until it is complete; then it writes the archive once more.
 */
async function bytesDownloaded(pids: number[]): Promise<number | undefined> {
  for (const pid of pids) {
    try {
      const written = /^wchar: (\d+)$/m.exec(
        await Deno.readTextFile(`/proc/${pid}/io`),
      );
      const bytes = Number(written?.[1]);
      if (bytes < ARCHIVE_BYTES) return bytes;
    } catch {
      // it ended, or may not be looked at
    }
  }
  return undefined;
}
