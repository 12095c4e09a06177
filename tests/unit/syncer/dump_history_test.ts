import { assertEquals, assertStringIncludes } from "@std/assert";
import { ErrorCode } from "../../../lib/protocol/error_code.ts";
import { ServerError } from "../../../lib/protocol/server_error.ts";
import type { StoredFile } from "../../../lib/store/binlog_store.ts";
import {
  DumpHistory,
  type FailedAttempt,
} from "../../../lib/syncer/dump_history.ts";
import { SourceError } from "../../../lib/syncer/source_error.ts";

const ATTEMPT: FailedAttempt = {
  phase: "dumping",
  context: { user: "repl", serverId: 1001, uuid: "" },
  flavour: "mariadb",
  settled: false,
};

const ENDED = new SourceError("lost", "The source ended the dump");

const TORN = new ServerError(
  ErrorCode.ER_SOURCE_FATAL_ERROR_READING_BINLOG,
  "HY000",
  "binlog truncated in the middle of event; consider out of disk space",
);

/** A history of a log that ends at this position of its only file. */
function newHistory(position = 4) {
  const writer = { position };
  const store = {
    files: [{ sourceName: "binlog.000001" } as StoredFile],
    writer,
  } as unknown as ConstructorParameters<typeof DumpHistory>[0];
  return { history: new DumpHistory(store), writer };
}

/** One attempt whose dump the source has ended of its own accord. */
function endOnce(history: DumpHistory, settled = false) {
  history.begin();
  history.dumpOver({ ended: true, unendedAt: undefined });
  return history.faultOf(ENDED, { ...ATTEMPT, settled }).cause;
}

Deno.test("DumpHistory takes the third dump in a row that ends soon for another replica with our ids", () => {
  const { history } = newHistory();
  const causes = [1, 2, 3, 4].map(() => endOnce(history));
  assertEquals(causes, [
    "lost",
    "lost",
    "duplicate-server-id",
    "duplicate-server-id",
  ]);
});

Deno.test("DumpHistory counts ends anew after a dump that lasted, and after an attempt without one", () => {
  const { history } = newHistory();
  endOnce(history);
  endOnce(history);
  assertEquals(endOnce(history, true), "lost");
  endOnce(history);
  endOnce(history);
  history.begin();
  history.faultOf(ENDED, { ...ATTEMPT, phase: "preparing" });
  assertEquals(endOnce(history), "lost");
});

Deno.test("DumpHistory goes on behind a torn file once", () => {
  const { history } = newHistory(700);
  const first = history.faultOf(TORN, ATTEMPT);
  assertEquals(first.retry, "soon");
  assertStringIncludes(first.reason, "goes on with the next one");
  assertEquals(history.tornAt, { fileName: "binlog.000001", position: 700 });
  const second = history.faultOf(TORN, ATTEMPT);
  assertEquals(second.retry, "slowly");
  assertEquals(history.tornAt, undefined);
});

Deno.test("DumpHistory takes a file for torn again when the log has gone on since", () => {
  const { history, writer } = newHistory(700);
  history.faultOf(TORN, ATTEMPT);
  writer.position = 900;
  assertEquals(history.faultOf(TORN, ATTEMPT).retry, "soon");
  assertEquals(history.tornAt, { fileName: "binlog.000001", position: 900 });
});

Deno.test("DumpHistory takes no file of MySQL for torn", () => {
  const { history } = newHistory(700);
  const fault = history.faultOf(TORN, { ...ATTEMPT, flavour: "mysql" });
  assertEquals(fault.retry, "slowly");
  assertEquals(history.tornAt, undefined);
});

Deno.test("DumpHistory.closedFiles() has the place where a file ended unannounced", () => {
  const { history } = newHistory();
  const listed = new Map([["binlog.000001", 500]]);
  assertEquals(history.closedFiles(listed), listed);
  history.dumpOver({
    ended: false,
    unendedAt: { fileName: "binlog.000002", position: 300 },
  });
  assertEquals(
    history.closedFiles(listed),
    new Map([["binlog.000001", 500], ["binlog.000002", 300]]),
  );
  assertEquals(history.closedFiles(undefined), undefined);
});
