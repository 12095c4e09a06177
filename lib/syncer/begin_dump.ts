import { formatAddress } from "../config/address.ts";
import { formatMariadbGtidPosition } from "../gtid/mariadb_gtid_position.ts";
import type { Log } from "../log/log.ts";
import type { BinlogStore } from "../store/binlog_store.ts";
import {
  SOURCE_IDENTITY_META,
  type SourceIdentity,
} from "../store/source_identity.ts";
import { FOLLOWED_META } from "./candidates.ts";
import type { DumpPlan } from "./dump_plan.ts";
import type { FollowerContext } from "./log_follower.ts";
import type { SourceOptions } from "./source_options.ts";
import type { SourceSession } from "./source_session.ts";

/** What a dump is begun with, besides the session. */
export interface DumpBegin {
  readonly store: BinlogStore;
  readonly log: Log;
  readonly options: SourceOptions;
  /** The server the session is with. */
  readonly identity: SourceIdentity;
  readonly plan: DumpPlan;
}

/**
 * Asks the source for its log as planned, and keeps in the store whom it was
 * asked of; answers what the dump's follower has to know.
 *
 * @throws {SourceError} when the source does not give it
 */
export async function beginDump(
  session: SourceSession,
  { store, log, options, identity, plan: { from, context } }: DumpBegin,
): Promise<FollowerContext> {
  await store.setMeta(SOURCE_IDENTITY_META, { ...identity });
  const purged = await session.purgedGtids();
  await session.prepare(options, options.heartbeatMs, identity.flavour);
  const source = formatAddress(options);
  await store.setMeta(FOLLOWED_META, source);
  const semiSync = options.semiSync === true && await session.askSemiSync();
  if ("after" in from) {
    await session.dumpAfter(from.after, options.serverId);
  } else if ("executed" in from) {
    await session.dumpByGtid(from.executed, options.serverId);
  } else {
    await session.dump(
      from.fileName,
      from.position,
      options.serverId,
      identity.flavour,
    );
  }
  log.info("following the source", {
    source,
    version: identity.version,
    uuid: identity.uuid,
    ...("after" in from
      ? { after: formatMariadbGtidPosition(from.after) }
      : "executed" in from
      ? { after: from.executed.toString() }
      : { file: from.fileName, position: from.position }),
    ...(options.semiSync === true ? { semi_sync: semiSync } : {}),
  });
  if (options.semiSync === true && !semiSync) {
    log.warn(
      "the source has no semi-synchronous replication (no such plugin installed): following it asynchronously",
      { source },
    );
  }
  return { ...context, purged, semiSync };
}
