/**
 * A file system of its own in memory, as small as a test wants it, that can be
 * filled, enlarged and made read-only. Needs root on Linux.
 */
export class SmallDisk implements AsyncDisposable {
  /** Where it is mounted. */
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * Makes one of so many bytes.
   *
   * @throws {Error} when this process may not
   */
  static async mount(bytes: number): Promise<SmallDisk> {
    const path = await Deno.makeTempDir({ prefix: "kingbus-disk-" });
    try {
      await run("mount", "-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", path);
    } catch (error) {
      await Deno.remove(path);
      throw error;
    }
    return new SmallDisk(path);
  }

  /** Gives it another size. */
  async resize(bytes: number): Promise<void> {
    await run("mount", "-o", `remount,size=${bytes}`, this.path);
  }

  /** Lets nobody write to it any more, or lets them again. */
  async makeReadOnly(readOnly = true): Promise<void> {
    await run("mount", "-o", `remount,${readOnly ? "ro" : "rw"}`, this.path);
  }

  /** Takes all the space that is left. */
  async fill(): Promise<void> {
    using file = await Deno.open(`${this.path}/filler`, {
      write: true,
      create: true,
    });
    for (let bytes = 65_536; bytes > 0;) {
      try {
        await file.write(new Uint8Array(bytes));
      } catch {
        bytes = Math.floor(bytes / 2);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run("umount", "--lazy", this.path);
    await Deno.remove(this.path);
  }
}

/**
 * Registers a test that needs a {@linkcode SmallDisk}; where there can't be
 * one, a line says that it was skipped.
 */
export async function smallDiskTest(
  name: string,
  test: () => Promise<void>,
): Promise<void> {
  try {
    await using _disk = await SmallDisk.mount(65_536);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    console.error(`SKIPPED ${JSON.stringify(name)}: ${reason}`);
    Deno.test.ignore(name, test);
    return;
  }
  Deno.test(name, test);
}

async function run(program: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args })
    .output();
  if (success) return;
  throw new Error(
    `${program} failed: ${new TextDecoder().decode(stderr).trim()}`,
  );
}
