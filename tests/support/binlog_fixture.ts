import { decodeEventHeader } from "../../lib/binlog/event_header.ts";
import type { ChecksumAlgorithm } from "../../lib/binlog/checksum.ts";

/** Folders of tests/fixtures/binlog. */
export const FIXTURE_SERVERS = ["mysql56", "mysql97", "mariadb1011"] as const;
export type FixtureServer = typeof FIXTURE_SERVERS[number];

/** What a separate program found out about an event; see the README of the fixtures. */
export interface FixtureEventTruth {
  readonly pos: number;
  readonly type: number;
  readonly timestamp: number;
  readonly server_id: number;
  readonly size: number;
  readonly log_pos: number;
  readonly flags: number;
  readonly crc32_ok?: boolean;
  readonly gtid?: string;
  readonly gtid_set?: string;
  readonly db?: string;
  readonly query?: string;
  readonly rotate_to?: [string, number];
}

/** What a separate program found out about a file. */
export interface FixtureTruth {
  readonly size: number;
  readonly fde: {
    readonly binlog_version: number;
    readonly server_version: string;
    readonly create_timestamp: number;
    readonly post_header_lengths: number[];
    readonly checksum_alg: number;
  };
  readonly previous_gtids?: string;
  readonly executed_after?: string;
  readonly gtids_in_file: string[];
  readonly event_list: FixtureEventTruth[];
}

/** One event of a captured file. */
export interface FixtureEvent {
  readonly position: number;
  readonly type: number;
  /** The whole event. */
  readonly bytes: Uint8Array;
  readonly truth: FixtureEventTruth;
}

/** A captured binlog file with what is known about it. */
export interface BinlogFixture {
  readonly server: FixtureServer;
  readonly name: string;
  /** The whole file, magic number included. */
  readonly bytes: Uint8Array;
  readonly truth: FixtureTruth;
  readonly algorithm: ChecksumAlgorithm;
  readonly events: FixtureEvent[];
}

const ROOT = new URL("../fixtures/binlog/", import.meta.url);

/** Reads one captured file. */
export function loadBinlogFixture(
  server: FixtureServer,
  name: string,
): BinlogFixture {
  const bytes = Deno.readFileSync(new URL(`${server}/${name}`, ROOT));
  const truth: FixtureTruth = JSON.parse(
    Deno.readTextFileSync(new URL(`${server}/${name}.json`, ROOT)),
  );
  const events: FixtureEvent[] = [];
  let position = 4;
  while (position < bytes.length) {
    const { type, eventSize } = decodeEventHeader(bytes, position);
    events.push({
      position,
      type,
      bytes: bytes.subarray(position, position + eventSize),
      truth: truth.event_list[events.length]!,
    });
    position += eventSize;
  }
  return {
    server,
    name,
    bytes,
    truth,
    algorithm: truth.fde.checksum_alg === 1 ? "crc32" : "none",
    events,
  };
}

/** Reads every captured file of a server, in order. */
export function loadBinlogFixtures(server: FixtureServer): BinlogFixture[] {
  return [...Deno.readDirSync(new URL(`${server}/`, ROOT))]
    .filter((entry) => entry.name.endsWith(".json"))
    .map((entry) => entry.name.slice(0, -".json".length))
    .sort()
    .map((name) => loadBinlogFixture(server, name));
}

/** The Event_type column of the server's own SHOW BINLOG EVENTS, or undefined for a file it was not asked about. */
export function loadShownEventTypes(
  server: FixtureServer,
  name: string,
): { position: number; name: string }[] | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync(new URL(`${server}/${name}.events.tsv`, ROOT));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  return text.trimEnd().split("\n").slice(1).map((line) => {
    const columns = line.split("\t");
    return { position: Number(columns[1]), name: columns[2]! };
  });
}

/**
 * The Event_type and Info columns of the server's own SHOW BINLOG EVENTS, or
 * undefined for a file it was not asked about.
 */
export function loadShownEvents(
  server: FixtureServer,
  name: string,
): { type: string; info: string }[] | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync(new URL(`${server}/${name}.events.tsv`, ROOT));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  return text.replace(/\n$/, "").split("\n").slice(1).map((line) => {
    const columns = line.split("\t");
    const info = (columns[5] ?? "").replace(
      /\\([nt\\])/g,
      (_, letter) => letter === "n" ? "\n" : letter === "t" ? "\t" : "\\",
    );
    return { type: columns[2]!, info };
  });
}
