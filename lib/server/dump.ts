import { DumpFlag } from "../protocol/command.ts";
import type { AckGate } from "../semi_sync/ack_gate.ts";
import type { BinlogStore } from "../store/binlog_store.ts";
import type { DumpFilter } from "./dump_filter.ts";
import type { DumpHandler, DumpRequest, DumpSession } from "./dump_handler.ts";
import { BufferPool, DumpOutput } from "./dump_output.ts";
import { aheadOf, type DumpStart, findDumpStart } from "./dump_start.ts";
import { GtidFilter } from "./gtid_filter.ts";
import { LogDump } from "./log_dump.ts";
import { MariadbFilter } from "./mariadb_filter.ts";
import { MariadbGroups } from "./mariadb_groups.ts";
import { MariadbGtidNotFoundError } from "./mariadb_start.ts";
import { PlainPackets } from "./plain_packets.ts";
import { SemiSyncDump } from "./semi_sync_dump.ts";

/**
 * A replica that was attached to the source itself may be ahead of us by what
 * is still on its way: so long we wait for it before we refuse, in ms.
 */
const CATCH_UP_MS = 2_000;

/** How dumps are served. */
export interface LogDumpOptions {
  /** Told of what semi-synchronous replicas acknowledge. */
  readonly gate?: AckGate;
  /**
   * Called when a dump is about to begin.
   *
   * @param uuid the replica's server uuid as it said it; empty if it did not
   */
  readonly onBegin?: (uuid: string, start: DumpStart) => void;
}

/** Serves dumps from the store. */
export class LogDumpHandler implements DumpHandler {
  readonly #store: BinlogStore;
  readonly #options: LogDumpOptions;
  readonly #pool = new BufferPool();

  /** @param store the log to serve */
  constructor(store: BinlogStore, options: LogDumpOptions = {}) {
    this.#store = store;
    this.#options = options;
  }

  async run(session: DumpSession, request: DumpRequest): Promise<void> {
    const start = await findStart(this.#store, session, request);
    // From here on, before anything is awaited, the file counts as being read.
    session.status.file = start.file.name;
    session.status.position = start.position;
    this.#options.onBegin?.(session.settings.uuid, start);
    using semiSync = session.settings.semiSync
      ? new SemiSyncDump(
        this.#store,
        this.#options.gate,
        session,
        request,
        start,
      )
      : undefined;
    const dump = new LogDump({
      store: this.#store,
      output: new DumpOutput(
        session,
        this.#pool,
        semiSync?.packets ?? new PlainPackets(session.nextSequenceId),
        session.writeTimeoutMs,
      ),
      session,
      request,
      semiSync,
      filter: filterOf(this.#store, session, request, start),
    });
    await dump.run(start);
  }
}

/** What is left out of a dump, or sent as something else; undefined for nothing. */
function filterOf(
  store: BinlogStore,
  session: DumpSession,
  request: DumpRequest,
  start: DumpStart,
): DumpFilter | undefined {
  const { settings, serverId } = session;
  if (request.mode === "gtid") return new GtidFilter(request.executed);
  if (store.head?.mariadb === undefined) return undefined;
  return new MariadbFilter({
    capability: settings.mariadbCapability,
    annotations: (request.flags & DumpFlag.MARIADB_ANNOTATE_ROWS) !== 0,
    skipReplication: settings.skipReplication,
    serverId,
    groups: start.mariadb && new MariadbGroups(start.mariadb, {
      strict: request.mode === "mariadb-gtid" && request.strict,
      logState: () => store.head?.mariadb,
    }),
  });
}

/**
 * Finds where a dump begins. Where the replica is ahead, that is awaited for a
 * while which it may have got from the source itself.
 */
async function findStart(
  store: BinlogStore,
  session: DumpSession,
  request: DumpRequest,
): Promise<DumpStart> {
  const { signal, settings } = session;
  const deadline = AbortSignal.any([
    signal,
    AbortSignal.timeout(CATCH_UP_MS),
  ]);
  for (;;) {
    const { head } = store;
    let start: DumpStart | undefined;
    let fault: unknown;
    try {
      start = findDumpStart(store, request, settings.modern);
    } catch (error) {
      fault = error;
    }
    const isAhead = head !== undefined &&
      (request.mode === "gtid"
        ? aheadOf(store, head, request.executed)
        : fault instanceof MariadbGtidNotFoundError && !fault.diverged);
    if (
      !isAhead || !await store.waitForHead(head.version, { signal: deadline })
    ) {
      if (start === undefined) throw fault;
      return start;
    }
  }
}
