import type { RetentionSettings } from "../config/options.ts";

/** The limits of `retention:` by the names of their keys. */
export type LimitName = "size" | "age" | "files" | "free-disk";

/** What is looked at of a file. */
export interface PlannedFile {
  /** Order in the log. */
  readonly number: number;
  /** Bytes. */
  readonly size: number;
  /** When its first event was made, in Unix seconds; 0 if it is not known. */
  readonly firstTimestamp: number;
  /** When its last event was made, in Unix seconds; 0 if it is not known. */
  readonly lastTimestamp: number;
}

/** Something that needs the log from one file on. */
export interface FileNeed {
  /** Number of the first file it needs; 0: everything. */
  readonly fileNumber: number;
}

/** The limits as numbers; undefined is none. */
export type RetentionLimits = Pick<
  RetentionSettings,
  "bytesMax" | "ageMaxMs" | "filesMax" | "freeDiskBytesMin"
>;

/** What a plan is made from. */
export interface PlanInput<Need extends FileNeed> {
  /** The log's files, oldest first; the last one is being written. */
  readonly files: readonly PlannedFile[];
  readonly limits: RetentionLimits;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  /**
   * Bytes that can still be written: free on the disk, and free for new files
   * inside the database. Undefined when it is not known: nothing is removed
   * for it then.
   */
  readonly freeBytes: number | undefined;
  readonly needs: readonly Need[];
}

/** What is to be removed, and what keeps it from being more. */
export interface PurgePlan<Need extends FileNeed> extends HeldPurge<Need> {
  /** Files with lower numbers would go if nobody needed them. */
  readonly wantedUpTo: number;
  /** The limits that ask for files to go, whether they may or not. */
  readonly asking: readonly LimitName[];
  /** The limits that are still not kept when the plan has been carried out. */
  readonly unkept: readonly LimitName[];
}

/** How far a purge may go. */
export interface HeldPurge<Need extends FileNeed> {
  /** Files with lower numbers go. */
  readonly upTo: number;
  /** Who needs files that should have gone, the one that needs most first. */
  readonly heldBy: readonly Need[];
}

/** What one limit asks for. */
interface Wish {
  readonly name: LimitName;
  /** How many files are to go. */
  readonly count: number;
  /** Whether the limit is kept then. */
  readonly enough: boolean;
}

/**
 * Decides which files have to go: whole files, oldest first, as many as the
 * strictest limit asks for, up to the first one somebody needs. The file being
 * written always stays.
 */
export function planPurge<Need extends FileNeed>(
  input: PlanInput<Need>,
): PurgePlan<Need> {
  const { files, needs } = input;
  const wishes = wishesOf(input);
  const count = Math.max(0, ...wishes.map((wish) => wish.count));
  const wantedUpTo = files[count]?.number ?? 0;
  const { upTo, heldBy } = holdBack(files, wantedUpTo, needs);
  const going = files.filter(({ number }) => number < upTo).length;
  return {
    upTo,
    heldBy,
    wantedUpTo,
    asking: wishes.filter((wish) => wish.count > 0).map(({ name }) => name),
    unkept: wishes.filter((wish) => !wish.enough || wish.count > going)
      .map(({ name }) => name),
  };
}

/**
 * Where a purge of all files before `wantedUpTo` has to stop because somebody
 * needs one of them.
 *
 * @param wantedUpTo number of the first file that is to stay
 */
export function holdBack<Need extends FileNeed>(
  files: readonly PlannedFile[],
  wantedUpTo: number,
  needs: readonly Need[],
): HeldPurge<Need> {
  const oldest = files[0]?.number ?? 0;
  const heldBy = needs.filter(({ fileNumber }) => fileNumber < wantedUpTo)
    .sort((a, b) => a.fileNumber - b.fileNumber);
  if (wantedUpTo <= oldest) return { upTo: oldest, heldBy: [] };
  const first = heldBy[0];
  if (first === undefined) return { upTo: wantedUpTo, heldBy };
  return { upTo: Math.max(oldest, first.fileNumber), heldBy };
}

/**
 * How many files, from the oldest on, ended before a time. The one being
 * written counts as well; it is the caller's to keep it.
 *
 * @param timeMs milliseconds since 1970
 */
export function countFilesBefore(
  files: readonly PlannedFile[],
  timeMs: number,
): number {
  const index = files.findIndex((file, at) => {
    const end = endOf(file, files[at + 1]);
    return end === 0 || end * 1000 >= timeMs;
  });
  return index < 0 ? files.length : index;
}

/**
 * When a file ended. Sessions can set the time of their events to anything;
 * but no file ended after the next one had begun.
 */
function endOf(file: PlannedFile, next: PlannedFile | undefined): number {
  const { lastTimestamp } = file;
  const nextBegan = next?.firstTimestamp ?? 0;
  return nextBegan === 0 ? lastTimestamp : Math.min(lastTimestamp, nextBegan);
}

function wishesOf(input: PlanInput<FileNeed>): Wish[] {
  const { files, limits, nowMs, freeBytes } = input;
  const { bytesMax, ageMaxMs, filesMax, freeDiskBytesMin } = limits;
  // What could go: all but the file being written.
  const closed = files.slice(0, -1);
  const wishes: Wish[] = [];
  if (bytesMax !== undefined) {
    const bytes = files.reduce((sum, { size }) => sum + size, 0);
    wishes.push(wishForBytes("size", closed, bytes - bytesMax));
  }
  if (ageMaxMs !== undefined) {
    const aged = countFilesBefore(files, nowMs - ageMaxMs);
    const count = Math.min(aged, closed.length);
    wishes.push({ name: "age", count, enough: true });
  }
  if (filesMax !== undefined) {
    const surplus = Math.max(0, files.length - filesMax);
    const count = Math.min(surplus, closed.length);
    wishes.push({ name: "files", count, enough: true });
  }
  if (freeDiskBytesMin !== undefined && freeBytes !== undefined) {
    wishes.push(
      wishForBytes("free-disk", closed, freeDiskBytesMin - freeBytes),
    );
  }
  return wishes;
}

/** As many files as have together at least `bytes`. */
function wishForBytes(
  name: LimitName,
  files: readonly PlannedFile[],
  bytes: number,
): Wish {
  let count = 0;
  let missing = bytes;
  while (missing > 0 && count < files.length) {
    missing -= files[count++]!.size;
  }
  return { name, count, enough: missing <= 0 };
}
