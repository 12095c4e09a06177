import { assertEquals } from "@std/assert";
import type { ExportReport } from "../../lib/export/export_log.ts";
import type { RigProgram } from "../../scripts/test_servers/rig.ts";
import { runKingbus } from "./kingbus_process.ts";

/** A folder into which `kingbus export` writes; gone at the end. */
export class ExportedFolder implements AsyncDisposable {
  readonly #root: string;
  /** The folder, which is not there at first. */
  readonly path: string;
  /** The folder as a program that reads it names it. */
  readonly #itsPath: string;

  private constructor(root: string, itsRoot: string) {
    this.#root = root;
    this.path = `${root}/out`;
    this.#itsPath = `${itsRoot}/out`;
  }

  /** Makes one where `reader` sees it. */
  static async for(reader?: RigProgram): Promise<ExportedFolder> {
    const folder = await reader?.makeFolder();
    if (folder !== undefined) {
      return new ExportedFolder(folder.path, folder.itsPath);
    }
    const path = await Deno.makeTempDir({ prefix: "kingbus-exported-" });
    return new ExportedFolder(path, path);
  }

  /** Exports into it; answers what the command says. */
  async export(dataDir: string, ...args: string[]): Promise<ExportReport> {
    const { code, stdout, stderr } = await runKingbus([
      "export",
      `--data-dir=${dataDir}`,
      `--to=${this.path}`,
      "--json",
      ...args,
    ]);
    assertEquals([code, stderr], [0, ""]);
    return JSON.parse(stdout);
  }

  /** Names of the binlog files in it. */
  names(): string[] {
    return [...Deno.readDirSync(this.path)].map(({ name }) => name)
      .filter((name) => !name.endsWith(".json")).toSorted();
  }

  /** Those names as its reader needs them. */
  itsPaths(): string[] {
    return this.names().map((name) => `${this.#itsPath}/${name}`);
  }

  read(name: string): Uint8Array {
    return Deno.readFileSync(`${this.path}/${name}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#root, { recursive: true });
  }
}
