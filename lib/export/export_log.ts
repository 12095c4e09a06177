import { GtidSet } from "../gtid/gtid_set.ts";
import {
  FIRST_POSITION,
  type LogReader,
  type StoredFile,
} from "../store/binlog_store.ts";
import { EventScanner } from "../store/event_scanner.ts";
import type { LogSnapshot } from "../store/log_snapshot.ts";
import { Unframer } from "../store/unframer.ts";
import { ExportError } from "./export_error.ts";
import {
  type ExportedFile,
  ExportFolder,
  isExportableName,
  originOf,
} from "./export_folder.ts";
import { findStop, type StopPoint } from "./find_stop.ts";
import { GtidFilter } from "./gtid_filter.ts";
import { RawFileWriter } from "./raw_file_writer.ts";
import type { StopAt } from "./stop_at.ts";

/** What is exported, and where to. */
export interface ExportOptions {
  /** The folder. */
  readonly to: string;
  /** Name of the first file; the oldest one if absent. */
  readonly from?: string | undefined;
  /** Only these transactions. */
  readonly gtids?: GtidSet | undefined;
  /** Where to stop; at the log's end if absent. */
  readonly stopAt?: StopAt | undefined;
  /** Whether what is in the way in the folder may go. */
  readonly overwrite?: boolean;
  /** Told of every step: bytes of the log that are done, and all of them. */
  readonly progress?: (done: number, total: number) => void;
  /** Ends the export early; what is under its own name by then is whole. */
  readonly signal?: AbortSignal;
}

/** What became of one file. */
export interface ExportedFileReport {
  /** Its name. */
  readonly name: string;
  /** Bytes of it in the folder. */
  readonly size: number;
  /**
   * `kept`: it was there already; `replaced`: less of it was there; `written`.
   */
  readonly state: "written" | "replaced" | "kept";
  /**
   * Why it is not all of the file: `open` when the source was still writing
   * it, `stopped` when the export was to stop in it; absent when it is all.
   */
  readonly cut?: "open" | "stopped";
}

/** What an export did. */
export interface ExportReport {
  /** The folder. */
  readonly to: string;
  /** The files that are in it as wanted, oldest first. */
  readonly files: readonly ExportedFileReport[];
  /** Bytes written. */
  readonly written: number;
  /** Where in the log the export ends: before it all, from it nothing. */
  readonly end: { readonly file: string; readonly position: number };
  /** Whether that is where the export was told to stop, not the log's end. */
  readonly stopped: boolean;
  /** Transactions written, when only some were wanted. */
  readonly transactions?: number;
  /** Those that were wanted and are not in the log; empty if there are none. */
  readonly missing: string;
}

/** A file of the log up to where it is exported. */
interface PlannedFile {
  readonly file: StoredFile;
  readonly end: number;
  readonly whole: boolean;
  readonly cut: "open" | "stopped" | undefined;
  /** What earlier files of the export have, where only some are wanted. */
  readonly previous: GtidSet;
}

/** What the first bytes of a binlog file are: `BINLOG_MAGIC` in MySQL. */
const MAGIC = new Uint8Array([0xfe, 0x62, 0x69, 0x6e]);

/** A block, unframed, is not larger. */
const SLICE_BYTES_MAX = 65_536;

/**
 * Writes files of the log into a folder as binlog files. What is there already
 * from an earlier export of the same log stays; a file gets its name when all
 * of it is on disk.
 *
 * @throws {ExportError} when there is nothing to export, the folder holds
 * something else, or it can't be written
 * @throws {StoreError} when the log can't be read
 */
export async function exportLog(
  log: LogSnapshot,
  options: ExportOptions,
): Promise<ExportReport> {
  const { gtids, signal } = options;
  const first = firstFile(log, options.from);
  const stop = options.stopAt === undefined
    ? undefined
    : await findStop(log, first.number, options.stopAt, signal);
  const plan = planFiles(log, first, stop, gtids);
  const folder = await ExportFolder.open({
    path: options.to,
    gtids: gtids?.toString(),
    overwrite: options.overwrite ?? false,
  }, log.files);
  if (options.overwrite !== true) checkPlan(folder, plan);
  const run = new ExportRun(log, options, folder, plan);
  return await run.all(stop);
}

function firstFile(log: LogSnapshot, name: string | undefined): StoredFile {
  const oldest = log.files[0];
  if (oldest === undefined) {
    throw new ExportError("nothing", "Nothing to export: the log is empty");
  }
  if (name === undefined) return oldest;
  const file = log.fileByName(name);
  if (file !== undefined) return file;
  throw new ExportError(
    "nothing",
    `Nothing to export: the log has no file ${name}; it has ${oldest.name} to ${
      log.files.at(-1)!.name
    }`,
  );
}

function planFiles(
  log: LogSnapshot,
  first: StoredFile,
  stop: StopPoint | undefined,
  gtids: GtidSet | undefined,
): PlannedFile[] {
  const plan: PlannedFile[] = [];
  const previous = new GtidSet();
  // How many of them there are up to the last one with a wanted transaction.
  let wanted = 0;
  const { files } = log;
  for (const [index, file] of files.entries()) {
    if (file.number < first.number) continue;
    if (stop !== undefined && file.number > stop.fileNumber) break;
    checkName(file.name);
    const end = file.number === stop?.fileNumber ? stop.position : file.size;
    const whole = file.closed && end === file.size;
    // The log's last file may have ended without a newer one being visible.
    const isOpen = !file.closed && end === file.size;
    const cut = whole ? undefined : isOpen ? "open" : "stopped";
    if (gtids === undefined) {
      plan.push({ file, end, whole, cut, previous });
      continue;
    }
    const after = files[index + 1]?.previousGtids ?? log.head!.executed;
    const here = after.subtract(file.previousGtids).intersect(gtids);
    // Files in between stay, so that no number is missing.
    if (here.isEmpty && plan.length === 0) continue;
    plan.push({ file, end, whole, cut, previous: previous.clone() });
    if (here.isEmpty) continue;
    previous.addSet(here);
    wanted = plan.length;
  }
  if (gtids === undefined) return plan;
  if (wanted > 0) return plan.slice(0, wanted);
  throw new ExportError(
    "nothing",
    `Nothing to export: no file from ${first.name} on has any of the transactions ${gtids}`,
  );
}

/** Names come from the source: none of them may lead out of the folder. */
function checkName(name: string): void {
  if (isExportableName(name)) return;
  throw new ExportError(
    "log",
    `Cannot export ${JSON.stringify(name)}: that is no name of a file`,
  );
}

/** Refuses what would have to be overwritten, before anything is written. */
function checkPlan(folder: ExportFolder, plan: readonly PlannedFile[]): void {
  for (const { file, end } of plan) {
    const path = folder.pathOf(file.name);
    const size = folder.sizeOf(file.name);
    const entry = folder.entry(file.name);
    if (size === undefined) continue;
    if (entry === undefined) {
      throw inTheWay(path, "it is not from an earlier export");
    }
    if (entry.end > end) {
      throw inTheWay(
        path,
        `it was exported up to position ${entry.end}, and now only ${end} is wanted`,
      );
    }
  }
}

function inTheWay(path: string, why: string): ExportError {
  return new ExportError(
    "target",
    `Cannot export ${path}: ${why}; choose another folder, or --overwrite`,
  );
}

/** One export under way. */
class ExportRun {
  readonly #log: LogSnapshot;
  readonly #options: ExportOptions;
  readonly #folder: ExportFolder;
  readonly #plan: readonly PlannedFile[];
  readonly #total: number;
  #done = 0;
  #written = 0;
  #transactions = 0;

  constructor(
    log: LogSnapshot,
    options: ExportOptions,
    folder: ExportFolder,
    plan: readonly PlannedFile[],
  ) {
    this.#log = log;
    this.#options = options;
    this.#folder = folder;
    this.#plan = plan;
    this.#total = plan.reduce((sum, { end }) => sum + end, 0);
  }

  async all(stop: StopPoint | undefined): Promise<ExportReport> {
    const { gtids, to } = this.#options;
    const files: ExportedFileReport[] = [];
    for (const planned of this.#plan) files.push(await this.#one(planned));
    const last = this.#plan.at(-1)!;
    const end = stop === undefined
      ? { file: last.file.name, position: last.end }
      : {
        file: this.#log.files.find(({ number }) => number === stop.fileNumber)!
          .name,
        position: stop.position,
      };
    return {
      to,
      files,
      written: this.#written,
      end,
      stopped: stop !== undefined,
      ...(gtids === undefined ? {} : { transactions: this.#transactions }),
      missing: gtids?.subtract(readableGtids(this.#log)).toString() ?? "",
    };
  }

  /** Brings one file into the folder, unless it is there. */
  async #one(planned: PlannedFile): Promise<ExportedFileReport> {
    const { file, end, cut } = planned;
    const report = (state: ExportedFileReport["state"], size: number) => ({
      name: file.name,
      size,
      state,
      ...(cut === undefined ? {} : { cut }),
    });
    const entry = this.#folder.entry(file.name);
    if (entry !== undefined && await this.#has(planned, entry)) {
      this.#done += end;
      this.#tell();
      return report("kept", entry.size);
    }
    const size = await this.#write(planned, entry);
    return report(entry === undefined ? "written" : "replaced", size);
  }

  /** Whether the folder has the file as it is wanted. */
  async #has(planned: PlannedFile, entry: ExportedFile): Promise<boolean> {
    const { file, end } = planned;
    const size = this.#folder.sizeOf(file.name);
    if (size === entry.size) return entry.end === end;
    if (await this.#folder.takePartial(entry)) return entry.end === end;
    if (size === undefined || this.#options.overwrite === true) return false;
    throw inTheWay(
      this.#folder.pathOf(file.name),
      `it has ${size} bytes, and ${entry.size} were exported`,
    );
  }

  async #write(
    planned: PlannedFile,
    entry: ExportedFile | undefined,
  ): Promise<number> {
    const { file, end, whole } = planned;
    const prefix = this.#options.overwrite === true ? undefined : entry;
    const path = this.#folder.pathOf(file.name);
    const writer = await RawFileWriter.create(path, prefix);
    try {
      writer.append(MAGIC);
      const start = { fileNumber: file.number, position: FIRST_POSITION };
      const reader = await this.#log.openReader(start);
      const { gtids } = this.#options;
      if (gtids === undefined) await this.#copy(reader, writer, planned);
      else await this.#filter(reader, writer, planned, gtids);
      await writer.finish();
      const { size, checksum } = writer;
      await this.#folder.finish({
        name: file.name,
        serverUuid: file.serverUuid,
        origin: originOf(file),
        end,
        whole,
        size,
        checksum,
      });
      this.#written += size;
      return size;
    } catch (error) {
      await writer.abandon();
      throw error;
    }
  }

  async #copy(
    reader: LogReader,
    writer: RawFileWriter,
    { file, end }: PlannedFile,
  ): Promise<void> {
    const unframer = new Unframer();
    this.#done += FIRST_POSITION;
    while (writer.size < end) {
      const bytes = await this.#next(reader, file, writer.size);
      writer.reserve(SLICE_BYTES_MAX);
      const before = writer.used;
      writer.used = unframer.copy(bytes, writer.buffer, before);
      // The last slice may go beyond where the export stops.
      const surplus = writer.size - end;
      if (surplus > 0) writer.used -= surplus;
      this.#done += writer.used - before;
      this.#tell();
      await writer.drain();
    }
  }

  async #filter(
    reader: LogReader,
    writer: RawFileWriter,
    planned: PlannedFile,
    gtids: GtidSet,
  ): Promise<void> {
    const { file, end, previous } = planned;
    const filter = new GtidFilter(writer, file, gtids, previous, end);
    const scanner = new EventScanner(filter, FIRST_POSITION);
    const before = this.#done;
    while (scanner.position < end || scanner.isInside) {
      scanner.push(await this.#next(reader, file, scanner.position));
      this.#done = before + Math.min(scanner.position, end);
      this.#tell();
      await writer.drain();
    }
    this.#done = before + end;
    this.#transactions += filter.transactions;
  }

  async #next(
    reader: LogReader,
    file: StoredFile,
    position: number,
  ): Promise<Uint8Array> {
    this.#options.signal?.throwIfAborted();
    const next = reader.next();
    const slice = next instanceof Promise ? await next : next;
    if (slice !== undefined) return slice.bytes;
    throw new ExportError(
      "log",
      `Cannot export ${file.name}: the log's file ends at position ${position}, expected ${file.size}; kingbus verify tells more`,
    );
  }

  #tell(): void {
    this.#options.progress?.(this.#done, this.#total);
  }
}

/** The transactions that the log's files hold. */
function readableGtids(log: LogSnapshot): GtidSet {
  const { executed, purged } = log.head!;
  return executed.subtract(purged);
}
