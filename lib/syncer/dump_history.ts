import type { BinlogStore } from "../store/binlog_store.ts";
import type { Flavour } from "../store/source_identity.ts";
import { ErrorCode } from "../protocol/error_code.ts";
import { ServerError } from "../protocol/server_error.ts";
import type { TornFile } from "./dump_plan.ts";
import type { SourceDump } from "./source_dump.ts";
import {
  diagnose,
  duplicateServerId,
  type FaultContext,
  type SyncerFault,
  type SyncerPhase,
} from "./syncer_fault.ts";

/**
 * So many dumps in a row that the source ends soon after their begin mean that
 * another replica has our ids: MySQL before 5.7 does not say so.
 */
const QUICK_ENDS_MAX = 3;

/** How an attempt to follow the source has failed. */
export interface FailedAttempt {
  /** How far it had come. */
  readonly phase: SyncerPhase;
  /** Who we are towards the source. */
  readonly context: FaultContext;
  /** The kind of the server; undefined if it has not said. */
  readonly flavour: Flavour | undefined;
  /** Whether its dump had lasted. */
  readonly settled: boolean;
}

/** How a dump has ended. */
type EndedDump = Pick<SourceDump, "ended" | "unendedAt">;

/**
 * What the dumps of one source so far say of the next one: a fault can mean
 * something else when it comes again, and what a dump ended with can be the
 * place where the next one is to go on.
 */
export class DumpHistory {
  readonly #store: Pick<BinlogStore, "files" | "writer">;
  /** Whether the dump of this attempt was ended by the source's own word. */
  #saidEnd = false;
  /** Dumps in a row that it ended like that soon after their begin. */
  #quickEnds = 0;
  #tornAt: TornFile | undefined;
  #unendedAt: EndedDump["unendedAt"];

  /** @param store the log that the dumps go to */
  constructor(store: Pick<BinlogStore, "files" | "writer">) {
    this.#store = store;
  }

  /** A file of the source that is torn, if the last attempt ended with that. */
  get tornAt(): TornFile | undefined {
    return this.#tornAt;
  }

  /** Another attempt begins. */
  begin(): void {
    this.#saidEnd = false;
  }

  /** The attempt's dump is over. */
  dumpOver({ ended, unendedAt }: EndedDump): void {
    this.#saidEnd = ended;
    this.#unendedAt = unendedAt;
  }

  /**
   * The files that may end where the source says. One that ended there before,
   * and is ours as the dump's begin shows, is one of them, whatever size is
   * listed for it.
   *
   * @param listed sizes by name, as the source lists them; undefined if any
   * file may end anywhere
   */
  closedFiles(
    listed: ReadonlyMap<string, number> | undefined,
  ): ReadonlyMap<string, number> | undefined {
    const ended = this.#unendedAt;
    if (ended === undefined || listed === undefined) return listed;
    return new Map([...listed, [ended.fileName, ended.position]]);
  }

  /** What the error that ended the attempt means, alone and with those before. */
  faultOf(error: unknown, attempt: FailedAttempt): SyncerFault {
    const { phase, context, settled } = attempt;
    const fault = this.#noteTorn(error, attempt);
    const isQuickEnd = this.#saidEnd && !settled;
    this.#quickEnds = isQuickEnd ? this.#quickEnds + 1 : 0;
    if (this.#quickEnds < QUICK_ENDS_MAX) return fault;
    const said =
      `The source has ended ${this.#quickEnds} dumps in a row within seconds of their begin, and gave no error`;
    return diagnose(duplicateServerId(context, said), phase, context);
  }

  /**
   * After a crash MariaDB can leave a file that ends inside an event, and never
   * sends what is there of it: it answers an error. What comes next is in the
   * next file then, whose Gtid_list shows whether anything is missing.
   */
  #noteTorn(
    error: unknown,
    { phase, context, flavour }: FailedAttempt,
  ): SyncerFault {
    const fault = diagnose(error, phase, context);
    const before = this.#tornAt;
    this.#tornAt = undefined;
    const newest = this.#store.files.at(-1);
    if (
      !isTornFile(error) || phase !== "dumping" || flavour !== "mariadb" ||
      newest === undefined
    ) return fault;
    const { position } = this.#store.writer;
    const at = { fileName: newest.sourceName, position };
    // The next file is torn, too, or it was not that.
    if (before?.fileName === at.fileName && before.position === position) {
      return fault;
    }
    this.#tornAt = at;
    return {
      ...fault,
      reason:
        `${fault.reason}; kingbus has all transactions of the file that are whole, and goes on with the next one if that says that it follows them`,
      retry: "soon",
    };
  }
}

/** Whether a MariaDB server said that its file ends inside an event. */
function isTornFile(error: unknown): boolean {
  return error instanceof ServerError &&
    error.code === ErrorCode.ER_SOURCE_FATAL_ERROR_READING_BINLOG &&
    /truncated in the middle of event/.test(error.message);
}
