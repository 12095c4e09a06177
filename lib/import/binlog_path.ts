import { ImportError } from "./import_error.ts";

/** A binlog file to import. */
export interface BinlogPath {
  readonly path: string;
  /** The last part of the path: the name it gets in the log. */
  readonly name: string;
  /** What stands before the number in the name. */
  readonly base: string;
  /** The number at the name's end. */
  readonly number: number;
  /** In bytes. */
  readonly size: number;
}

const NAME = /^(.+)\.(\d{6,})$/;

/**
 * The binlog files among `paths` in the order of their numbers. Of a folder it
 * takes all files whose names end in a number of six digits or more, and leaves
 * the others (the index, tables); files named one by one must all be binlog
 * files. Numbers must follow one another, and all have the same name before.
 *
 * @throws {ImportError} `io`, `not-a-binlog` or `order`
 */
export async function listBinlogPaths(
  paths: readonly string[],
): Promise<BinlogPath[]> {
  const found: BinlogPath[] = [];
  for (const path of paths) {
    const info = await stat(path);
    if (!info.isDirectory) {
      found.push(toBinlogPath(path, info.size));
      continue;
    }
    const inside: BinlogPath[] = [];
    for await (const entry of Deno.readDir(path)) {
      if (entry.isDirectory || !NAME.test(entry.name)) continue;
      const file = `${path.replace(/\/+$/, "")}/${entry.name}`;
      inside.push(toBinlogPath(file, (await stat(file)).size));
    }
    if (inside.length === 0) {
      throw new ImportError(
        "not-a-binlog",
        path,
        "the folder holds no binlog files, whose names end in a dot and a number of six digits",
      );
    }
    found.push(...inside);
  }
  found.sort((one, other) => one.number - other.number);
  for (const [index, file] of found.entries()) {
    if (index > 0) checkNext(found[index - 1]!, file);
  }
  return found;
}

/** Whether `next` is the name of the file after `name`. */
export function isNextName(name: string, next: string): boolean {
  const one = NAME.exec(name);
  const other = NAME.exec(next);
  return one !== null && other !== null && one[1] === other[1] &&
    Number(one[2]) + 1 === Number(other[2]);
}

async function stat(path: string): Promise<Deno.FileInfo> {
  try {
    return await Deno.stat(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) {
      throw new ImportError("io", path, "there is no such file");
    }
    throw new ImportError("io", path, "it can't be looked at", { cause });
  }
}

function toBinlogPath(path: string, size: number): BinlogPath {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const parts = NAME.exec(name);
  if (parts === null) {
    throw new ImportError(
      "not-a-binlog",
      path,
      "a binlog file's name ends in a dot and a number of six digits, as in binlog.000042",
    );
  }
  return { path, name, base: parts[1]!, number: Number(parts[2]), size };
}

function checkNext(one: BinlogPath, next: BinlogPath): void {
  if (one.base !== next.base) {
    throw new ImportError(
      "order",
      next.path,
      `its name does not begin as that of ${one.path}; import the files of one server at a time`,
    );
  }
  if (next.number === one.number) {
    throw new ImportError("order", next.path, `${one.path} has the same name`);
  }
  if (next.number !== one.number + 1) {
    throw new ImportError(
      "order",
      next.path,
      `the file before it is missing: after ${one.name} comes number ${
        one.number + 1
      }`,
    );
  }
}
