import {
  formatMariadbGtid,
  type MariadbGtid,
  parseMariadbGtid,
} from "./mariadb_gtid.ts";

/** Two GTIDs of one domain where a position has one: see {@linkcode parseMariadbGtidPosition}. */
export class DuplicateGtidDomainError extends SyntaxError {
  /** The GTID that came first. */
  readonly first: MariadbGtid;
  /** The other one of the same domain. */
  readonly second: MariadbGtid;

  constructor(first: MariadbGtid, second: MariadbGtid) {
    // In the words of MariaDB's ER_DUPLICATE_GTID_DOMAIN.
    super(
      `GTID ${formatMariadbGtid(first)} and ${
        formatMariadbGtid(second)
      } conflict (duplicate domain id ${second.domain})`,
    );
    this.name = "DuplicateGtidDomainError";
    this.first = first;
    this.second = second;
  }
}

/**
 * Reads a position in a MariaDB log by GTID: how far somebody is in each
 * domain, as in `@@gtid_slave_pos` and in the `@slave_connect_state` that a
 * replica sets before its dump (`slave_connection_state` in MariaDB's
 * `sql/rpl_gtid.cc`).
 *
 * @param text GTIDs separated by commas, with white space around them or not;
 *   nothing at all for the position before the first transaction.
 * @returns The GTIDs in the order of the text, at most one of each domain.
 * @throws {DuplicateGtidDomainError} If two are of one domain.
 * @throws {SyntaxError} If the text is anything else.
 *
 * @example
 * ```ts
 * parseMariadbGtidPosition("0-1-5,1-2-7").length; // 2
 * ```
 */
export function parseMariadbGtidPosition(text: string): MariadbGtid[] {
  if (text.trim() === "") return [];
  const byDomain = new Map<number, MariadbGtid>();
  for (const part of text.split(",")) {
    const gtid = parseMariadbGtid(part);
    const first = byDomain.get(gtid.domain);
    if (first !== undefined) throw new DuplicateGtidDomainError(first, gtid);
    byDomain.set(gtid.domain, gtid);
  }
  return [...byDomain.values()];
}

/**
 * Writes a position as MariaDB does in `@@gtid_binlog_pos`.
 *
 * @param gtids One for each domain.
 * @returns The GTIDs separated by commas; "" for none.
 */
export function formatMariadbGtidPosition(
  gtids: readonly MariadbGtid[],
): string {
  return gtids.map(formatMariadbGtid).join(",");
}
