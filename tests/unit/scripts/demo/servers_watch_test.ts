import { assertEquals, assertThrows } from "@std/assert";
import { DemoError } from "../../../../scripts/demo/demo_error.ts";
import { replicaTrouble } from "../../../../scripts/demo/servers_watch.ts";

const COLUMNS = [
  "Slave_IO_State",
  "Slave_IO_Running",
  "Slave_SQL_Running",
  "Last_IO_Error",
  "Last_SQL_Error",
];

function trouble(...values: string[]): string | undefined {
  return replicaTrouble({ columns: COLUMNS, rows: [["", ...values]] });
}

Deno.test("replicaTrouble() finds none where both threads run", () => {
  assertEquals(trouble("Yes", "Yes", "", ""), undefined);
  assertEquals(trouble("Yes", "Yes", "an old error", ""), undefined);
});

Deno.test("replicaTrouble() tells why it connects", () => {
  assertEquals(trouble("Connecting", "Yes", "", ""), "connecting to kingbus");
  assertEquals(
    trouble("Connecting", "Yes", "refused", ""),
    "connecting to kingbus: refused",
  );
});

Deno.test("replicaTrouble() throws why a thread has stopped", () => {
  assertThrows(
    () => trouble("Yes", "No", "", "Duplicate entry"),
    DemoError,
    "the replica stopped replicating: Duplicate entry",
  );
  assertThrows(
    () => trouble("No", "Yes", "Got fatal error 1236", ""),
    DemoError,
    "Got fatal error 1236",
  );
});

Deno.test("replicaTrouble() throws where there is no replica", () => {
  assertThrows(
    () => replicaTrouble({ columns: COLUMNS, rows: [] }),
    DemoError,
    "it does not say why",
  );
});
