import type { ChecksumAlgorithm } from "../binlog/checksum.ts";
import {
  flavourOfVersion,
  SOURCE_IDENTITY_META,
  type SourceIdentity,
} from "../store/source_identity.ts";
import type { ServerTls } from "./server_tls.ts";
import type { CompressionAlgorithm } from "../protocol/compression.ts";
import type { ServerFacts } from "./server_facts.ts";
import type { SemiSyncOffer } from "./server_options.ts";
import type { ServerStore } from "./server_store.ts";

/** Name of the value that says who this server is. */
const OWN_IDENTITY_META = "server/identity";

/** The server id and uuid of this server itself. */
export interface OwnIdentity {
  /** Decimal text. */
  readonly serverId: string;
  readonly uuid: string;
}

/** What `loadOwnIdentity` makes a new identity from. */
export interface IdentityOptions {
  /** A server id to use whatever is kept; undefined: the one kept. */
  readonly serverId?: number | undefined;
  /** A new UUID. */
  readonly randomUuid: () => string;
  /** A new random number, 0..2^32-1. */
  readonly randomU32: () => number;
}

/**
 * What MariaDB before 11 has in front of its version in greetings, since MySQL
 * replicas of its time took `10` for 1.
 */
const MARIADB_PREFIX = /^5\.5\.5-/;

/** The log's properties before a source was seen. */
const DEFAULTS = {
  gtidMode: "ON",
  binlogFormat: "ROW",
  binlogChecksum: "CRC32",
  binlogRowImage: "FULL",
} as const;

/**
 * Own server ids are made in the upper half of 31 bits: few people's are
 * there, and MySQL's own error log shows larger ones as negative.
 */
const OWN_SERVER_ID_MIN = 0x4000_0000;

/**
 * The source's identity as the store has it; undefined before a source was
 * followed.
 */
export async function loadSourceIdentity(
  store: Pick<ServerStore, "getMeta">,
): Promise<SourceIdentity | undefined> {
  const value = await store.getMeta(SOURCE_IDENTITY_META);
  const kept = stringsOf(value);
  const { serverId, uuid, version } = kept;
  if (serverId === undefined || version === undefined) return undefined;
  // A MariaDB server has no UUID.
  const flavour = kept.flavour === undefined
    ? flavourOfVersion(version)
    : kept.flavour === "mariadb"
    ? "mariadb"
    : "mysql";
  if (uuid === undefined && flavour === "mysql") return undefined;
  return {
    flavour,
    serverId,
    uuid: uuid ?? "",
    version,
    gtidMode: kept.gtidMode ?? DEFAULTS.gtidMode,
    binlogFormat: kept.binlogFormat ?? DEFAULTS.binlogFormat,
    binlogChecksum: kept.binlogChecksum ?? DEFAULTS.binlogChecksum,
    binlogRowImage: kept.binlogRowImage ?? DEFAULTS.binlogRowImage,
    ...kept.binlogRowMetadata === undefined
      ? {}
      : { binlogRowMetadata: kept.binlogRowMetadata },
    ...kept.gtidDomainId === undefined
      ? {}
      : { gtidDomainId: kept.gtidDomainId },
    ...kept.gtidStrictMode === undefined
      ? {}
      : { gtidStrictMode: kept.gtidStrictMode },
  };
}

/**
 * This server's own identity, made at the first call and kept in the store from
 * then on, so that replicas see one and the same server whatever its source. A
 * new server id differs from the source's, because a replica drops the events
 * that carry its own source's id twice in a ring.
 */
export async function loadOwnIdentity(
  store: ServerStore,
  options: IdentityOptions,
): Promise<OwnIdentity> {
  const kept = stringsOf(await store.getMeta(OWN_IDENTITY_META));
  let { serverId, uuid } = kept;
  if (serverId === undefined || uuid === undefined) {
    const source = await loadSourceIdentity(store);
    serverId ??= newServerId(options.randomU32, source?.serverId);
    uuid ??= options.randomUuid();
    await store.setMeta(OWN_IDENTITY_META, { serverId, uuid });
  }
  return { serverId: options.serverId?.toString() ?? serverId, uuid };
}

function newServerId(
  randomU32: () => number,
  sourceServerId: string | undefined,
): string {
  const id = OWN_SERVER_ID_MIN + randomU32() % OWN_SERVER_ID_MIN;
  if (id.toString() !== sourceServerId) return id.toString();
  // the neighbour in the same half
  return ((id ^ 1) >>> 0).toString();
}

/** What `serverFactsOf` puts together. */
export interface FactSources {
  /** Whose server id and uuid to give. */
  readonly identity: "own" | "source";
  readonly own: OwnIdentity;
  readonly source: SourceIdentity | undefined;
  /**
   * How the events of the log's newest file end, which is what the source has
   * now: it begins a file when that is switched. Undefined for an empty log.
   */
  readonly newestChecksum?: ChecksumAlgorithm | undefined;
  /**
   * Version of the server that wrote the log's newest file, by its format
   * description; undefined for an empty log. It tells what a log is that was
   * imported, whose source was never seen.
   */
  readonly logVersion?: string | undefined;
  /** How clients may come over TLS; undefined if they may not. */
  readonly tls?: ServerTls | undefined;
  /** Version to give before a source was seen. */
  readonly defaultVersion: string;
  readonly versionComment: string;
  readonly hostName: string;
  readonly port: number;
  readonly connectionsMax: number;
  readonly semiSync?: SemiSyncOffer | undefined;
  readonly compression?: readonly CompressionAlgorithm[] | undefined;
}

/**
 * Who this server says it is. The source's identity is given only once it is
 * known; the log's properties are always the source's.
 */
export function serverFactsOf(from: FactSources): ServerFacts {
  const { own, source } = from;
  const log = source ?? DEFAULTS;
  const speaker = from.identity === "source" && source !== undefined
    ? source
    : own;
  const flavour = source?.flavour ?? flavourOfVersion(from.logVersion ?? "");
  const unseenVersion = flavour === "mariadb" && from.logVersion !== undefined
    ? from.logVersion
    : from.defaultVersion;
  return {
    flavour,
    awaitsSource: source === undefined && from.logVersion === undefined,
    serverId: speaker.serverId,
    serverUuid: speaker.uuid === "" ? own.uuid : speaker.uuid,
    version: source?.version.replace(MARIADB_PREFIX, "") ?? unseenVersion,
    greetingVersion: source?.version ?? unseenVersion,
    versionComment: from.versionComment,
    gtidMode: log.gtidMode,
    binlogFormat: log.binlogFormat,
    binlogChecksum: from.newestChecksum?.toUpperCase() ?? log.binlogChecksum,
    binlogRowImage: log.binlogRowImage,
    binlogRowMetadata: source?.binlogRowMetadata,
    gtidDomainId: source?.gtidDomainId,
    gtidStrictMode: source?.gtidStrictMode === "1",
    hostName: from.hostName,
    port: from.port,
    connectionsMax: from.connectionsMax,
    semiSync: from.semiSync,
    tls: from.tls,
    compression: from.compression,
  };
}

/** The properties of a kept value that are non-empty strings. */
function stringsOf(value: unknown): Partial<Record<string, string>> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] =>
      typeof entry[1] === "string" && entry[1] !== ""
    ),
  );
}
