import type { Flavour } from "../store/source_identity.ts";
import type { ServerTls } from "./server_tls.ts";
import type { CompressionAlgorithm } from "../protocol/compression.ts";
import type { SemiSyncOffer } from "./server_options.ts";

/**
 * Who this server says it is, to every replica: of its own or of the source,
 * as `server.identity` has it, the rest always the source's.
 */
export interface ServerFacts {
  /** The source's kind of server; "mysql" before one was seen. */
  readonly flavour: Flavour;
  /** Server id as decimal text, 1..2^32-1. */
  readonly serverId: string;
  readonly serverUuid: string;
  /** `@@version`, beginning with a digit. */
  readonly version: string;
  /**
   * Version of the greeting: the same, in MariaDB before 11 with `5.5.5-` in
   * front, which its replicas expect.
   */
  readonly greetingVersion: string;
  /**
   * True while nothing is known of the log that is to come: neither its
   * flavour nor its version.
   */
  readonly awaitsSource?: boolean | undefined;
  /** `@@version_comment`. */
  readonly versionComment: string;
  /** The source's `@@GLOBAL.gtid_mode`. */
  readonly gtidMode: string;
  /** The source's `@@GLOBAL.binlog_format`. */
  readonly binlogFormat: string;
  /** The source's `@@GLOBAL.binlog_checksum`: `CRC32` or `NONE`. */
  readonly binlogChecksum: string;
  /** The source's `@@GLOBAL.binlog_row_image`. */
  readonly binlogRowImage: string;
  /** The source's `@@GLOBAL.binlog_row_metadata`; absent if it has none. */
  readonly binlogRowMetadata?: string | undefined;
  /** The source's `@@GLOBAL.gtid_domain_id`; absent if it has none. */
  readonly gtidDomainId?: string | undefined;
  /** The source's `@@GLOBAL.gtid_strict_mode`. */
  readonly gtidStrictMode?: boolean | undefined;
  /** Host name of the machine, for `@@hostname`. */
  readonly hostName: string;
  /** Port this server listens on. */
  readonly port: number;
  /** Semi-synchronous replication; undefined while it is not offered. */
  readonly semiSync?: SemiSyncOffer | undefined;
  /** How clients may come over TLS; undefined if they may not. */
  readonly tls?: ServerTls | undefined;
  /** How many clients may be logged in at once. */
  readonly connectionsMax: number;
  /** How connections may be compressed. */
  readonly compression?: readonly CompressionAlgorithm[] | undefined;
}
