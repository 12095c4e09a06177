import { formatMariadbGtid, type MariadbGtid } from "../gtid/mariadb_gtid.ts";
import { formatMariadbGtidPosition } from "../gtid/mariadb_gtid_position.ts";
import type { MariadbGtidState } from "../gtid/mariadb_gtid_state.ts";
import { originOf, type SourceIdentity } from "../store/source_identity.ts";
import type { SourceSession } from "./source_session.ts";
import { behind, errantThere, purgedThere } from "./switch_check.ts";

/** What a MariaDB log has that is to go on with another server. */
export interface MariadbLogHistory {
  /** Its state at the head. */
  readonly state: MariadbGtidState;
  /** Its state before its first file. */
  readonly begin: MariadbGtidState;
  /** What its newest file came from; see `originOf`. */
  readonly serverUuid: string;
}

/** Hands out the GTIDs of one of the server's files, in the file's order. */
export type MariadbGtidsInOrder = (
  fileName: string,
  take: (gtid: MariadbGtid) => void,
) => Promise<void>;

/**
 * As `checkSwitch`, for MariaDB: makes sure that the log can go on with another
 * server than the one it came from. In each domain
 *
 * 1. the server's log has the newest transaction that the log has;
 * 2. it still has every one that comes after that;
 * 3. before that it has none that the log lacks: in a domain all servers have
 *    the same order, so one that stands there was executed on the server on its
 *    own, while it was a replica.
 *
 * @param log what is there
 * @param order for the file that has to be read
 * @throws {SourceError} `behind`, `purged` or `errant`
 */
export async function checkMariadbSwitch(
  session: SourceSession,
  source: SourceIdentity,
  log: MariadbLogHistory,
  order: MariadbGtidsInOrder,
): Promise<void> {
  const from = `The source is server ${
    originOf(source)
  }, the log came from server ${log.serverUuid}`;
  const position = log.state.position();
  const theirs = await session.mariadbState();
  const lacking = position.filter((gtid) => !theirs.has(gtid));
  if (lacking.length > 0) {
    throw await behind(session, from, formatMariadbGtidPosition(lacking));
  }
  if (log.state.contains(theirs)) return;
  let before = theirs;
  for (const { name } of (await session.files()).toReversed()) {
    before = await session.mariadbStateBefore(name);
    if (!before.isBefore(position)) continue;
    const errant = before.entries().filter((gtid) => isErrant(gtid, log));
    await order(name, errantBefore(position, log, errant));
    if (errant.length === 0) return;
    throw errantThere(from, errant.map(formatMariadbGtid).join(","));
  }
  throw purgedThere(
    from,
    `some of those up to ${formatMariadbGtidPosition(before.position())}`,
  );
}

/**
 * Whether the log lacks a transaction that stands before some that it has. Of
 * servers that wrote before the log began it need not know.
 */
function isErrant(
  gtid: MariadbGtid,
  { state, begin }: MariadbLogHistory,
): boolean {
  const begun = begin.lastOf(gtid.domain);
  return !state.has(gtid) &&
    (begun === undefined || gtid.sequence > begun.sequence);
}

/** Takes a file's GTIDs, and adds to `errant` what stands before `position`. */
function errantBefore(
  position: readonly MariadbGtid[],
  log: MariadbLogHistory,
  errant: MariadbGtid[],
): (gtid: MariadbGtid) => void {
  const passed = new Map<number, MariadbGtid[]>();
  const newest = new Set(position.map(formatMariadbGtid));
  return (gtid) => {
    const own = passed.get(gtid.domain) ?? [];
    passed.set(gtid.domain, own);
    if (newest.has(formatMariadbGtid(gtid))) errant.push(...own);
    else if (isErrant(gtid, log)) own.push(gtid);
  };
}
