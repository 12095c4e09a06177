import { GtidSet } from "../../lib/gtid/gtid_set.ts";
import { openKvStore } from "../../lib/store/kv/open_kv_store.ts";
import type { LogSnapshot } from "../../lib/store/log_snapshot.ts";
import { LogFeeder } from "./log_feeder.ts";
import { MadeLog, numberedUuid } from "./made_log.ts";
import { readFile } from "./read_stored_file.ts";

/** What a store shows, for comparing it with another one. */
export interface ShownLog {
  /** Name, size and so on of each file, and its bytes. */
  readonly files: readonly {
    readonly about: string;
    readonly bytes: Uint8Array;
  }[];
  /** File, position and GTID sets of the head. */
  readonly head: string;
  /** A value beside the log. */
  readonly meta: unknown;
}

/** How a small store is made. */
export interface SmallStoreOptions {
  /** Page size of the database; kingbus's own if absent. */
  readonly pageBytes?: number;
  /** Bytes of the rows of the transactions of a file, one array each. */
  readonly transactions: readonly (readonly number[])[];
  /** How many intervals the purged GTID set has. */
  readonly purgedIntervals: number;
  /** False where the files' events do not name them, as with MySQL 5.6. */
  readonly purgedInEvents?: boolean;
  /** How many files; 3 if absent. */
  readonly files?: number;
}

/** Name of the value beside the log that small stores have. */
export const SMALL_STORE_META = "source/identity";

/**
 * Makes a store of a few files, closed in order: whole blocks, a block in
 * pieces, GTID sets in pieces of their own if they are large.
 */
export async function makeSmallStore(
  path: string,
  options: SmallStoreOptions,
): Promise<ShownLog> {
  await using store = await openKvStore({
    path,
    ...(options.pageBytes === undefined
      ? {}
      : { pageBytes: options.pageBytes }),
  });
  const purged = new GtidSet();
  for (let count = 0; count < options.purgedIntervals; count++) {
    const gno = BigInt(2 * count + 1);
    purged.addInterval(numberedUuid(7), "", gno, gno);
  }
  const { purgedInEvents = true, files = 3 } = options;
  const made = new MadeLog(purgedInEvents ? purged : new GtidSet());
  const feeder = new LogFeeder(store.writer);
  for (let file = 1; file <= files; file++) {
    feeder.startFile(`binlog.00000${file}`, "server");
    feeder.push(made.beginFile());
    if (file === 1) store.writer.previousGtids(purged);
    for (const rows of options.transactions) {
      feeder.push(made.transaction({ rows }));
    }
    if (file < files) feeder.push([made.rotate()]);
    await store.writer.flush();
  }
  for (let piece = 0; piece < 3; piece++) {
    feeder.push(made.transaction());
    await store.writer.flush();
  }
  await store.setMeta(SMALL_STORE_META, { uuid: "server", version: "9.7" });
  return await showLog(store);
}

/** What a log shows. */
export async function showLog(
  store: LogSnapshot,
): Promise<ShownLog> {
  const files = [];
  for (const file of store.files) {
    files.push({
      about: [
        file.number,
        file.name,
        file.firstBlock,
        file.size,
        file.closed,
        file.serverUuid,
        `${file.previousGtids}`,
        file.checksumAlgorithm,
        file.firstTimestamp,
        file.lastTimestamp,
        file.formatDescription.join(),
      ].join(" "),
      bytes: await readFile(store, file),
    });
  }
  const { head } = store;
  return {
    files,
    head: [
      head?.fileName,
      head?.position,
      head?.lastGtid,
      head?.lastTimestamp,
      `${head?.executed}`,
      `${head?.purged}`,
    ].join(" "),
    meta: await store.getMeta(SMALL_STORE_META),
  };
}
