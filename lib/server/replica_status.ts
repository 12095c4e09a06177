import type { TlsFacts } from "../connection/tls_layer.ts";
import type { CompressionAlgorithm } from "../protocol/compression.ts";
import type { AckStatus } from "./dump_handler.ts";

/** A connected replica, as the status answers show it. */
export interface ReplicaStatus {
  /** Decimal text, for KILL. */
  readonly connectionId: string;
  /** "ip:port" or "[ip]:port". */
  readonly remote: string;
  readonly user: string;
  /** Decimal text; "0" if it has not said. */
  readonly serverId: string;
  /** Empty if it has not said. */
  readonly uuid: string;
  /** The replica's `report_host`, usually empty. */
  readonly hostName: string;
  /** The replica's port. */
  readonly port: number;
  readonly state: "connected" | "dumping";
  /** How it asked for the log; empty before its dump. */
  readonly mode: "" | "gtid" | "position";
  /** File of the newest event sent. */
  readonly file: string;
  /** Position in it after that event. */
  readonly position: number;
  readonly connectedAt: Date;
  /** Pause after which it wants a heartbeat, in milliseconds; 0 for none. */
  readonly heartbeatMs: number;
  /** Bytes of its dump so far. */
  readonly bytesSent: bigint;
  /** See `DumpStatus.unsentSince`; undefined before its dump as well. */
  readonly unsentSince?: number | undefined;
  /** What its connection is compressed with; undefined for nothing. */
  readonly compression?: CompressionAlgorithm | undefined;
  /** How its connection is secured; undefined for not at all. */
  readonly tls?: TlsFacts | undefined;
  /** What it has acknowledged; undefined if it is not semi-synchronous. */
  readonly acks?: Readonly<AckStatus> | undefined;
  /** Its `program_name`, if it said. */
  readonly program: string;
  /** Version of its client library, if it said. */
  readonly clientVersion: string;
}
