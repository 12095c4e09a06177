import { type ChecksumAlgorithm, checksumBytes } from "../binlog/checksum.ts";
import { eventSizeAt, eventTypeAt, flagsAt } from "../binlog/event_header.ts";
import { EventType } from "../binlog/event_type.ts";
import { patchFormatDescription } from "../binlog/format_description.ts";
import { MalformedEventError } from "../binlog/malformed_event_error.ts";
import {
  MariadbGtidFlag,
  MariadbGtidReader,
} from "../binlog/mariadb_gtid_event.ts";
import {
  encodeMariadbGtidList,
  mariadbGtidListBytes,
  MariadbGtidListFlag,
} from "../binlog/mariadb_gtid_list.ts";
import { MariadbStandIn } from "../binlog/mariadb_stand_in.ts";
import { QueryKind, queryKindAt } from "../binlog/query_event.ts";
import type { StoredFile } from "../store/binlog_store.ts";
import type { BlockVerdict, DumpFilter, FilterSink } from "./dump_filter.ts";
import { fatalDumpError } from "./fatal_dump_error.ts";
import type { MariadbGroups, MariadbNotice } from "./mariadb_groups.ts";
import { PacketWalk } from "./packet_walk.ts";

/**
 * What a client says that it understands with `@mariadb_slave_capability`
 * (`MARIA_SLAVE_CAPABILITY_…` in MariaDB's `sql/log_event.h`); each includes
 * those before.
 */
const Capability = {
  /** Annotations of rows. */
  ANNOTATE: 1,
  /** Events may be missing: it goes by their end positions. */
  TOLERATE_HOLES: 2,
  BINLOG_CHECKPOINT: 3,
  GTID: 4,
} as const;

/** The event was logged with `@@skip_replication` (`LOG_EVENT_SKIP_REPLICATION_F`). */
const SKIP_REPLICATION = 0x8000;

/** Larger lists of GTIDs are not made: nobody needs them to follow. */
const NOTICE_BYTES_MAX = 128 * 1024;

/** What a client of a MariaDB log understands and wants. */
export interface MariadbFilterOptions {
  /** `@mariadb_slave_capability`; 0 if it said nothing. */
  readonly capability: number;
  /** It wants the annotations of rows. */
  readonly annotations: boolean;
  /** It does not want events marked with `@@skip_replication`. */
  readonly skipReplication: boolean;
  /** Server id for the events that are made. */
  readonly serverId: number;
  /** Which groups are left out; undefined for a dump by position. */
  readonly groups: MariadbGroups | undefined;
}

/** What becomes of the event under way. */
type Fate = "send" | "leave-out" | MariadbStandIn;

/**
 * Sends a MariaDB log as MariaDB does (`send_event_to_slave` in its
 * `sql/sql_repl.cc`): without the groups that the replica has, and to clients
 * that do not understand an event without it, or with one of the same size
 * that does nothing.
 */
export class MariadbFilter implements DumpFilter {
  // A replica may miss events; it goes by their end positions.
  readonly owesHeartbeats = false;
  readonly #options: MariadbFilterOptions;
  readonly #groups: MariadbGroups | undefined;
  readonly #walk = new PacketWalk();
  readonly #gtid = new MariadbGtidReader();
  readonly #understandsAll: boolean;
  #algorithm: ChecksumAlgorithm = "none";
  #fate: Fate = "send";
  #type = 0;
  #commits = false;

  constructor(options: MariadbFilterOptions) {
    this.#options = options;
    this.#groups = options.groups;
    this.#understandsAll = options.capability >= Capability.GTID &&
      options.annotations && !options.skipReplication;
  }

  get isPassive(): boolean {
    return this.#understandsAll && (this.#groups?.isDone ?? true);
  }

  get insideEvent(): boolean {
    // While all is sent as it is nothing steps over it.
    return !this.isPassive && this.#walk.insideEvent;
  }

  startFile(file: StoredFile): void {
    this.#walk.reset();
    this.#algorithm = file.checksumAlgorithm;
    this.#groups?.startFile(file);
  }

  judge(): BlockVerdict {
    return "look";
  }

  async take(run: Uint8Array, sink: FilterSink): Promise<void> {
    const walk = this.#walk;
    let at = 0;
    // Begin of what is to be sent as it is.
    let asIs = -1;
    while (at < run.length) {
      const body = walk.bodyAt(at);
      const begins = !walk.insideEvent;
      if (begins) {
        try {
          this.#fate = this.#decide(run, body);
        } catch (error) {
          // What comes before is sent before the reason why no more does.
          if (asIs >= 0) await sink.send(run, asIs, at);
          throw error;
        }
      }
      const end = walk.step(run, at);
      const fate = this.#fate;
      if (fate === "send") {
        if (asIs < 0) asIs = at;
      } else {
        if (asIs >= 0) await sink.send(run, asIs, at);
        asIs = -1;
        if (begins && this.#hidesStart(run, body)) {
          await sink.insert(this.#withoutStart(run, body));
        }
        if (fate === "leave-out") sink.leaveOut(walk.bytes);
        else await this.#sendInstead(fate, run, at, body, end, sink);
      }
      at = end;
      if (walk.insideEvent) continue;
      const notice = this.#afterEvent();
      if (notice === undefined) continue;
      if (asIs >= 0) await sink.send(run, asIs, at);
      asIs = -1;
      await this.#tell(notice, sink);
      if (notice.isLast) return sink.finish();
    }
    if (asIs >= 0) await sink.send(run, asIs, at);
  }

  /** Looks at the event that begins at `event`. */
  #decide(run: Uint8Array, event: number): Fate {
    const type = eventTypeAt(run, event);
    this.#type = type;
    this.#commits = false;
    if (this.#understandsAll && this.#groups === undefined) return "send";
    if (this.#groups !== undefined) {
      if (this.#hidesStart(run, event)) return "leave-out";
      this.#lookAtGroup(type, run, event, this.#groups);
      if (this.#groups.leavesOut) return "leave-out";
    }
    const { capability, annotations, skipReplication } = this.#options;
    const fate = this.#translate(type, run, event, capability, annotations);
    if (
      fate === "send" && skipReplication &&
      (flagsAt(run, event) & SKIP_REPLICATION) !== 0
    ) return "leave-out";
    return fate;
  }

  #lookAtGroup(
    type: number,
    run: Uint8Array,
    event: number,
    groups: MariadbGroups,
  ): void {
    const size = eventSizeAt(run, event);
    if (type === EventType.MARIADB_GTID) {
      this.#gtid.read(run, event, size);
      groups.beginGroup(this.#gtid);
    } else if (
      type === EventType.QUERY && !groups.isDone && event + size <= run.length
    ) {
      const kind = queryKindAt(
        run,
        event,
        size,
        checksumBytes(this.#algorithm),
      );
      this.#commits = kind === QueryKind.COMMIT || kind === QueryKind.ROLLBACK;
    }
  }

  /** What a client of that capability gets for an event of that type. */
  #translate(
    type: number,
    run: Uint8Array,
    event: number,
    capability: number,
    annotations: boolean,
  ): Fate {
    switch (type) {
      case EventType.MARIADB_ANNOTATE_ROWS:
        if (annotations) return "send";
        if (capability >= Capability.TOLERATE_HOLES) return "leave-out";
        return capability >= Capability.ANNOTATE
          ? "send"
          : this.#dummy(run, event);
      case EventType.MARIADB_GTID:
        if (capability >= Capability.GTID) return "send";
        return this.#standInForGtid(run, event, capability);
      case EventType.MARIADB_BINLOG_CHECKPOINT:
        if (capability >= Capability.BINLOG_CHECKPOINT) return "send";
        break;
      case EventType.MARIADB_GTID_LIST:
        if (capability >= Capability.GTID) return "send";
        break;
      default:
        return "send";
    }
    return capability >= Capability.TOLERATE_HOLES
      ? "leave-out"
      : this.#dummy(run, event);
  }

  /** A transaction begins with BEGIN for older clients; a statement with nothing. */
  #standInForGtid(run: Uint8Array, event: number, capability: number): Fate {
    this.#gtid.read(run, event, eventSizeAt(run, event));
    if ((this.#gtid.flags & MariadbGtidFlag.STANDALONE) === 0) {
      return MariadbStandIn.begin(run, event, this.#algorithm);
    }
    return capability >= Capability.TOLERATE_HOLES
      ? "leave-out"
      : this.#dummy(run, event);
  }

  #dummy(run: Uint8Array, event: number): MariadbStandIn {
    try {
      return MariadbStandIn.dummy(run, event, this.#algorithm);
    } catch (error) {
      if (!(error instanceof MalformedEventError)) throw error;
      throw fatalDumpError(
        this.#type === EventType.MARIADB_ANNOTATE_ROWS
          ? "Failed to replace row annotate event with dummy: too small event."
          : "Failed to replace binlog checkpoint or gtid list event with dummy: too small event.",
      );
    }
  }

  /** Whether the event is a format description that must not look like a server's start. */
  #hidesStart(run: Uint8Array, event: number): boolean {
    return this.#type === EventType.FORMAT_DESCRIPTION &&
      this.#groups !== undefined && !this.#groups.isReached &&
      event + eventSizeAt(run, event) <= run.length;
  }

  #withoutStart(run: Uint8Array, event: number): Uint8Array {
    const end = event + eventSizeAt(run, event);
    return patchFormatDescription(run.subarray(event, end), {
      clearPosition: false,
      clearCreated: true,
    });
  }

  async #sendInstead(
    standIn: MariadbStandIn,
    run: Uint8Array,
    at: number,
    body: number,
    end: number,
    sink: FilterSink,
  ): Promise<void> {
    const packet = run.slice(at, end);
    standIn.fill(packet, body - at, end - at);
    await sink.send(packet, 0, packet.length);
  }

  #afterEvent(): MariadbNotice | undefined {
    // What a file begins with is not of its groups.
    if (this.#type === EventType.FORMAT_DESCRIPTION) return undefined;
    return this.#groups?.afterEvent(this.#type, this.#commits);
  }

  /** Tells the replica how far it is, which it takes for its own position. */
  async #tell(notice: MariadbNotice, sink: FilterSink): Promise<void> {
    const { state, isLast } = notice;
    if (mariadbGtidListBytes(state, this.#algorithm) > NOTICE_BYTES_MAX) return;
    await sink.insert(encodeMariadbGtidList(state, {
      timestamp: 0,
      serverId: this.#options.serverId,
      endPosition: sink.position % 2 ** 32,
      algorithm: this.#algorithm,
      artificial: true,
      flags: isLast ? MariadbGtidListFlag.UNTIL_REACHED : 0,
    }));
  }
}
