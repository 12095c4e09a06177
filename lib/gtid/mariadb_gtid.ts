/** Largest domain id and server id of a MariaDB GTID: both have 32 bits. */
const U32_MAX = 0xffff_ffff;

/** Largest sequence number of a MariaDB GTID: an unsigned integer of 64 bits. */
export const SEQUENCE_MAX = 2n ** 64n - 1n;

/** Three numbers of at most as many digits as their largest value has. */
const GTID = /^(\d{1,10})-(\d{1,10})-(\d{1,20})$/;

/**
 * The global identifier of one transaction of a MariaDB server, as in the
 * MariaDB documentation, "Global Transaction ID".
 */
export interface MariadbGtid {
  /** Replication domain, 0..2^32-1: sequences count up in each by itself. */
  readonly domain: number;
  /** Server id of the server that wrote the transaction first, 0..2^32-1. */
  readonly server: number;
  /** Sequence number, up to {@linkcode SEQUENCE_MAX}. */
  readonly sequence: bigint;
}

/**
 * Reads the text form of a MariaDB GTID.
 *
 * @param text `domain-server-sequence` in decimal; white space around it is accepted.
 * @returns The GTID.
 * @throws {SyntaxError} If the text is anything else.
 *
 * @example
 * ```ts
 * parseMariadbGtid("0-1-100").sequence; // 100n
 * ```
 */
export function parseMariadbGtid(text: string): MariadbGtid {
  const match = GTID.exec(text.trim());
  if (match !== null) {
    const domain = Number(match[1]);
    const server = Number(match[2]);
    const sequence = BigInt(match[3]!);
    if (domain <= U32_MAX && server <= U32_MAX && sequence <= SEQUENCE_MAX) {
      return { domain, server, sequence };
    }
  }
  throw new SyntaxError(
    `Cannot parse MariaDB GTID: expected "domain-server-sequence", got "${
      text.slice(0, 128)
    }"`,
  );
}

/**
 * Writes a MariaDB GTID as the server does in `@@last_gtid`.
 *
 * @param gtid The GTID.
 * @returns `domain-server-sequence`.
 */
export function formatMariadbGtid(gtid: MariadbGtid): string {
  return `${gtid.domain}-${gtid.server}-${gtid.sequence}`;
}
