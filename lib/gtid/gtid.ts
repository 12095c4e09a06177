import { isCanonicalUuid } from "./uuid.ts";

/** Smallest transaction number of a GTID. */
export const GNO_MIN = 1n;

/**
 * Largest transaction number of a GTID. One less than the largest signed 64-bit
 * integer, because encoded intervals end one past their last number
 * (`sql/rpl_gtid.h`, GNO_END).
 */
export const GNO_MAX = 2n ** 63n - 2n;

/** Largest number of characters in a tag (MySQL 8.3 and later). */
export const TAG_LENGTH_MAX = 32;

const CANONICAL_TAG = /^[a-z_][a-z0-9_]{0,31}$/;

/**
 * The global identifier of one transaction, as in the MySQL manual, "GTID
 * Format and Storage".
 */
export interface Gtid {
  /** UUID of the server the transaction was first committed on: lower-case, 36 characters. */
  readonly uuid: string;
  /** The tag of MySQL 8.3 and later, lower-case; "" if the GTID has none. */
  readonly tag: string;
  /** Transaction number, from {@linkcode GNO_MIN} to {@linkcode GNO_MAX}. */
  readonly gno: bigint;
}

/**
 * Says whether a text is a tag in canonical form: a lower-case letter or `_`,
 * then at most 31 lower-case letters, digits or `_`.
 *
 * @param text What to look at.
 * @returns True for a canonical tag; false for the empty text, which stands for "no tag".
 */
export function isCanonicalTag(text: string): boolean {
  return CANONICAL_TAG.test(text);
}

/**
 * Reads the decimal text of a transaction number.
 *
 * @param text Digits only.
 * @returns The number, or undefined if the text is not a number from 1 to {@linkcode GNO_MAX}.
 */
export function parseGno(text: string): bigint | undefined {
  // The length is bounded before BigInt sees the text: its cost grows with it.
  if (!/^[0-9]{1,40}$/.test(text)) return undefined;
  const gno = BigInt(text);
  return gno >= GNO_MIN && gno <= GNO_MAX ? gno : undefined;
}

/**
 * Reads the text form of a GTID.
 *
 * @param text `uuid:number` or `uuid:tag:number`; upper case and surrounding white space are accepted.
 * @returns The GTID in canonical form.
 * @throws {SyntaxError} If the text is anything else.
 *
 * @example
 * ```ts
 * parseGtid("3E11FA47-71CA-11E1-9E33-C80AA9429562:blue:23").tag; // "blue"
 * ```
 */
export function parseGtid(text: string): Gtid {
  const parts = text.trim().toLowerCase().split(":");
  const uuid = parts[0] ?? "";
  const tag = parts.length === 3 ? parts[1] ?? "" : "";
  const gno = parseGno(parts.at(-1) ?? "");
  if (
    (parts.length !== 2 && parts.length !== 3) || !isCanonicalUuid(uuid) ||
    (parts.length === 3 && !isCanonicalTag(tag)) || gno === undefined
  ) {
    throw new SyntaxError(
      `Cannot parse GTID: expected "uuid:number" or "uuid:tag:number", got "${
        text.slice(0, 128)
      }"`,
    );
  }
  return { uuid, tag, gno };
}

/**
 * Writes a GTID as MySQL does in `GTID_NEXT`.
 *
 * @param gtid The GTID.
 * @returns `uuid:number`, or `uuid:tag:number` if it has a tag.
 */
export function formatGtid(gtid: Gtid): string {
  return gtid.tag === ""
    ? `${gtid.uuid}:${gtid.gno}`
    : `${gtid.uuid}:${gtid.tag}:${gtid.gno}`;
}
