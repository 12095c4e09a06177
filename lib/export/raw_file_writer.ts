import { crc32 } from "node:zlib";
import { ExportError } from "./export_error.ts";
import { describeError } from "../log/describe_error.ts";

/** What a file began with when it was exported before. */
export interface KnownPrefix {
  /** Bytes of it. */
  readonly size: number;
  /** Their CRC-32. */
  readonly checksum: number;
}

/** Bytes of one write; two are under way at most. */
const BUFFER_BYTES = 2 * 1024 * 1024;

/** What a file is called until it is whole and on disk. */
const PARTIAL_SUFFIX = ".kingbus-partial";

/** Whether a file is one that an export has not finished. */
export function isPartialName(name: string): boolean {
  return name.endsWith(PARTIAL_SUFFIX);
}

/** What the file at `path` is called until it is whole and on disk. */
export function partialPath(path: string): string {
  return `${path}${PARTIAL_SUFFIX}`;
}

/**
 * Writes a file under another name than its own. While one buffer is being
 * written the next one is filled; what does not fit waits for `drain`.
 */
export class RawFileWriter {
  readonly #path: string;
  readonly #file: Deno.FsFile;
  readonly #prefix: KnownPrefix | undefined;
  readonly #spare: Uint8Array<ArrayBuffer>[] = [];
  #full: Uint8Array<ArrayBuffer>[] = [];
  #writing: Promise<void> | undefined;
  #summed = 0;
  #written = 0;
  #checksum = 0;
  /** What is filled now. */
  buffer: Uint8Array<ArrayBuffer> = new Uint8Array(BUFFER_BYTES);
  /** How many bytes of it are used. */
  used = 0;

  private constructor(
    path: string,
    file: Deno.FsFile,
    prefix: KnownPrefix | undefined,
  ) {
    this.#path = path;
    this.#file = file;
    this.#prefix = prefix;
  }

  /**
   * Begins the file that is to be at `path`, in place of an unfinished one.
   *
   * @param prefix what it has to begin with
   * @throws {ExportError} `io`
   */
  static async create(
    path: string,
    prefix?: KnownPrefix,
  ): Promise<RawFileWriter> {
    try {
      const file = await Deno.open(partialPath(path), {
        create: true,
        truncate: true,
        write: true,
        mode: 0o640,
      });
      return new RawFileWriter(path, file, prefix);
    } catch (error) {
      throw writeError(path, 0, error);
    }
  }

  /** Bytes appended so far. */
  get size(): number {
    return this.#summed + this.used;
  }

  /** CRC-32 of all bytes; after `finish`. */
  get checksum(): number {
    return this.#checksum;
  }

  /** Makes room for so many bytes in `buffer`, at most 1 MiB. */
  reserve(bytes: number): void {
    if (this.buffer.length - this.used < bytes) this.#next();
  }

  /** Appends `bytes[start, end)`; they are copied. */
  append(bytes: Uint8Array, start = 0, end: number = bytes.length): void {
    for (let from = start; from < end;) {
      if (this.used === this.buffer.length) this.#next();
      const room = this.buffer.length - this.used;
      const to = Math.min(end, from + room);
      this.buffer.set(bytes.subarray(from, to), this.used);
      this.used += to - from;
      from = to;
    }
  }

  /**
   * Waits until at most one buffer is on its way.
   *
   * @throws {ExportError} `io` when the file can't be written, `log` when it
   * does not begin as it did before
   */
  async drain(): Promise<void> {
    while (this.#full.length > 0) {
      await this.#writing;
      const buffer = this.#full.shift()!;
      this.#writing = this.#write(buffer);
      // It is awaited later; until then a fault is nobody's.
      this.#writing.catch(() => {});
    }
  }

  /**
   * Brings all of it to disk, still under the other name.
   *
   * @throws {ExportError} as `drain`
   */
  async finish(): Promise<void> {
    this.#next();
    await this.drain();
    await this.#writing;
    try {
      await this.#file.sync();
    } catch (error) {
      throw writeError(this.#path, this.#written, error);
    }
    this.#file.close();
  }

  /** Removes what was written, after a fault. */
  async abandon(): Promise<void> {
    await this.#writing?.catch(() => {});
    try {
      this.#file.close();
    } catch {
      // it was closed already
    }
    await Deno.remove(partialPath(this.#path)).catch(() => {});
  }

  /** Queues the current buffer and takes another one. */
  #next(): void {
    const filled = this.buffer.subarray(0, this.used);
    this.#sum(filled);
    this.#full.push(filled);
    this.buffer = this.#spare.pop() ?? new Uint8Array(BUFFER_BYTES);
    this.used = 0;
  }

  #sum(bytes: Uint8Array): void {
    const prefix = this.#prefix;
    const before = this.#summed;
    this.#summed += bytes.length;
    if (
      prefix !== undefined && before < prefix.size &&
      prefix.size <= this.#summed
    ) {
      const part = bytes.subarray(0, prefix.size - before);
      if (crc32(part, this.#checksum) !== prefix.checksum) {
        throw new ExportError(
          "log",
          `Cannot replace ${this.#path}: its first ${prefix.size} bytes are not what the log has now; export to another folder, or again with --overwrite`,
        );
      }
    }
    this.#checksum = crc32(bytes, this.#checksum);
  }

  async #write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    let rest = bytes;
    try {
      while (rest.length > 0) {
        const count = await this.#file.write(rest);
        this.#written += count;
        rest = rest.subarray(count);
      }
    } catch (error) {
      throw writeError(this.#path, this.#written, error);
    }
    this.#spare.push(new Uint8Array(bytes.buffer));
  }
}

/** Says that a file can't be written, and how far it came. */
export function writeError(
  path: string,
  position: number,
  cause: unknown,
): ExportError {
  const why = describeError(cause);
  return new ExportError(
    "io",
    `Cannot write ${path} at position ${position}: ${why}; the same command goes on with this file when that is mended`,
    { cause },
  );
}
