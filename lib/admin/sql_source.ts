import { parseAddress } from "../config/address.ts";
import {
  type SourceChange,
  type SourceControl,
  SourceControlError,
  type SourceErrorKind,
  type SourceFault,
  type SourceReplication,
  type SourceTls,
} from "../server/source_control.ts";
import type { SyncerCause } from "../syncer/syncer_cause.ts";
import {
  ControlError,
  type SyncerControl,
  type SyncerReport,
} from "./control.ts";

/** What SQL's view of the source is made from. */
export interface SqlSourceParts {
  readonly syncer: () => SyncerControl;
  /** The longest pause between two attempts to connect. */
  readonly connectRetryMs: number;
  /** What is kept: its size, and the GTIDs of its files. */
  readonly kept: () => {
    readonly bytes: number;
    /** Text of the GTIDs of the files kept. */
    retrieved(): string;
    /** Where the log is by MariaDB's GTIDs; empty for a log of MySQL's. */
    readonly mariadbPosition: string;
  };
}

/**
 * The syncer as SQL sees and steers it: through the same controller as the
 * admin API, so that both keep one intent.
 */
export class SqlSource implements SourceControl {
  readonly #parts: SqlSourceParts;

  constructor(parts: SqlSourceParts) {
    this.#parts = parts;
  }

  status(): SourceReplication | undefined {
    const { connectRetryMs, kept } = this.#parts;
    const report = this.#syncer.report();
    const { target } = report;
    if (target === undefined) return undefined;
    const { bytes, retrieved, mariadbPosition } = kept();
    // while it is stopped, what it is to follow may have been changed
    const followed = isRunning(report)
      ? report.candidates.find(({ followed }) => followed)
      : undefined;
    return {
      ...parseAddress(followed?.address ?? target.address),
      user: target.user,
      state: report.state,
      fault: faultOf(report),
      connectRetryS: Math.ceil(connectRetryMs / 1000),
      file: report.sourceFile,
      position: report.sourcePosition,
      logBytes: bytes,
      secondsBehind: report.secondsBehind,
      serverId: report.source?.serverId ?? "",
      uuid: report.source?.uuid ?? "",
      retrieved,
      mariadbPosition,
      heartbeatMs: report.heartbeatMs,
      tls: tlsOf(report),
      semiSync: report.semiSync.link?.active ?? false,
    };
  }

  get #syncer(): SyncerControl {
    return this.#parts.syncer();
  }

  async start(): Promise<boolean> {
    const syncer = this.#syncer;
    if (isRunning(syncer.report())) return false;
    await controlled(() => syncer.start(undefined));
    return true;
  }

  async stop(): Promise<boolean> {
    const syncer = this.#syncer;
    const wasRunning = syncer.report().state !== "stopped";
    await controlled(() => syncer.stop());
    return wasRunning;
  }

  async change(change: SourceChange): Promise<void> {
    const syncer = this.#syncer;
    const report = syncer.report();
    if (isRunning(report)) {
      throw new SourceControlError("running", "the syncer is running");
    }
    checkPosition(change, report);
    const { hostname, port, user, password, tls, heartbeatMs } = change;
    await controlled(() =>
      syncer.change({
        ...hostname === undefined ? {} : { hostname },
        ...port === undefined ? {} : { port },
        ...user === undefined ? {} : { user },
        ...password === undefined ? {} : { password },
        ...tls === undefined ? {} : { tls },
        ...heartbeatMs === undefined ? {} : { heartbeatMs },
      })
    );
  }
}

/** Undefined for connections that are plain, or would be. */
function tlsOf({ tls, source }: SyncerReport): SourceTls | undefined {
  const { mode, files } = tls;
  const isPlain = mode === "disabled" ||
    mode === "preferred" && source?.tls === undefined;
  if (isPlain) return undefined;
  return {
    ca: files.ca ?? "",
    certificate: files.certificate ?? "",
    key: files.key ?? "",
    verifiesIdentity: mode === "verify-identity",
  };
}

/** One that gave up for good counts as stopped: it has to be started anew. */
function isRunning({ state }: SyncerReport): boolean {
  return state !== "stopped" && state !== "failed";
}

/** Where the log goes on is not a matter of choice: behind what is kept. */
function checkPosition(
  { file, position }: SourceChange,
  { sourceFile, sourcePosition }: SyncerReport,
): void {
  const isThere = (file === undefined || file === sourceFile) &&
    (position === undefined || position === sourcePosition);
  if (isThere) return;
  const where = sourceFile === ""
    ? "nothing is kept yet, so that it begins where source.start of the configuration says"
    : `it is at '${sourceFile}', ${sourcePosition}`;
  throw new SourceControlError(
    "refused",
    `Incorrect arguments to SOURCE_LOG_FILE and SOURCE_LOG_POS: kingbus goes on where its log ends, and ${where}; leave them out`,
  );
}

async function controlled(step: () => Promise<void>): Promise<void> {
  try {
    await step();
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    const { kind, message } = error;
    switch (kind) {
      case "conflict":
        throw new SourceControlError("running", message, { cause: error });
      case "invalid":
        throw new SourceControlError("refused", message, { cause: error });
      case "unavailable":
        throw new SourceControlError("failed", message, { cause: error });
    }
  }
}

function faultOf(
  { cause, reason, faultAt, since }: SyncerReport,
): SourceFault | undefined {
  if (cause === undefined) return undefined;
  return {
    kind: errorKindOf(cause),
    message: reason ?? cause,
    at: faultAt ?? since ?? new Date(0),
  };
}

/** Which of a replica's errors a cause is. */
function errorKindOf(cause: SyncerCause): SourceErrorKind {
  switch (cause) {
    case "unreachable":
    case "unavailable":
    case "tls":
      return "unreachable";
    case "lost":
    case "silent":
      return "lost";
    case "refused":
    case "privileges":
      return "access-denied";
    case "purged":
    case "reset":
    case "source-lost-events":
    case "source-error":
    case "duplicate-server-id":
    case "hole":
      return "reading-log";
    case "stream":
    case "disk":
    case "fenced":
    case "store":
      return "writing-log";
    case "own-server-id":
    case "unsuitable":
    case "other-source":
    case "other-flavour":
    case "behind":
    case "errant":
    case "internal":
      return "fatal";
  }
}
