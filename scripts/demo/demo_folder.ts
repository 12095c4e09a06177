/**
 * What the guard does. It is told the folder on its standard input, so that its
 * own command line does not name it, then waits for the other end of that pipe
 * to close: the system closes it whichever way the demo ends. Then it ends the
 * servers by the folder their command lines name, those too that were only just
 * started, and removes the folder, again if one of them still wrote to it.
 */
const GUARD = `trap "" INT TERM HUP
read -r folder
read -r keep
read -r _
for try in 1 2 3 4 5 6 7 8 9 10; do
  for process in /proc/[0-9]*; do
    case $(tr "\\0" "\\n" <"$process/cmdline" 2>/dev/null) in
      *"--datadir=$folder/"* | *"--config=$folder/"*)
        kill -9 "\${process#/proc/}" 2>/dev/null ;;
    esac
  done
  [ "$keep" = keep ] && exit
  rm -rf "$folder" && exit
  sleep 0.2
done`;

/**
 * The temporary folder of the demo, for its owner alone. However the demo ends,
 * killed too, nothing that works in the folder goes on running.
 */
export class DemoFolder implements AsyncDisposable {
  readonly path: string;
  readonly #keep: boolean;
  readonly #guard: Deno.ChildProcess;

  private constructor(path: string, keep: boolean, guard: Deno.ChildProcess) {
    this.path = path;
    this.#keep = keep;
    this.#guard = guard;
  }

  /**
   * @param options `keep`: whether the folder stays in the end; `prefix`: how
   *   its name begins.
   */
  static async make(
    options: { keep: boolean; prefix?: string },
  ): Promise<DemoFolder> {
    // resolved, as the servers resolve what they are given; and short: the path
    // of a socket has at most 107 bytes
    const path = await Deno.realPath(
      await Deno.makeTempDir({ prefix: options.prefix ?? "kingbus-demo-" }),
    );
    const guard = new Deno.Command("/bin/sh", {
      args: ["-c", GUARD, "kingbus-demo-guard"],
      stdin: "piped",
      stdout: "null",
      stderr: "null",
      detached: true, // a terminal that goes away takes its whole session along
    }).spawn();
    const writer = guard.stdin.getWriter();
    const orders = `${path}\n${options.keep ? "keep" : "remove"}\n`;
    await writer.write(new TextEncoder().encode(orders));
    writer.releaseLock();
    return new DemoFolder(path, options.keep, guard);
  }

  /** Removes the folder unless it is to be kept; all in it must have ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#keep) await Deno.remove(this.path, { recursive: true });
    this.#guard.kill("SIGKILL");
    await this.#guard.status;
    await this.#guard.stdin.abort().catch(() => {
      // the pipe broke when the guard ended
    });
  }
}
