import { GtidSet } from "../gtid/gtid_set.ts";
import type { SourceIdentity } from "../store/source_identity.ts";
import { SourceError } from "./source_error.ts";
import type { SourceSession } from "./source_session.ts";

/** What the log has that is to go on with another server. */
export interface LogHistory {
  /** GTIDs of all it has. */
  readonly executed: GtidSet;
  /** UUID of the server its newest file came from. */
  readonly serverUuid: string;
  /** GTID of its newest transaction as text; empty if there is none. */
  readonly lastGtid: string;
}

/** Hands out the GTIDs of one of the server's files, in the file's order. */
export type GtidsInOrder = (
  fileName: string,
  take: (uuid: string, tag: string, gno: bigint) => void,
) => Promise<void>;

/**
 * Makes sure that the log can go on with another server than the one it came
 * from, and that nobody who has read the log could tell:
 *
 * 1. the server has every transaction that the log has;
 * 2. it can still send every one that the log does not have;
 * 3. in its log all of these come after those: no transaction that the log lacks
 *    stands before one that it has. One that does was executed on the server
 *    while it was a replica, on its own (it is errant): the log would have it at
 *    another place, after transactions that it may contradict.
 *
 * The third is decided by what each file's Previous_gtids say. Only of the one
 * file in which the last transaction of the log is, the order inside counts: if
 * it has some of both kinds it is read once. Out of order are not transactions
 * of the server that wrote the log's newest one, or its newest file: a replica
 * that applies in parallel may commit those in another order.
 *
 * @param log what is there
 * @param order for the file that has to be read
 * @throws {SourceError} `other-source` without GTIDs, `behind`, `purged` or
 * `errant`
 */
export async function checkSwitch(
  session: SourceSession,
  source: SourceIdentity,
  log: LogHistory,
  order: GtidsInOrder,
): Promise<void> {
  const from =
    `The source is server ${source.uuid}, the log came from server ${log.serverUuid}`;
  if (source.gtidMode !== "ON" || source.uuid === "") {
    throw new SourceError(
      "other-source",
      `${from}; another server can only be followed by GTID, and this one has gtid_mode ${source.gtidMode}. Point kingbus at the server that the log came from, or give it another data-dir`,
    );
  }
  // Before the files: what comes meanwhile is then at the end of both.
  const executed = await session.executedGtids();
  const lacking = log.executed.subtract(executed);
  if (!lacking.isEmpty) throw await behind(session, from, `${lacking}`);
  const purged = (await session.purgedGtids()).subtract(log.executed);
  if (!purged.isEmpty) {
    throw purgedThere(from, `${purged}`);
  }
  const errant = await findErrant(session, source, log, executed, order);
  if (errant.isEmpty) return;
  throw errantThere(from, `${errant}`);
}

/** The error for a server that has purged what the log lacks; see `behind`. */
export function purgedThere(from: string, purged: string): SourceError {
  return new SourceError(
    "purged",
    `${from}, and it has purged transactions that the log does not have: ${purged}. Take a server that still has them, or append the files that hold them with 'kingbus import'; else give kingbus an empty data-dir`,
  );
}

/** The error for a server with a history of its own; see `behind`. */
export function errantThere(from: string, errant: string): SourceError {
  return new SourceError(
    "errant",
    `${from}, and it has executed transactions of its own before some that the log has: ${errant}. They are not part of the log's history. Take another server, or rebuild this one from a backup of one without them. If they changed nothing, make that history the same everywhere: commit an empty transaction with each of these GTIDs on the server that the log came from while that can still be followed`,
  );
}

/**
 * The error for a server that lacks what the log has.
 *
 * @param from says which server it is, and which one the log came from
 * @param lacking the GTIDs as text
 */
export async function behind(
  session: SourceSession,
  from: string,
  lacking: string,
): Promise<SourceError> {
  const help = await session.replicates()
    ? "It is a replica itself and may still get them: kingbus tries again until it has them"
    : "It is no replica (any more), so it will not get them by itself: let it replicate from kingbus, which serves them, or take a server that has them; kingbus tries again until it has them";
  return new SourceError(
    "behind",
    `${from}, and it lacks transactions that the log has: ${lacking}. ${help}`,
  );
}

async function findErrant(
  session: SourceSession,
  source: SourceIdentity,
  log: LogHistory,
  executed: GtidSet,
  order: GtidsInOrder,
): Promise<GtidSet> {
  if (log.executed.containsSet(executed)) return new GtidSet();
  const origins = originsOf(log, source);
  const purged = await session.purgedGtids();
  let until = executed;
  for (const { name } of (await session.files()).toReversed()) {
    const before = (await session.previousGtids(name)).union(purged);
    if (before.containsSet(log.executed)) {
      // All of the log is in files before this one.
      until = before;
      continue;
    }
    const errant = withoutOrigins(before.subtract(log.executed), origins);
    if (!log.executed.containsSet(until.subtract(before))) {
      errant.addSet(await errantInside(name, log, origins, order));
    }
    return errant;
  }
  return new GtidSet();
}

/** The errant ones of a file that holds both, by reading it. */
async function errantInside(
  fileName: string,
  log: LogHistory,
  origins: readonly string[],
  order: GtidsInOrder,
): Promise<GtidSet> {
  const errant = new GtidSet();
  let lacking = new GtidSet();
  await order(fileName, (uuid, tag, gno) => {
    if (!log.executed.has(uuid, tag, gno)) {
      if (!origins.includes(uuid)) lacking.add(uuid, tag, gno);
    } else if (!lacking.isEmpty) {
      errant.addSet(lacking);
      lacking = new GtidSet();
    }
  });
  return errant;
}

/** Servers whose transactions another one may have in another order. */
function originsOf(log: LogHistory, source: SourceIdentity): string[] {
  const newest = log.lastGtid.split(":")[0]!;
  return [log.serverUuid, newest].filter((uuid) =>
    uuid !== "" && uuid !== source.uuid
  );
}

function withoutOrigins(set: GtidSet, origins: readonly string[]): GtidSet {
  return origins.reduce(
    (rest, uuid) => rest.subtract(rest.restrictedTo(uuid)),
    set,
  );
}
