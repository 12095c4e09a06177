import type { GtidSet } from "../gtid/gtid_set.ts";
import type { MariadbGtid } from "../gtid/mariadb_gtid.ts";
import { formatMariadbGtidPosition } from "../gtid/mariadb_gtid_position.ts";
import { MariadbGtidState } from "../gtid/mariadb_gtid_state.ts";
import {
  type BinlogStore,
  FIRST_POSITION,
  type StoredFile,
  type StoreHead,
} from "../store/binlog_store.ts";
import { originOf, type SourceIdentity } from "../store/source_identity.ts";
import { FileNames } from "./file_names.ts";
import type { FollowerContext } from "./log_follower.ts";
import { checkMariadbSwitch } from "./mariadb_switch_check.ts";
import { type ResumePoint, resumePoint, startPoint } from "./resume_point.ts";
import type { GtidTaker } from "./log_order.ts";
import { isSameFile } from "./same_file.ts";
import { SourceError } from "./source_error.ts";
import type { SourceSession } from "./source_session.ts";
import { checkSwitch } from "./switch_check.ts";

/** What to ask the source for, and what to know when it comes. */
export interface DumpPlan {
  /** A file and position of the source, or what the log has. */
  readonly from:
    | ResumePoint
    | { readonly executed: GtidSet }
    | { readonly after: readonly MariadbGtid[] };
  /** For the one who takes it. */
  readonly context: FollowerContext;
}

/** A file of the source that ends inside an event, as a crash can leave it. */
export interface TornFile {
  /** The source's name for it. */
  readonly fileName: string;
  /** Position behind the last whole transaction. */
  readonly position: number;
}

/** A log as it is; nobody writes to it meanwhile. */
export type PlannedLog = Pick<
  BinlogStore,
  "head" | "files" | "fileByName" | "writer"
>;

/** What a plan is made with, besides the session. */
export interface PlanParts {
  /** The log that is to go on. */
  readonly store: PlannedLog;
  /** Where an empty log begins. */
  readonly start: string;
  /** Does something on a connection of its own, which may be of no use after. */
  aside<Result>(use: (session: SourceSession) => Promise<Result>): Promise<
    Result
  >;
  /**
   * Where the source said that its file is torn: it goes on with the next one.
   * See `DumpHistory`.
   */
  readonly tornAt?: TornFile | undefined;
  /** How long the source may be silent while it is read aside, in ms. */
  readonly readTimeoutMs: number;
}

/**
 * Finds how the log goes on with a source, after making sure that it can:
 *
 * | newest file of the log | goes on |
 * |---|---|
 * | none | at the begin of a file, by `start` |
 * | from this server, whole so far | by file and position |
 * | from this server, spliced | by GTID |
 * | from a server not known, and this one has the same file | by file and position |
 * | from another server | by GTID |
 *
 * @throws {SourceError} when it can't
 */
export async function planDump(
  session: SourceSession,
  source: SourceIdentity,
  parts: PlanParts,
): Promise<DumpPlan> {
  const { head, files } = parts.store;
  const newest = files.at(-1);
  if (head === undefined || newest === undefined) {
    const from = await startPoint(session, parts.start, source.flavour);
    const { closedFiles } = from;
    const names = new FileNames({ last: undefined });
    return { from, context: { closedFiles, names } };
  }
  checkFlavour(source, head);
  if (originOf(source) !== newest.serverUuid) {
    if (await isUnknownsFile(session, source, newest, parts)) {
      return await goOnByPosition(session, source, newest, parts);
    }
    await checkOther(session, source, parts);
    const names = namesAfter(newest, parts.store, true);
    const splice = { open: undefined, fresh: true };
    return { from: afterHead(head), context: { names, splice } };
  }
  if (!newest.spliced) {
    return await goOnByPosition(session, source, newest, parts);
  }
  await checkHas(session, head);
  const names = namesAfter(newest, parts.store, false);
  const open = newest.closed ? undefined : newest.formatDescription;
  return {
    from: afterHead(head),
    context: { names, splice: { open, fresh: false } },
  };
}

/** What a dump by GTID has to leave out. */
function afterHead(
  { executed, mariadb }: StoreHead,
): { executed: GtidSet } | { after: MariadbGtid[] } {
  return mariadb === undefined ? { executed } : { after: mariadb.position() };
}

/**
 * Makes sure that a log of the one kind of server is not gone on with by the
 * other.
 *
 * @throws {SourceError} `other-flavour`
 */
function checkFlavour(source: SourceIdentity, head: StoreHead): void {
  const flavour = head.mariadb === undefined ? "mysql" : "mariadb";
  if (source.flavour === flavour) return;
  const name = { mysql: "MySQL", mariadb: "MariaDB" };
  throw new SourceError(
    "other-flavour",
    `The source is a ${
      name[source.flavour]
    } server (${source.version}), and the log came from a ${
      name[flavour]
    } server: their GTIDs and events differ, so that no replica could read on. Point kingbus at a ${
      name[flavour]
    } server, or give it an empty data-dir to follow this one`,
  );
}

/** Makes sure that another server can take the place of the one before. */
async function checkOther(
  session: SourceSession,
  source: SourceIdentity,
  { store, aside, readTimeoutMs }: PlanParts,
): Promise<void> {
  const { executed, lastGtid, mariadb } = store.head!;
  const { serverUuid } = store.files.at(-1)!;
  const inOrder = (fileName: string, taker: GtidTaker) =>
    aside((other) => other.gtidsInOrder(fileName, taker, readTimeoutMs));
  if (mariadb === undefined) {
    const log = { executed, serverUuid, lastGtid };
    await checkSwitch(
      session,
      source,
      log,
      (name, mysql) => inOrder(name, { mysql }),
    );
    return;
  }
  const begin = store.files[0]?.mariadbStart ?? new MariadbGtidState();
  await checkMariadbSwitch(
    session,
    source,
    { state: mariadb, begin, serverUuid },
    (name, take) => inOrder(name, { mariadb: take }),
  );
}

/**
 * Whether a source that has been followed, and sends nothing, has more than the
 * log.
 *
 * @param isByGtid whether its dump began by GTID
 * @throws {SourceError} when it could not be gone on with, were it asked anew
 */
export async function hasMore(
  session: SourceSession,
  source: SourceIdentity,
  log: PlannedLog,
  isByGtid: boolean,
): Promise<boolean> {
  const { head, files } = log;
  const newest = files.at(-1);
  if (head === undefined || newest === undefined) return false;
  const isWhole = newest.serverUuid === originOf(source)
    ? !newest.spliced
    : !isByGtid;
  if (!isWhole) {
    await checkHas(session, head);
    if (head.mariadb !== undefined) {
      return !head.mariadb.contains(await session.mariadbState());
    }
    return !head.executed.containsSet(await session.executedGtids());
  }
  await goOnByPosition(session, source, newest, { store: log });
  const { name, size } = (await session.files()).at(-1)!;
  return name !== newest.sourceName ||
    !hasEnded(newest) && size !== log.writer.position;
}

/** After a rotate that was renamed the positions need not be the source's. */
function hasEnded({ closed, name, sourceName }: StoredFile): boolean {
  return closed && name !== sourceName;
}

async function goOnByPosition(
  session: SourceSession,
  source: SourceIdentity,
  newest: StoredFile,
  { store, tornAt }: Pick<PlanParts, "store" | "tornAt">,
): Promise<DumpPlan> {
  const { sourceName } = newest;
  const isTorn = tornAt?.fileName === sourceName &&
    tornAt.position === store.writer.position;
  const fileEnded = hasEnded(newest) || isTorn;
  const there = await resumePoint(session, source, {
    fileName: sourceName,
    position: fileEnded ? FIRST_POSITION : store.writer.position,
    executed: store.head!.executed,
    mariadb: store.head!.mariadb,
    files: store.files.filter((file) =>
      file.serverUuid === newest.serverUuid && !file.spliced
    ).map(({ sourceName: name, formatDescription }) => ({
      name,
      formatDescription,
    })),
  });
  const from = fileEnded
    ? { ...there, fileName: await fileAfter(session, sourceName) }
    : there;
  return {
    from,
    context: {
      resumed: newest.formatDescription,
      closedFiles: from.closedFiles,
      names: namesAfter(newest, store, false),
      fileEnded,
    },
  };
}

/** The file the source began after `name`, which has ended. */
async function fileAfter(
  session: SourceSession,
  name: string,
): Promise<string> {
  const files = await session.files();
  const at = files.findIndex((file) => file.name === name);
  const next = files[at + 1]?.name;
  if (at >= 0 && next !== undefined) return next;
  throw new SourceError(
    "lost",
    `The source has no file after ${name} yet, which has ended`,
  );
}

/**
 * Whether the log ends in a file of a server that is not known (it was
 * imported), and the source has that very file, and as much of it at least.
 */
async function isUnknownsFile(
  session: SourceSession,
  source: SourceIdentity,
  newest: StoredFile,
  { store, aside }: PlanParts,
): Promise<boolean> {
  if (newest.serverUuid !== "" || originOf(source) === "") return false;
  const file = (await session.files()).find(({ name }) =>
    name === newest.sourceName
  );
  if (file === undefined || file.size < store.writer.position) return false;
  const format = await aside((other) => other.formatDescription(file.name));
  return isSameFile(format, newest.formatDescription);
}

/** A server that we follow by GTID must still have what it sent. */
async function checkHas(
  session: SourceSession,
  { executed, mariadb }: StoreHead,
): Promise<void> {
  if (mariadb !== undefined) {
    const theirs = await session.mariadbState();
    const missing = mariadb.position().filter((gtid) => !theirs.has(gtid));
    // What is purged the source says itself when it is asked for it.
    if (missing.length === 0) return;
    throw lostThere(formatMariadbGtidPosition(missing));
  }
  const lost = executed.subtract(await session.executedGtids());
  if (!lost.isEmpty) throw lostThere(`${lost}`);
  const purged = (await session.purgedGtids()).subtract(executed);
  if (purged.isEmpty) return;
  throw new SourceError(
    "purged",
    `The source has purged transactions that come next: ${purged}. Take a server that still has them; else give kingbus an empty data-dir. Let the source keep its files longer (binlog_expire_logs_seconds)`,
  );
}

function lostThere(lost: string): SourceError {
  return new SourceError(
    "source-lost-events",
    `The source does not have transactions that it once sent: ${lost}. It was reset, has lost the end of its log, or was restored from a backup. kingbus goes on serving what it has: make a replica that has it all the source. To follow this one as it is now, give kingbus an empty data-dir`,
  );
}

function namesAfter(
  last: StoredFile,
  store: PlannedLog,
  switched: boolean,
): FileNames {
  return new FileNames({
    last,
    switched,
    isTaken: (name) => store.fileByName(name) !== undefined,
  });
}
