/**
 * A process that writes a log until it is killed. For every boundary that is
 * durable it prints a line with the position.
 *
 * Arguments: the database file; `files` to begin a file every now and then, in
 * a log whose GTID sets are too large for their records.
 *
 * @module
 */

import { openKvStore } from "../../lib/store/kv/open_kv_store.ts";
import { killedTransaction, scatteredGtids } from "./killed_log.ts";
import { LogFeeder } from "./log_feeder.ts";
import { MadeLog } from "./made_log.ts";

/** Transactions of one file, where there are many files. */
const FILE_TRANSACTIONS = 40;

const [path, mode] = Deno.args;
const manyFiles = mode === "files";
const store = await openKvStore({ path: path! });
const made = new MadeLog(manyFiles ? scatteredGtids(1_000) : undefined);
const feeder = new LogFeeder(store.writer);
const encoder = new TextEncoder();
let files = 0;
startFile();
for (let count = 0;; count++) {
  // Mostly small, now and then larger than a commit.
  feeder.push(made.transaction(killedTransaction(count)));
  if (manyFiles && count % FILE_TRANSACTIONS === FILE_TRANSACTIONS - 1) {
    startFile();
  }
  if (count % 3 !== 0) continue;
  await store.writer.flush();
  Deno.stdout.writeSync(encoder.encode(`${store.head!.position}\n`));
}

function startFile(): void {
  feeder.startFile(`binlog.${String(++files).padStart(6, "0")}`);
  feeder.push(made.beginFile());
}
