import type { Address } from "../config/address.ts";
import type { Compression } from "../protocol/compression.ts";
import type { SourceTls } from "./source_tls.ts";

/** Whom to follow, and how. */
export interface SourceOptions {
  /** Host name or address, an IPv6 one without brackets. */
  readonly hostname: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** Our server id towards the source; no other replica may have it. */
  readonly serverId: number;
  /** Our UUID towards the source. */
  readonly uuid: string;
  /** Our name in the source's list of replicas. */
  readonly name: string;
  /** Where an empty log begins: `oldest`, `newest`, or a GTID set. */
  readonly start: string;
  /** How often an idle source is to say that it is there, in ms. */
  readonly heartbeatMs: number;
  /** After this long without a byte the connection is given up, in ms. */
  readonly readTimeoutMs: number;
  /** Limit of dialling and logging in, in ms. */
  readonly connectTimeoutMs: number;
  /** Whether to acknowledge what is durable, if the source can wait for it. */
  readonly semiSync?: boolean;
  /** How to secure the connection; not at all if absent. */
  readonly tls?: SourceTls | undefined;
  /** How to compress the connection; not at all if absent. */
  readonly compression?: Compression | undefined;
  /** Servers to follow in its place when it is lost, in order; none if absent. */
  readonly candidates?: readonly Address[] | undefined;
  /** How long it may be lost before they are tried, in ms; 30 s if absent. */
  readonly switchAfterMs?: number | undefined;
}
