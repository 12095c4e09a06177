import { crc32 } from "node:zlib";
import type { StoredFile } from "../store/binlog_store.ts";
import { ExportError } from "./export_error.ts";
import { isPartialName, partialPath, writeError } from "./raw_file_writer.ts";
import { describeError } from "../log/describe_error.ts";

/** Name of the file beside the exported ones that says what they are. */
const MANIFEST_NAME = "kingbus-export.json";

/** What the manifest says of one exported file. */
export interface ExportedFile {
  /** Its name. */
  readonly name: string;
  /** UUID of the server that wrote it; empty if it has none. */
  readonly serverUuid: string;
  /** Tells it from files of the same name in other logs. */
  readonly origin: string;
  /** Up to which position of the log's file. */
  readonly end: number;
  /** Whether that is all of it. */
  readonly whole: boolean;
  /** Bytes of the exported file. */
  readonly size: number;
  /** Their CRC-32. */
  readonly checksum: number;
}

interface Manifest {
  readonly product: "kingbus export";
  readonly version: 1;
  /** The transactions exported; absent: all. */
  readonly gtids?: string;
  readonly files: readonly ExportedFile[];
}

/** How a folder is exported to. */
export interface FolderOptions {
  /** The folder; made if missing. */
  readonly path: string;
  /** The transactions exported, as text; undefined: all. */
  readonly gtids: string | undefined;
  /** Whether what is in the way may go. */
  readonly overwrite: boolean;
}

/**
 * A folder of exported files with a manifest. A file gets its name when it is
 * on disk and the manifest has it; one whose name it has and the manifest does
 * not is somebody else's.
 */
export class ExportFolder {
  readonly #options: FolderOptions;
  readonly #files: Map<string, ExportedFile>;

  private constructor(
    options: FolderOptions,
    files: ReadonlyMap<string, ExportedFile>,
  ) {
    this.#options = options;
    this.#files = new Map(files);
  }

  /**
   * Opens the folder, or makes it.
   *
   * @param options how it is exported to
   * @param log the files of the log
   * @throws {ExportError} `target` when it holds anything but an export of this
   * log, `io` when it can't be read or made
   */
  static async open(
    options: FolderOptions,
    log: readonly StoredFile[],
  ): Promise<ExportFolder> {
    const { path, overwrite } = options;
    const names = await listFolder(path);
    const manifest = names.includes(MANIFEST_NAME)
      ? await readManifest(path)
      : undefined;
    const fault = manifest === undefined
      ? strangerIn(path, names)
      : manifestFault(path, manifest, options, log);
    if (fault !== undefined && !overwrite) {
      throw new ExportError(
        "target",
        `Cannot export to ${path}: ${fault}; choose an empty folder, or --overwrite`,
      );
    }
    const files = fault === undefined ? manifest?.files ?? [] : [];
    const byName = new Map(files.map((file) => [file.name, file]));
    const folder = new ExportFolder(options, byName);
    if (fault !== undefined) {
      // What another export has left here must not be taken for ours.
      for (const { name } of manifest?.files ?? []) await folder.#remove(name);
    }
    await folder.#removePartials(names);
    await folder.#writeManifest();
    return folder;
  }

  /** Where a file goes. */
  pathOf(name: string): string {
    return `${this.#options.path}/${name}`;
  }

  /** What was exported of a file before. */
  entry(name: string): ExportedFile | undefined {
    return this.#files.get(name);
  }

  /** Bytes of the file of that name; undefined if there is none. */
  sizeOf(name: string): number | undefined {
    try {
      return Deno.statSync(this.pathOf(name)).size;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw readError(this.pathOf(name), error);
    }
  }

  /**
   * Whether the unfinished file is all of it: what a crash left between the
   * manifest and the file's name. Then it gets its name.
   */
  async takePartial(entry: ExportedFile): Promise<boolean> {
    const path = this.pathOf(entry.name);
    const found = await checksumOf(partialPath(path));
    if (found?.size !== entry.size || found.checksum !== entry.checksum) {
      return false;
    }
    await this.#rename(path);
    return true;
  }

  /** Gives a file that is on disk its name, and notes what it is. */
  async finish(entry: ExportedFile): Promise<void> {
    this.#files.set(entry.name, entry);
    await this.#writeManifest();
    await this.#rename(this.pathOf(entry.name));
  }

  async #rename(path: string): Promise<void> {
    try {
      await Deno.rename(partialPath(path), path);
    } catch (error) {
      throw writeError(path, 0, error);
    }
    await this.#syncFolder();
  }

  /** Removes unfinished files, except those that the manifest has as whole. */
  async #removePartials(names: readonly string[]): Promise<void> {
    const known = new Set(
      [...this.#files.keys()].map((name) => partialPath(name)),
    );
    for (const name of names) {
      if (isPartialName(name) && !known.has(name)) await this.#remove(name);
    }
  }

  async #remove(name: string): Promise<void> {
    try {
      await Deno.remove(this.pathOf(name));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      throw writeError(this.pathOf(name), 0, error);
    }
  }

  async #writeManifest(): Promise<void> {
    const { path, gtids } = this.#options;
    const manifest: Manifest = {
      product: "kingbus export",
      version: 1,
      ...(gtids === undefined ? {} : { gtids }),
      files: [...this.#files.values()],
    };
    const target = `${path}/${MANIFEST_NAME}`;
    try {
      await Deno.mkdir(path, { recursive: true, mode: 0o750 });
      using file = await Deno.open(partialPath(target), {
        create: true,
        truncate: true,
        write: true,
        mode: 0o640,
      });
      const text = `${JSON.stringify(manifest, null, 2)}\n`;
      let rest = new TextEncoder().encode(text);
      while (rest.length > 0) rest = rest.subarray(await file.write(rest));
      await file.sync();
      await Deno.rename(partialPath(target), target);
    } catch (error) {
      await Deno.remove(partialPath(target)).catch(() => {});
      throw writeError(target, 0, error);
    }
    await this.#syncFolder();
  }

  /** Makes names durable; not every system lets a folder be synced. */
  async #syncFolder(): Promise<void> {
    if (Deno.build.os === "windows") return;
    try {
      using folder = await Deno.open(this.#options.path);
      await folder.sync();
    } catch (error) {
      throw writeError(this.#options.path, 0, error);
    }
  }
}

/** Whether a file of the log can have its own name in the folder. */
export function isExportableName(name: string): boolean {
  return name !== MANIFEST_NAME && !isPartialName(name) &&
    // deno-lint-ignore no-control-regex -- no file of ours has them
    !/[/\\\u0000-\u001f]|^\.*$/.test(name);
}

/** Tells a file of the log from those of the same name in other logs. */
export function originOf(file: StoredFile): string {
  const format = crc32(file.formatDescription);
  const both = crc32(file.previousGtids.encode(), format);
  return `${hex(format)}${hex(both)}`;
}

function hex(value: number): string {
  return value.toString(16).padStart(8, "0");
}

async function listFolder(path: string): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(path));
    return entries.map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw readError(path, error);
  }
}

async function readManifest(path: string): Promise<Manifest | undefined> {
  const file = `${path}/${MANIFEST_NAME}`;
  let text: string;
  try {
    text = await Deno.readTextFile(file);
  } catch (error) {
    throw readError(file, error);
  }
  try {
    const manifest: unknown = JSON.parse(text);
    return isManifest(manifest) ? manifest : undefined;
  } catch {
    return undefined;
  }
}

function isManifest(value: unknown): value is Manifest {
  const manifest = value as Partial<Manifest> | null;
  return typeof manifest === "object" &&
    manifest?.product === "kingbus export" && manifest.version === 1 &&
    Array.isArray(manifest.files) && manifest.files.every(isEntry);
}

function isEntry(value: unknown): value is ExportedFile {
  const entry = value as Partial<ExportedFile> | null;
  return typeof entry?.name === "string" && isExportableName(entry.name) &&
    typeof entry.origin === "string" &&
    typeof entry.serverUuid === "string" &&
    typeof entry.whole === "boolean" &&
    [entry.end, entry.size, entry.checksum].every(Number.isSafeInteger);
}

/** What in a folder without a manifest is not ours; undefined if nothing. */
function strangerIn(
  path: string,
  names: readonly string[],
): string | undefined {
  const stranger = names.find((name) => !isPartialName(name));
  if (stranger === undefined) return undefined;
  return stranger === MANIFEST_NAME
    ? `${path}/${MANIFEST_NAME} can't be read`
    : `it is not empty (${stranger}) and not an earlier export`;
}

/** Why a folder is not an earlier export of the same; undefined if it is. */
function manifestFault(
  path: string,
  manifest: Manifest,
  { gtids }: FolderOptions,
  log: readonly StoredFile[],
): string | undefined {
  if (manifest.gtids !== gtids) {
    return `it holds an export of ${
      manifest.gtids === undefined
        ? "all transactions"
        : `the transactions ${manifest.gtids} only`
    }`;
  }
  let common = false;
  for (const entry of manifest.files) {
    const file = log.find(({ name }) => name === entry.name);
    if (file === undefined) continue;
    common = true;
    if (originOf(file) !== entry.origin) {
      return `${path}/${entry.name} is from another log`;
    }
  }
  const last = manifest.files.at(-1);
  // All that was exported may be purged by now.
  return common || last === undefined || last.serverUuid === log[0]?.serverUuid
    ? undefined
    : "it holds an export of another log";
}

async function checksumOf(
  path: string,
): Promise<{ size: number; checksum: number } | undefined> {
  try {
    using file = await Deno.open(path);
    let size = 0;
    let checksum = 0;
    const buffer = new Uint8Array(1024 * 1024);
    for (;;) {
      const count = await file.read(buffer);
      if (count === null) return { size, checksum };
      checksum = crc32(buffer.subarray(0, count), checksum);
      size += count;
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw readError(path, error);
  }
}

function readError(path: string, cause: unknown): ExportError {
  const why = describeError(cause);
  return new ExportError("io", `Cannot read ${path}: ${why}`, { cause });
}
