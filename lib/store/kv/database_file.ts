import { DatabaseSync } from "node:sqlite";
import type { EngineDiskUse } from "../block_engine.ts";

/** SQLite's files beside a database, as far as they hold pages of it. */
const FILES = ["", "-wal"];

/**
 * The file of a database that Deno KV has open: what can only be asked of
 * SQLite itself, through a connection of its own.
 */
export class DatabaseFile {
  /** Where it is. */
  readonly path: string;
  #connection: DatabaseSync | undefined;

  /** @param path where the database is */
  constructor(path: string) {
    this.path = path;
  }

  /**
   * How large it is, and how much of it is free.
   *
   * @throws what the operating system or SQLite throws
   */
  async use(): Promise<EngineDiskUse> {
    let databaseBytes = 0;
    for (const suffix of FILES) {
      databaseBytes += await sizeOf(`${this.path}${suffix}`);
    }
    const freePages = this.#pragma("freelist_count");
    const pageBytes = this.#pragma("page_size");
    return { databaseBytes, freeInsideBytes: freePages * pageBytes };
  }

  /** Lets go of it. */
  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  #pragma(name: string): number {
    this.#connection ??= new DatabaseSync(this.path);
    return Number(this.#connection.prepare(`PRAGMA ${name}`).get()?.[name]);
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await Deno.stat(path)).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}
