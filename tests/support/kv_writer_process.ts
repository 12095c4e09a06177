/**
 * A process that writes a log until it is killed. For every boundary that is
 * durable it prints a line with the position.
 *
 * Arguments: the database file.
 *
 * @module
 */

import { openKvStore } from "../../lib/store/kv/open_kv_store.ts";
import { LogFeeder } from "./log_feeder.ts";
import { MadeLog } from "./made_log.ts";

const store = await openKvStore({ path: Deno.args[0]! });
const made = new MadeLog();
const feeder = new LogFeeder(store.writer);
feeder.startFile("binlog.000001");
feeder.push(made.beginFile());
const encoder = new TextEncoder();
for (let count = 0;; count++) {
  // Mostly small, now and then larger than a commit.
  feeder.push(made.transaction(killedTransaction(count)));
  if (count % 3 !== 0) continue;
  await store.writer.flush();
  Deno.stdout.writeSync(encoder.encode(`${store.head!.position}\n`));
}

/** The n-th transaction. */
function killedTransaction(count: number): { rows: number[] } {
  return { rows: count % 10 === 9 ? Array(20).fill(60_000) : [40 + count] };
}
