/**
 * Ends a process, and removes its folder, when this process ends in whatever
 * way: a shell waits for the pipe from here to close, which the system does
 * even after a SIGKILL.
 */
export class ProcessWatchdog {
  readonly #shell: Deno.ChildProcess;

  /**
   * @param pid The process to end.
   * @param folder Removed afterwards; nothing is if it is empty.
   */
  constructor(pid: number, folder: string) {
    this.#shell = new Deno.Command("/bin/sh", {
      args: [
        "-c",
        'trap "" INT TERM HUP; read -r _; kill -9 "$1" 2>/dev/null; [ -z "$2" ] || rm -rf "$2"',
        "watchdog",
        String(pid),
        folder,
      ],
      stdin: "piped",
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  /** Stops watching: the caller has ended the process itself. */
  async dismiss(): Promise<void> {
    this.#shell.kill("SIGKILL");
    await this.#shell.status;
    await this.#shell.stdin.abort().catch(() => {
      // the pipe broke when the shell ended
    });
  }
}
