import {
  eventSizeAt,
  eventTypeAt,
  flagsAt,
  HEADER_BYTES,
  logPosAt,
  timestampAt,
} from "../binlog/event_header.ts";
import { EventFlag, EventType, eventTypeName } from "../binlog/event_type.ts";
import {
  clearInUseFlag,
  decodeFormatDescription,
  patchFormatDescription,
} from "../binlog/format_description.ts";
import { MalformedEventError } from "../binlog/malformed_event_error.ts";
import { decodeMariadbGtidList } from "../binlog/mariadb_gtid_list.ts";
import { decodePreviousGtids } from "../binlog/previous_gtids.ts";
import { GtidSet } from "../gtid/gtid_set.ts";
import { formatMariadbGtidPosition } from "../gtid/mariadb_gtid_position.ts";
import { MariadbGtidState } from "../gtid/mariadb_gtid_state.ts";
import {
  type BinlogStore,
  FIRST_POSITION,
  type StoredFile,
} from "../store/binlog_store.ts";
import {
  type AppendFaultKind,
  EventAppender,
} from "../store/event_appender.ts";
import { sameBytes } from "../store/same_bytes.ts";
import { type BinlogPath, isNextName } from "./binlog_path.ts";
import { ImportError, type ImportFault } from "./import_error.ts";
import { type FileEnd, fileEnd } from "./file_end.ts";
import { RawEventFeeder } from "./raw_event_feeder.ts";

/** The first bytes of a binlog file, and those of an encrypted one. */
const MAGIC = "fe62696e";
const MAGIC_ENCRYPTED = "fd62696e";

/** The largest format description a server writes is far smaller. */
const FORMAT_BYTES_MAX = 4096;

/** The most bytes of a Previous_gtids or Gtid_list event. */
const PREVIOUS_GTIDS_BYTES_MAX = 64 * 1024 * 1024;

/** What a file says that came before it. */
interface FilePast {
  /** What its Previous_gtids have; empty if it has none. */
  readonly gtids: GtidSet;
  /** What its Gtid_list has; undefined for a file that no MariaDB wrote. */
  readonly mariadb: MariadbGtidState | undefined;
}

/** How files are imported. */
export interface ImportOptions {
  /** UUID of the server that wrote the files; empty if not known. */
  readonly serverUuid: string;
  /**
   * Whether the last file may end inside a transaction though its server closed
   * it. One that was open when its server died always may.
   */
  readonly acceptTornEnd: boolean;
  /** Told how many bytes of all files are done, now and then. */
  readonly onProgress?: (bytes: number) => void;
  /** Ends the import at the next transaction boundary. */
  readonly signal?: AbortSignal;
}

/** What became of one file. */
export interface ImportedFile {
  readonly name: string;
  /** Bytes that were added to the log; 0 when it was there already. */
  readonly bytes: number;
  /** Bytes at its end that are no whole transaction, and were left out. */
  readonly tornBytes: number;
  /** What an operator should know of it; undefined when all is as it should be. */
  readonly warning?: string;
}

/**
 * Appends binlog files to the log, with the checks that live data get. What is
 * in the log already is not imported again, so that an import that ended early
 * goes on where it was. At any time the log holds whole transactions only.
 *
 * @param store an empty log, or one that the files go on with
 * @param files in order, as `listBinlogPaths` has them
 * @returns what became of each
 * @throws {ImportError} when a file can't be imported; those before it, and its
 * own transactions up to the fault, are in the store
 * @throws {StoreError} when the store can't be written
 */
export async function importFiles(
  store: BinlogStore,
  files: readonly BinlogPath[],
  options: ImportOptions,
): Promise<ImportedFile[]> {
  const done: ImportedFile[] = [];
  let bytesBefore = 0;
  let brokenOff: string | undefined;
  for (const [index, file] of files.entries()) {
    if (options.signal?.aborted) break;
    const one = new FileImport(store, file, {
      ...options,
      isLast: index === files.length - 1,
      brokenOff,
      onProgress: (bytes) => options.onProgress?.(bytesBefore + bytes),
    });
    done.push(await one.run());
    brokenOff = one.isBrokenOff ? file.name : undefined;
    bytesBefore += file.size;
    options.onProgress?.(bytesBefore);
  }
  return done;
}

interface FileImportOptions extends ImportOptions {
  readonly isLast: boolean;
  /** The file before it, if that broke off inside a transaction. */
  readonly brokenOff: string | undefined;
  readonly onProgress: (bytes: number) => void;
}

/** The import of one file. */
class FileImport {
  readonly #store: BinlogStore;
  readonly #path: BinlogPath;
  readonly #options: FileImportOptions;
  readonly #appender: EventAppender;
  readonly #feeder: RawEventFeeder;
  #warning: string | undefined;
  /** Whether its end is the begin of a transaction that its server's crash cut. */
  isBrokenOff = false;

  constructor(
    store: BinlogStore,
    path: BinlogPath,
    options: FileImportOptions,
  ) {
    this.#store = store;
    this.#path = path;
    this.#options = options;
    this.#appender = new EventAppender(store.writer, {
      serverUuid: options.serverUuid,
      fault: (kind, message) => this.#error(FAULT_OF[kind], message),
    });
    this.#feeder = new RawEventFeeder(this.#appender);
  }

  async run(): Promise<ImportedFile> {
    const { name, size } = this.#path;
    const { writer } = this.#store;
    using file = await this.#open();
    const format = await this.#readFormat(file);
    this.#checkRestarted(format);
    const past = await this.#readPast(file, format);
    const stored = this.#store.fileByName(name);
    if (stored !== undefined) this.#checkSame(stored, format, past);
    if (stored !== undefined && !this.#goesOn(stored)) {
      return { name, bytes: 0, tornBytes: 0 };
    }
    const from = stored?.size ?? FIRST_POSITION;
    if (stored === undefined) {
      await this.#checkNext(past);
      this.#appender.startFile(name);
    } else {
      this.#appender.resumeFile(clean(format));
    }
    try {
      await this.#feed(file, from);
    } catch (error) {
      // What is whole before the fault stays; nothing of the rest is ever seen.
      if (error instanceof ImportError) await writer.rollback();
      throw error;
    }
    const cut = !this.#feeder.atEventEnd || this.#appender.inTransaction;
    if (cut && this.#mayBreakOff()) {
      // It is part of the file, as live data would have it, and no more comes.
      this.isBrokenOff = true;
      return {
        name,
        bytes: writer.position - from,
        tornBytes: 0,
        warning:
          `it ends inside a transaction at position ${writer.position}: its server crashed, and the transaction came to nothing`,
      };
    }
    await writer.rollback();
    // A file is in the log together with its second event.
    const isThere = writer.fileName === name;
    const end = isThere ? writer.position : from;
    const torn = cut || !isThere;
    const tornBytes = size - end;
    if (torn && !this.#options.signal?.aborted) {
      this.#checkTorn(format, end, tornBytes);
    }
    return {
      name,
      bytes: end - from,
      tornBytes: torn ? tornBytes : 0,
      ...(this.#warning === undefined ? {} : { warning: this.#warning }),
    };
  }

  /**
   * Whether the file may end inside a transaction, between two events: MariaDB
   * leaves it so after a crash, and goes on in the next file. `EventAppender`
   * takes such a file from a source as well.
   */
  #mayBreakOff(): boolean {
    return !this.#options.isLast && this.#feeder.atEventEnd &&
      this.#options.signal?.aborted !== true &&
      this.#store.writer.mariadb !== undefined &&
      this.#store.writer.fileName === this.#path.name;
  }

  /** After a file that broke off comes one of a server that was started anew. */
  #checkRestarted(format: Uint8Array): void {
    const { brokenOff } = this.#options;
    if (brokenOff === undefined) return;
    if (decodeFormatDescription(format).createdAt !== 0) return;
    throw this.#error(
      "torn",
      `${brokenOff} before it ends inside a transaction, and this one was not begun by a server that started: ${brokenOff} has lost its end`,
    );
  }

  async #open(): Promise<Deno.FsFile> {
    try {
      return await Deno.open(this.#path.path);
    } catch (cause) {
      throw this.#ioError(cause);
    }
  }

  /** Reads the magic number and the format description event, as it is. */
  async #readFormat(file: Deno.FsFile): Promise<Uint8Array> {
    const bytes = await this.#readUpTo(file, FORMAT_BYTES_MAX);
    const magic = bytes.subarray(0, FIRST_POSITION).toHex();
    if (magic === MAGIC_ENCRYPTED) {
      throw this.#error(
        "encrypted",
        "it is encrypted; get it from its server with mysqlbinlog --read-from-remote-server --raw",
      );
    }
    if (magic !== MAGIC) {
      throw this.#error(
        "not-a-binlog",
        `it begins with ${magic || "nothing"}, a binlog file with ${MAGIC}`,
      );
    }
    const events = bytes.subarray(FIRST_POSITION);
    if (
      events.length < HEADER_BYTES || eventSizeAt(events, 0) > events.length
    ) {
      throw this.#error(
        "torn",
        `it ends at position ${this.#path.size}, inside its format description`,
      );
    }
    if (eventTypeAt(events, 0) !== EventType.FORMAT_DESCRIPTION) {
      throw this.#error(
        "not-a-binlog",
        "its first event is no format description",
      );
    }
    const format = events.slice(0, eventSizeAt(events, 0));
    try {
      decodeFormatDescription(format);
    } catch (error) {
      if (!(error instanceof MalformedEventError)) throw error;
      throw this.#error("damaged", `${error.message} (at position 4)`);
    }
    return format;
  }

  /** A file of that name that is in the log must be the same one. */
  #checkSame(
    stored: StoredFile,
    format: Uint8Array,
    past: FilePast | undefined,
  ): void {
    const theirs = stored.mariadbStart;
    const same = sameBytes(clean(format), clean(stored.formatDescription)) &&
      (past === undefined ||
        stored.previousGtids.containsSet(past.gtids) &&
          (past.mariadb === theirs ||
            theirs !== undefined && past.mariadb?.equals(theirs) === true));
    if (same) return;
    throw this.#error(
      "other-history",
      `the store has another file of this name, made at ${
        timeOf(stored.formatDescription)
      } after ${
        pastText({ gtids: stored.previousGtids, mariadb: theirs })
      }; this one was made at ${timeOf(format)} after ${pastText(past)}`,
    );
  }

  /** Whether there is more in the file than the log has of it. */
  #goesOn(stored: StoredFile): boolean {
    const { size, path } = this.#path;
    if (stored.number === this.#store.head?.fileNumber) {
      return size > stored.size;
    }
    if (size <= stored.size) return false;
    throw this.#error(
      "other-history",
      `it has ${size} bytes, and the store went on after ${stored.size} of them (${path} was longer than what its server sent)`,
    );
  }

  /** How the newest file in the store ends. */
  async #endOf(last: StoredFile): Promise<FileEnd> {
    try {
      return await fileEnd(this.#store, last, this.#path.name);
    } catch (error) {
      if (!(error instanceof MalformedEventError)) throw error;
      throw this.#error(
        "order",
        `${last.name}, the newest file in the store, ends with a rotate that names no file, so nothing can follow it (${error.message})`,
        error,
      );
    }
  }

  /** Makes sure that the file is the next one, before any of it is written. */
  async #checkNext(past: FilePast | undefined): Promise<void> {
    const { name } = this.#path;
    const last = this.#store.files.at(-1);
    if (last === undefined) return;
    const end = await this.#endOf(last);
    if (
      end === "rotates-elsewhere" ||
      end !== "rotates" && !isNextName(last.name, name)
    ) {
      throw this.#error(
        "order",
        `it does not follow ${last.name}, the newest file in the store`,
      );
    }
    if (past === undefined) return;
    const { missing, surplus } = this.#compare(past);
    if (missing !== "") {
      throw this.#error(
        "other-history",
        `it follows transactions that the store does not have: ${missing}`,
      );
    }
    if (surplus !== "") {
      throw this.#error(
        "other-history",
        `the store has transactions that the file does not follow: ${surplus}`,
      );
    }
    // Without GTIDs nothing but its end tells whether the last file is whole.
    if (end !== "open") return;
    if (this.#options.brokenOff !== undefined) return;
    if (!past.gtids.isEmpty || past.mariadb?.isEmpty === false) {
      this.#warning =
        `the file before it, ${last.name}, ends at position ${last.size} without a rotate, as when its server crashed; no transaction is missing between them`;
      return;
    }
    throw this.#error(
      "order",
      `the newest file in the store, ${last.name}, ends at position ${last.size} without saying that it does: import it, too, so that the rest of it is not missing`,
    );
  }

  /** What the file follows that is not here, and what is here that it does not follow. */
  #compare(past: FilePast): { missing: string; surplus: string } {
    const { executed, mariadb } = this.#store.writer;
    if ((mariadb === undefined) !== (past.mariadb === undefined)) {
      const [file, store] = past.mariadb === undefined
        ? ["MySQL", "MariaDB"]
        : ["MariaDB", "MySQL"];
      throw this.#error(
        "other-history",
        `it is a file of ${file}, and the store has those of ${store}`,
      );
    }
    if (mariadb === undefined || past.mariadb === undefined) {
      return {
        missing: past.gtids.subtract(executed).toString(),
        surplus: executed.subtract(past.gtids).toString(),
      };
    }
    const list = past.mariadb;
    // A domain that nobody uses any more can be deleted from the state.
    const surplus = list.missing(mariadb).filter(({ domain }) =>
      list.lastOf(domain) !== undefined
    );
    return {
      missing: formatMariadbGtidPosition(mariadb.missing(list)),
      surplus: formatMariadbGtidPosition(surplus),
    };
  }

  /**
   * What the file's second event says that came before; nothing if it is another
   * one, undefined if the file ends inside it.
   */
  async #readPast(
    file: Deno.FsFile,
    format: Uint8Array,
  ): Promise<FilePast | undefined> {
    const { checksumAlgorithm } = decodeFormatDescription(format);
    let position = FIRST_POSITION + format.length;
    let header = await this.#readHeader(file, position);
    if (
      header && eventTypeAt(header, 0) === EventType.MARIADB_START_ENCRYPTION
    ) {
      position += eventSizeAt(header, 0);
      header = await this.#readHeader(file, position);
      if (header !== undefined) this.#checkPlain(header, position);
    }
    const type = header && eventTypeAt(header, 0);
    if (
      header === undefined ||
      type !== EventType.PREVIOUS_GTIDS && type !== EventType.MARIADB_GTID_LIST
    ) return { gtids: new GtidSet(), mariadb: undefined };
    const size = Math.min(eventSizeAt(header, 0), PREVIOUS_GTIDS_BYTES_MAX);
    if (position + size > this.#path.size) return undefined;
    const rest = await this.#readUpTo(file, Math.max(0, size - HEADER_BYTES));
    const event = new Uint8Array(HEADER_BYTES + rest.length);
    event.set(header);
    event.set(rest, HEADER_BYTES);
    try {
      if (type === EventType.PREVIOUS_GTIDS) {
        const gtids = decodePreviousGtids(event, checksumAlgorithm);
        return { gtids, mariadb: undefined };
      }
      const { state } = decodeMariadbGtidList(event, checksumAlgorithm);
      return { gtids: new GtidSet(), mariadb: state };
    } catch (cause) {
      throw this.#error(
        "damaged",
        `its ${
          eventTypeName(type)
        } event at position ${position} can't be read`,
        cause,
      );
    }
  }

  /** The header of the event at a position; undefined if the file ends before. */
  async #readHeader(
    file: Deno.FsFile,
    position: number,
  ): Promise<Uint8Array | undefined> {
    await file.seek(position, Deno.SeekMode.Start);
    const header = await this.#readUpTo(file, HEADER_BYTES);
    return header.length < HEADER_BYTES ? undefined : header;
  }

  /**
   * Makes sure that a MariaDB file which says that it is encrypted is not: its
   * server decrypts what it sends, and leaves that event in.
   */
  #checkPlain(header: Uint8Array, position: number): void {
    if (logPosAt(header, 0) === position + eventSizeAt(header, 0)) return;
    throw this.#error(
      "encrypted",
      "it is encrypted, and only its server has the key; get it from there with mariadb-binlog --read-from-remote-server --raw, or let kingbus follow that server, which sends it decrypted",
    );
  }

  async #feed(file: Deno.FsFile, from: number): Promise<void> {
    const { writer } = this.#store;
    const { onProgress, signal } = this.#options;
    await file.seek(from, Deno.SeekMode.Start);
    let at = from;
    while (!signal?.aborted) {
      const { room } = this.#feeder;
      const count = await this.#read(file, room);
      if (count === 0) break;
      // The server's own copy of a file it did not close says "in use"; what it
      // sends to replicas never does.
      if (at === FIRST_POSITION && count > HEADER_BYTES) clearInUseFlag(room);
      this.#feeder.taken(count);
      writer.endOfInput();
      at += count;
      onProgress(at);
      const ready = writer.ready();
      if (ready !== undefined) await ready;
    }
  }

  /** Whether the file may end as it does. */
  #checkTorn(format: Uint8Array, position: number, tornBytes: number): void {
    const inUse = (flagsAt(format, 0) & EventFlag.BINLOG_IN_USE) !== 0;
    const { isLast, acceptTornEnd } = this.#options;
    if (isLast && (inUse || acceptTornEnd)) return;
    throw this.#error(
      "torn",
      `it ends inside a transaction: the last ${tornBytes} bytes, from position ${position} on, are not whole. What comes before is imported. ${
        isLast
          ? "If the file can't be had whole, --accept-torn-end leaves the rest out"
          : "Files after it can't be imported without the rest"
      }`,
    );
  }

  async #readUpTo(file: Deno.FsFile, bytesMax: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(bytesMax);
    let used = 0;
    while (used < bytesMax) {
      const count = await this.#read(file, bytes.subarray(used));
      if (count === 0) break;
      used += count;
    }
    return bytes.subarray(0, used);
  }

  async #read(file: Deno.FsFile, room: Uint8Array): Promise<number> {
    try {
      return await file.read(room) ?? 0;
    } catch (cause) {
      throw this.#ioError(cause);
    }
  }

  #ioError(cause: unknown): ImportError {
    return this.#error("io", "it can't be read", cause);
  }

  #error(fault: ImportFault, message: string, cause?: unknown): ImportError {
    return new ImportError(fault, this.#path.path, message, { cause });
  }
}

const FAULT_OF: Readonly<Record<AppendFaultKind, ImportFault>> = {
  stream: "damaged",
  hole: "other-history",
  repeat: "other-history",
};

/** A format description as replicas get it. */
function clean(format: Uint8Array): Uint8Array {
  return patchFormatDescription(format, { clearPosition: false });
}

/** What a file follows, for people. */
function pastText(past: FilePast | undefined): string {
  return past?.mariadb?.toString() || past?.gtids.toString() ||
    "no transactions";
}

/** When the file was made, by its server's clock. */
function timeOf(format: Uint8Array): string {
  return new Date(timestampAt(format, 0) * 1000).toISOString();
}
