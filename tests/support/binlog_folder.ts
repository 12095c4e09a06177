import type { BinlogFixture } from "./binlog_fixture.ts";

/** A folder of binlog files on disk, removed at the end. */
export class BinlogFolder implements Disposable {
  readonly path: string = Deno.makeTempDirSync({ prefix: "kingbus-files-" });

  /** Puts captured files there. */
  constructor(
    fixtures: readonly Pick<BinlogFixture, "name" | "bytes">[] = [],
  ) {
    for (const { name, bytes } of fixtures) this.write(name, bytes);
  }

  /** Writes a file; answers its path. */
  write(name: string, bytes: Uint8Array): string {
    const path = `${this.path}/${name}`;
    Deno.writeFileSync(path, bytes);
    return path;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}
