import { GtidSet } from "../gtid/gtid_set.ts";
import { type MariadbGtid, parseMariadbGtid } from "../gtid/mariadb_gtid.ts";

/** Where an export ends: before a time, or after a transaction. */
export type StopAt =
  | {
    readonly kind: "time";
    /** Seconds since 1970. */
    readonly seconds: number;
    /** As it was given. */
    readonly text: string;
  }
  | {
    readonly kind: "gtid";
    /** Holds the one GTID. */
    readonly set: GtidSet;
    /** As it was given. */
    readonly text: string;
  }
  | {
    readonly kind: "mariadb";
    /** The GTID of a MariaDB log. */
    readonly gtid: MariadbGtid;
    /** As it was given. */
    readonly text: string;
  };

const TIME =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?)?(Z|[+-]\d\d:\d\d)?$/i;

/**
 * Reads a time, `2026-05-01 12:00:00` in this machine's time zone (as
 * `mysqlbinlog --stop-datetime`) or RFC 3339 with a zone of its own, or a GTID,
 * MariaDB's too. (`2026-05-01` is a time.)
 *
 * @throws {SyntaxError} when it is neither
 */
export function parseStopAt(text: string): StopAt {
  const time = TIME.exec(text.trim());
  if (time !== null) {
    return { kind: "time", seconds: secondsOf(text, time), text };
  }
  try {
    if (/^\s*\d+-\d+-\d+\s*$/.test(text)) {
      return { kind: "mariadb", gtid: parseMariadbGtid(text), text };
    }
    const set = GtidSet.parse(text);
    if (set.count() === 1n) return { kind: "gtid", set, text };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new SyntaxError(
    `${
      JSON.stringify(text)
    } is neither a time like 2026-05-01 12:00:00 (local) or 2026-05-01T12:00:00Z, nor a GTID`,
  );
}

function secondsOf(text: string, time: RegExpExecArray): number {
  const [year, month, day, hour, minute, second] = time.slice(1, 7).map((
    part,
  ) => Number(part ?? 0)) as [number, number, number, number, number, number];
  const zone = time[8];
  const utc = Date.UTC(year, month - 1, day, hour, minute, second);
  const date = new Date(utc);
  // Date counts 31 February as 3 March.
  const isReal = date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
  const ms = zone === undefined
    ? new Date(year, month - 1, day, hour, minute, second).getTime()
    : utc - zoneMs(zone);
  if (!isReal || Number.isNaN(ms)) {
    throw new SyntaxError(`${JSON.stringify(text)} is not a time`);
  }
  // Events have whole seconds: one of that second is before its fractions.
  return Math.ceil(ms / 1000 + Number(time[7] ?? 0));
}

function zoneMs(zone: string): number {
  if (/^z$/i.test(zone)) return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4));
  return (zone.startsWith("-") ? -minutes : minutes) * 60_000;
}
