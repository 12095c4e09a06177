import { EventType } from "../binlog/event_type.ts";
import {
  MariadbGtidFlag,
  type MariadbGtidReader,
} from "../binlog/mariadb_gtid_event.ts";
import { formatMariadbGtid, type MariadbGtid } from "../gtid/mariadb_gtid.ts";
import { MariadbGtidState } from "../gtid/mariadb_gtid_state.ts";
import type { StoredFile } from "../store/binlog_store.ts";
import { fatalDumpError } from "./fatal_dump_error.ts";
import {
  type MariadbDomainStart,
  MariadbGtidNotFoundError,
  type MariadbStart,
} from "./mariadb_start.ts";

/** How a group of events ends: with its first statement, or with a commit. */
type GroupKind = "standalone" | "transaction";

/** What the replica is told after an event. */
export interface MariadbNotice {
  /** How far the dump has come: what it has gone over since it began. */
  readonly state: MariadbGtidState;
  /** True if the dump has come to the end that the replica asked for. */
  readonly isLast: boolean;
}

/** What `MariadbGroups` is made with. */
export interface MariadbGroupsOptions {
  /** Refuse to begin at a transaction that is not in the log itself. */
  readonly strict: boolean;
  /** State of the log at its end, as of now. */
  readonly logState: () => MariadbGtidState | undefined;
}

/**
 * Which groups of events a dump by MariaDB GTIDs leaves out: in each domain
 * those up to the one that the replica has last, and those behind where it
 * wants to end (`send_event_to_slave` in MariaDB's `sql/sql_repl.cc`).
 */
export class MariadbGroups {
  readonly #from: Map<number, MariadbDomainStart>;
  readonly #until: Map<number, MariadbGtid> | undefined;
  readonly #options: MariadbGroupsOptions;
  /** What the replica is told that it has. */
  #state = new MariadbGtidState();
  #leavingOut: GroupKind | undefined;
  /** The group after which the dump ends. */
  #last: GroupKind | undefined;
  #owesNotice = false;

  constructor(start: MariadbStart, options: MariadbGroupsOptions) {
    this.#from = start.from;
    this.#until = start.until;
    this.#options = options;
  }

  /** True once nothing is left out any more. */
  get isDone(): boolean {
    return this.#from.size === 0 && this.#until === undefined &&
      this.#leavingOut === undefined && !this.#owesNotice;
  }

  /**
   * False while the replica has something of what comes: it must not drop its
   * temporary tables then, as it does at a server's start.
   */
  get isReached(): boolean {
    for (const { unproven } of this.#from.values()) {
      if (!unproven) return false;
    }
    return true;
  }

  /** Begins a file. */
  startFile(file: StoredFile): void {
    // A server that crashed leaves a group without its end.
    this.#leavingOut = undefined;
    if (this.#until === undefined) return;
    this.#state = file.mariadbStart ?? new MariadbGtidState();
    if (this.#until.size === 0) this.#last = "standalone";
  }

  /**
   * Decides on the group that begins with this GTID.
   *
   * @throws {ProtocolError} 1236, if the replica has what the log does not
   */
  beginGroup(gtid: MariadbGtidReader): void {
    this.#leavingOut = undefined;
    if (this.#from.size === 0 && this.#until === undefined) return;
    this.#state.addParts(gtid.domain, gtid.server, gtid.sequence);
    const kind = (gtid.flags & MariadbGtidFlag.STANDALONE) !== 0
      ? "standalone"
      : "transaction";
    const start = this.#from.get(gtid.domain);
    if (start !== undefined) this.#compareStart(gtid, start, kind);
    if (this.#until !== undefined) {
      this.#compareEnd(gtid, this.#until, kind);
    }
  }

  /** Whether an event of the group is left out. */
  get leavesOut(): boolean {
    return this.#leavingOut !== undefined;
  }

  /**
   * Goes on behind an event; says what the replica is to be told there.
   *
   * @param type of the event
   * @param commits whether it is a COMMIT or ROLLBACK
   */
  afterEvent(type: number, commits: boolean): MariadbNotice | undefined {
    if (
      this.#leavingOut !== undefined && ends(this.#leavingOut, type, commits)
    ) {
      this.#leavingOut = undefined;
    }
    const isLast = this.#last !== undefined && ends(this.#last, type, commits);
    if (!isLast && (!this.#owesNotice || this.#leavingOut !== undefined)) {
      return undefined;
    }
    this.#owesNotice = false;
    return { state: this.#state, isLast };
  }

  #compareStart(
    gtid: MariadbGtidReader,
    start: MariadbDomainStart,
    kind: GroupKind,
  ): void {
    const has = start.gtid;
    if (start.unproven) {
      const log = this.#options.logState();
      if (log === undefined || !log.has(has)) {
        throw new MariadbGtidNotFoundError(has, log?.lastOf(has.domain));
      }
      start.unproven = false;
    }
    if (gtid.server !== has.server || gtid.sequence <= has.sequence) {
      this.#leavingOut = kind;
    }
    if (gtid.server !== has.server || gtid.sequence < has.sequence) return;
    if (this.#options.strict && gtid.sequence > has.sequence) {
      throw fatalDumpError(
        `The binlog on the master is missing the GTID ${
          formatMariadbGtid(has)
        } requested by the slave (even though both a prior and a subsequent sequence number does exist), and GTID strict mode is enabled`,
      );
    }
    this.#from.delete(gtid.domain);
    this.#owesNotice = true;
  }

  #compareEnd(
    gtid: MariadbGtidReader,
    until: Map<number, MariadbGtid>,
    kind: GroupKind,
  ): void {
    const end = until.get(gtid.domain);
    if (end === undefined) {
      this.#leavingOut = kind;
      return;
    }
    if (gtid.server !== end.server || gtid.sequence < end.sequence) return;
    until.delete(gtid.domain);
    if (until.size === 0) this.#last = kind;
    // The end itself is not in the log.
    if (gtid.sequence > end.sequence) this.#leavingOut = kind;
  }
}

/** Events that only prepare the statement behind them (`Log_event::is_part_of_group`). */
const PREPARING: ReadonlySet<number> = new Set([
  EventType.MARIADB_GTID,
  EventType.INTVAR,
  EventType.RAND,
  EventType.USER_VAR,
  EventType.TABLE_MAP,
  EventType.MARIADB_ANNOTATE_ROWS,
]);

/** Whether a group ends with that event. */
function ends(kind: GroupKind, type: number, commits: boolean): boolean {
  if (kind === "standalone") return !PREPARING.has(type);
  return commits || type === EventType.XID || type === EventType.XA_PREPARE;
}
