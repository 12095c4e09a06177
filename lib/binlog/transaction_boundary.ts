import { flagsAt, HEADER_BYTES } from "./event_header.ts";
import { EventFlag, EventType, eventTypeName } from "./event_type.ts";
import { MalformedEventError } from "./malformed_event_error.ts";
import { QueryKind, queryKindAt } from "./query_event.ts";

/** What an event does to the log's being at a transaction boundary. */
export const BoundaryStep = {
  /** The event is part of a transaction that goes on: no boundary after it. */
  INSIDE: 0,
  /** The event ends a transaction: a boundary after it. */
  ENDS: 1,
  /** The event belongs to no transaction: a boundary after it. */
  OUTSIDE: 2,
} as const;
export type BoundaryStep = typeof BoundaryStep[keyof typeof BoundaryStep];

/** State names, in the order of the `NONE`… numbers below. */
const STATE_NAMES = [
  "outside a transaction",
  "after a GTID",
  "before a statement",
  "inside a transaction",
  "after an error",
] as const;

const NONE = 0;
const GTID = 1;
const DDL = 2;
const DML = 3;
const FAILED = 4;
const STATES = 4; // FAILED has no row: it is left by reset() only.

// Kinds of event, as far as boundaries go.
const KIND_GTID = 0;
const KIND_BEGIN = 1;
const KIND_END = 2;
const KIND_END_XA = 3;
const KIND_STATEMENT = 4;
const KIND_PRE_STATEMENT = 5;
const KIND_PAYLOAD = 6;
const KIND_INCIDENT = 7;
const KIND_IGNORE = 8;
const KIND_MARIADB_BEGIN = 9;
// Kinds that take a look at the event to become one of the above.
const KIND_QUERY = 10;
const KIND_MARIADB_GTID = 11;
const KIND_UNKNOWN = 12;

const NO = -1;

/** Next state by kind (rows) and state (NONE, GTID, DDL, DML); NO where the order is impossible. */
// deno-fmt-ignore
const NEXT_STATE = Int8Array.of(
  /* GTID */          GTID, NO,   NO,   NO,
  /* BEGIN */         DML,  DML,  NO,   NO,
  /* END */           NO,   NO,   NO,   NONE,
  /* END_XA */        NO,   NONE, NO,   NONE,
  /* STATEMENT */     NONE, NONE, NONE, DML,
  /* PRE_STATEMENT */ DDL,  DDL,  DDL,  DML,
  /* PAYLOAD */       NO,   NONE, NO,   NO,
  /* INCIDENT */      NONE, NONE, NONE, NONE,
  /* IGNORE */        NONE, GTID, DDL,  DML,
  /* MARIADB_BEGIN */ DML,  NO,   NO,   NO,
);

const KIND_BY_TYPE = kindByType();

/** Kind by QueryKind. */
const KIND_BY_QUERY = Uint8Array.of(
  KIND_STATEMENT, // OTHER
  KIND_BEGIN, // BEGIN
  KIND_END, // COMMIT
  KIND_END, // ROLLBACK
  KIND_BEGIN, // XA_START
  KIND_END_XA, // XA_ROLLBACK
);

/** Offset of the flags in MariaDB's GTID event: sequence number 8, domain 4. */
const MARIADB_GTID_FLAGS_OFFSET = HEADER_BYTES + 12;
/** The group is one statement and has no end of its own (FL_STANDALONE). */
const MARIADB_FL_STANDALONE = 1;

/** Events in an order no server writes: the log lacks something, or is not one. */
export class TransactionBoundaryError extends Error {
  /** Where the log stood before the event, in words. */
  readonly state: string;
  /** Type of the event that cannot follow. */
  readonly eventType: number;

  constructor(
    message: string,
    state: string,
    eventType: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "TransactionBoundaryError";
    this.state = state;
    this.eventType = eventType;
  }
}

/**
 * Follows a log event by event and says where transactions end, by the rules of
 * MySQL's replicas (`sql/rpl_trx_boundary_parser.cc`):
 *
 *     log         = ( transaction | outside )*
 *     transaction = gtid? ( ddl | dml | xa rollback ) | gtid payload | gtid? incident
 *     ddl         = ( INTVAR | RAND | USER_VAR )* statement
 *     dml         = begin ( INTVAR | RAND | USER_VAR | statement )* end
 *     gtid        = GTID | ANONYMOUS_GTID | GTID_TAGGED
 *     begin       = QUERY "BEGIN" | QUERY "XA START…"
 *     end         = XID | XA_PREPARE | QUERY "COMMIT" | QUERY "ROLLBACK…" | xa rollback
 *     xa rollback = QUERY "XA ROLLBACK…"       only after begin or gtid
 *     statement   = any other QUERY | rows, LOAD DATA and ROWS_QUERY events | VIEW_CHANGE
 *     payload     = TRANSACTION_PAYLOAD
 *     outside     = FORMAT_DESCRIPTION | PREVIOUS_GTIDS | ROTATE | STOP | HEARTBEAT[_V2] | …
 *
 * Outside events may also come in the middle of a transaction, and change
 * nothing there. So do events of unknown types that have the IGNORABLE flag;
 * without it they are an error, since they might begin or end a transaction.
 *
 * MariaDB's GTID event begins the group itself, without a BEGIN, unless it has
 * the standalone flag; then it stands for `gtid`. An XA transaction is two groups
 * there: one that ends with XA_PREPARE, and a standalone XA COMMIT or XA
 * ROLLBACK; so is an ALTER TABLE that is logged in two halves. Compressed
 * QUERY events are statements: what begins or ends a group is too short for it.
 *
 * Where a replica of MySQL's would warn and go on, {@linkcode step} throws:
 * this log is served to others as whole transactions.
 *
 * @example
 * ```ts
 * const boundary = new TransactionBoundary();
 * if (boundary.step(type, bytes, offset, size, 4) !== BoundaryStep.INSIDE) commit();
 * ```
 */
export class TransactionBoundary {
  #state = NONE;

  /** True if the log now stands in the middle of a transaction. */
  get inTransaction(): boolean {
    return this.#state !== NONE;
  }

  /** Forgets the past: the next event follows a transaction boundary. */
  reset(): void {
    this.#state = NONE;
  }

  /**
   * Takes the next event. Allocates nothing.
   *
   * @param type Its type code.
   * @param bytes Where it stands; all of it must be there.
   * @param offset Index of its first byte.
   * @param size Bytes of the whole event.
   * @param trailerBytes Bytes of its checksum, 4 or 0.
   * @returns What it does; a number of {@linkcode BoundaryStep}.
   * @throws {TransactionBoundaryError} If the event cannot follow those before it.
   * @throws {MalformedEventError} If the event cannot be read. After either,
   *   every event is refused until {@linkcode reset}.
   */
  step(
    type: number,
    bytes: Uint8Array,
    offset: number,
    size: number,
    trailerBytes: number,
  ): BoundaryStep {
    const state = this.#state;
    // Whatever is thrown below, what follows cannot be trusted.
    this.#state = FAILED;
    let kind = KIND_BY_TYPE[type]!;
    if (kind >= KIND_QUERY) {
      kind = kindOfEvent(kind, bytes, offset, size, trailerBytes);
    }
    return this.#enter(state, type, kind);
  }

  /**
   * Takes the next event, of which only the header was looked at because it is
   * too large to be held: a QUERY of that size is a statement of its own.
   *
   * @param type Its type code.
   * @param flags The flags of its header.
   * @returns What it does; a number of {@linkcode BoundaryStep}.
   * @throws {TransactionBoundaryError} As {@linkcode step} does.
   */
  stepLarge(type: number, flags: number): BoundaryStep {
    const state = this.#state;
    this.#state = FAILED;
    let kind = KIND_BY_TYPE[type]!;
    if (kind === KIND_QUERY) kind = KIND_STATEMENT;
    else if (kind === KIND_UNKNOWN && (flags & EventFlag.IGNORABLE) !== 0) {
      kind = KIND_IGNORE;
    }
    return this.#enter(state, type, kind);
  }

  #enter(state: number, type: number, kind: number): BoundaryStep {
    const next = state < STATES && kind < KIND_QUERY
      ? NEXT_STATE[kind * STATES + state]!
      : NO;
    if (next === NO) throw outOfOrder(state, type, kind);
    this.#state = next;
    if (next !== NONE) return BoundaryStep.INSIDE;
    return kind === KIND_IGNORE ? BoundaryStep.OUTSIDE : BoundaryStep.ENDS;
  }
}

/** What a QUERY event was, for messages. */
const KIND_WORDS: ReadonlyMap<number, string> = new Map([
  [KIND_BEGIN, " that begins a transaction"],
  [KIND_END, " that ends a transaction"],
  [KIND_END_XA, " with XA ROLLBACK"],
  [KIND_QUERY, " without a statement"],
]);

function outOfOrder(
  state: number,
  type: number,
  kind: number,
): TransactionBoundaryError {
  const where = STATE_NAMES[state]!;
  const what = kind === KIND_UNKNOWN
    ? `an event of unknown type ${type} that is not marked as ignorable`
    : `a ${eventTypeName(type)} event${KIND_WORDS.get(kind) ?? ""}`;
  return new TransactionBoundaryError(
    `Cannot place event: ${what} came ${where}`,
    where,
    type,
  );
}

/** The kind of an event whose type alone does not tell it; KIND_QUERY or KIND_UNKNOWN if nothing does. */
function kindOfEvent(
  kind: number,
  bytes: Uint8Array,
  offset: number,
  size: number,
  trailerBytes: number,
): number {
  if (kind === KIND_QUERY) {
    const query = queryKindAt(bytes, offset, size, trailerBytes);
    return query === QueryKind.EMPTY ? KIND_QUERY : KIND_BY_QUERY[query]!;
  }
  if (size < HEADER_BYTES || offset + size > bytes.length) {
    throw new MalformedEventError("Cannot place event: it is cut short", -1);
  }
  if (kind === KIND_MARIADB_GTID) {
    if (size <= MARIADB_GTID_FLAGS_OFFSET) {
      throw new MalformedEventError(
        "Cannot place MariaDB Gtid event: it is cut short",
        EventType.MARIADB_GTID,
      );
    }
    const flags = bytes[offset + MARIADB_GTID_FLAGS_OFFSET]!;
    return (flags & MARIADB_FL_STANDALONE) !== 0
      ? KIND_GTID
      : KIND_MARIADB_BEGIN;
  }
  return (flagsAt(bytes, offset) & EventFlag.IGNORABLE) !== 0
    ? KIND_IGNORE
    : KIND_UNKNOWN;
}

function kindByType(): Uint8Array {
  const kinds = new Uint8Array(256).fill(KIND_UNKNOWN);
  const set = (kind: number, ...types: number[]): void => {
    for (const type of types) kinds[type] = kind;
  };
  set(KIND_QUERY, EventType.QUERY);
  set(KIND_MARIADB_GTID, EventType.MARIADB_GTID);
  set(
    KIND_GTID,
    EventType.GTID,
    EventType.ANONYMOUS_GTID,
    EventType.GTID_TAGGED,
  );
  set(KIND_END, EventType.XID, EventType.XA_PREPARE);
  set(
    KIND_PRE_STATEMENT,
    EventType.INTVAR,
    EventType.RAND,
    EventType.USER_VAR,
  );
  set(
    KIND_STATEMENT,
    EventType.APPEND_BLOCK,
    EventType.BEGIN_LOAD_QUERY,
    EventType.EXECUTE_LOAD_QUERY,
    EventType.TABLE_MAP,
    EventType.PRE_GA_WRITE_ROWS,
    EventType.PRE_GA_UPDATE_ROWS,
    EventType.PRE_GA_DELETE_ROWS,
    EventType.WRITE_ROWS_V1,
    EventType.UPDATE_ROWS_V1,
    EventType.DELETE_ROWS_V1,
    EventType.ROWS_QUERY,
    EventType.WRITE_ROWS,
    EventType.UPDATE_ROWS,
    EventType.DELETE_ROWS,
    EventType.VIEW_CHANGE,
    EventType.PARTIAL_UPDATE_ROWS,
    EventType.MARIADB_QUERY_COMPRESSED,
    EventType.MARIADB_WRITE_ROWS_COMPRESSED_V1,
    EventType.MARIADB_UPDATE_ROWS_COMPRESSED_V1,
    EventType.MARIADB_DELETE_ROWS_COMPRESSED_V1,
    EventType.MARIADB_WRITE_ROWS_COMPRESSED,
    EventType.MARIADB_UPDATE_ROWS_COMPRESSED,
    EventType.MARIADB_DELETE_ROWS_COMPRESSED,
  );
  set(KIND_PAYLOAD, EventType.TRANSACTION_PAYLOAD);
  set(KIND_INCIDENT, EventType.INCIDENT);
  set(
    KIND_IGNORE,
    EventType.START_V3,
    EventType.STOP,
    EventType.ROTATE,
    EventType.LOAD,
    EventType.SLAVE,
    EventType.CREATE_FILE,
    EventType.EXEC_LOAD,
    EventType.DELETE_FILE,
    EventType.NEW_LOAD,
    EventType.FORMAT_DESCRIPTION,
    EventType.HEARTBEAT,
    EventType.PREVIOUS_GTIDS,
    EventType.TRANSACTION_CONTEXT,
    EventType.HEARTBEAT_V2,
    // Says what the rows after it came from; may stand between GTID and statement.
    EventType.MARIADB_ANNOTATE_ROWS,
    EventType.MARIADB_BINLOG_CHECKPOINT,
    EventType.MARIADB_GTID_LIST,
    EventType.MARIADB_START_ENCRYPTION,
  );
  return kinds;
}
