import { assert, assertEquals } from "@std/assert";
import { EventTable } from "../../../lib/cli/event_table.ts";
import type { ListedEvent } from "../../../lib/store/list_events.ts";
import { memoryTerminal } from "./memory_terminal.ts";

const EVENT: ListedEvent = {
  type: "Write_rows",
  position: 1234567,
  size: 8192,
  endPosition: 1242759,
  timestamp: 1_795_408_882,
  serverId: 4294967295,
  info: "table_id: 107 flags: STMT_END_F",
  database: "test",
  table: "t",
  isInner: false,
};

/** The lines that a terminal of some width gets; no terminal if absent. */
function linesOf(columns?: number, events: ListedEvent[] = [EVENT]): string[] {
  const terminal = memoryTerminal(
    columns === undefined
      ? {}
      : { outIsTerminal: true, size: { columns, rows: 24 } },
  );
  const table = new EventTable(terminal, { name: "binlog.000001" });
  for (const event of events) table.event(event);
  table.end();
  return terminal.output().trimEnd().split("\n");
}

Deno.test("EventTable has all columns where there is no terminal, however long the line", () => {
  assertEquals(linesOf(), [
    "binlog.000001",
    "  POSITION      SIZE  TIME                  SERVER ID  TYPE                 INFO",
    "   1234567      8192  2026-11-23 04:41:22  4294967295  Write_rows           table_id: 107 flags: STMT_END_F (test.t)",
  ]);
});

Deno.test("EventTable leaves out size, server id and time, in this order, where there is no room", () => {
  const titles = (columns: number) =>
    linesOf(columns)[1]!.trim().split(/ {2,}/);
  assertEquals(titles(90), [
    "POSITION",
    "SIZE",
    "TIME",
    "SERVER ID",
    "TYPE",
    "INFO",
  ]);
  assertEquals(titles(80), ["POSITION", "TIME", "SERVER ID", "TYPE", "INFO"]);
  assertEquals(titles(70), ["POSITION", "TIME", "TYPE", "INFO"]);
  assertEquals(titles(60), ["POSITION", "TYPE", "INFO"]);
  assertEquals(linesOf(40), [
    "binlog.000001",
    "  POSITION  TYPE                 INFO",
    "   1234567  Write_rows           table_…",
  ]);
  for (let columns = 1; columns < 100; columns++) {
    const [, ...lines] = linesOf(columns);
    assert(lines.every(({ length }) => length <= columns), `${lines}`);
  }
});

Deno.test("EventTable sets apart what is inside of a compressed transaction", () => {
  const inner = { ...EVENT, isInner: true, timestamp: 0 };
  assertEquals(
    linesOf(60, [EVENT, inner])[3],
    "              Write_rows         table_id: 107 flags: STMT_…",
  );
});

Deno.test("EventTable has its titles where there are no events", () => {
  assertEquals(linesOf(40, []).length, 2);
});
