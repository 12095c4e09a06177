import { assert, assertEquals, assertRejects } from "@std/assert";
import { binlogEventRows } from "../../../lib/server/binlog_events.ts";
import { StatementError } from "../../../lib/server/statement_error.ts";
import { openMemoryStore } from "../../../lib/store/memory_store.ts";
import { LogFeeder } from "../../support/log_feeder.ts";
import { MadeLog } from "../../support/made_log.ts";

/** A file of so many transactions of five events each, and two events before. */
async function logOf(transactions: number, rows: number[] = [30]) {
  const store = await openMemoryStore();
  const made = new MadeLog();
  const feeder = new LogFeeder(store.writer);
  feeder.startFile("binlog.000001");
  feeder.push(made.beginFile());
  for (let count = 0; count < transactions; count++) {
    feeder.push(made.transaction({ rows }));
  }
  await store.writer.flush();
  return store;
}

const REQUEST = {
  fileName: "binlog.000001",
  from: 4n,
  exact: false,
  offset: 0n,
  count: 2n ** 64n - 1n,
};

const never = new AbortController().signal;

Deno.test("binlogEventRows() refuses more rows than it keeps in memory, and gives them in parts", async () => {
  await using store = await logOf(20_500);
  const error = await assertRejects(
    () => binlogEventRows(store, REQUEST, never),
    StatementError,
  );
  assertEquals(error.code, 1220);
  assert(error.message.includes("LIMIT"), error.message);
  const count = 60_000n;
  const first = await binlogEventRows(store, { ...REQUEST, count }, never);
  const rest = await binlogEventRows(
    store,
    { ...REQUEST, offset: count, count },
    never,
  );
  assertEquals(first.length + rest.length, 20_500 * 5 + 2);
  // Every row begins where the one before it ended.
  let position = "4";
  for (const row of [...first, ...rest]) {
    assertEquals(row[1], position);
    position = row[4]!;
  }
});

Deno.test("binlogEventRows() shows events of every size", async () => {
  await using store = await logOf(3, [63_000, 70_000, 20_000_000]);
  const rows = await binlogEventRows(store, REQUEST, never);
  assertEquals(rows.length, 2 + 3 * 9);
  const sizes = rows.map((row) => Number(row[4]) - Number(row[1]));
  assertEquals(sizes.filter((size) => size === 20_000_000).length, 3);
});

Deno.test("binlogEventRows() is ended by the end of its session", async () => {
  await using store = await logOf(100);
  const abort = new AbortController();
  abort.abort(new TypeError("gone"));
  await assertRejects(
    () => binlogEventRows(store, REQUEST, abort.signal),
    TypeError,
    "gone",
  );
});

Deno.test("binlogEventRows() says where no event begins, and why the log can't be read", async () => {
  await using store = await logOf(3);
  const inside = { ...REQUEST, from: 5n, exact: true };
  const error = await assertRejects(
    () => binlogEventRows(store, inside, never),
    StatementError,
  );
  assertEquals(
    error.message,
    "Error when executing command SHOW BINLOG EVENTS: Wrong offset or I/O error",
  );
  await store.close();
  const closed = await assertRejects(
    () => binlogEventRows(store, REQUEST, never),
    StatementError,
  );
  assert(closed.message.includes("closed"), closed.message);
});
