import { assert, assertEquals } from "@std/assert";
import {
  planLargeTransaction,
  planSchemaChange,
  planTransaction,
} from "../../../../scripts/demo/transaction_plan.ts";
import { SeededRandom } from "../../../support/seeded_random.ts";

Deno.test("planTransaction() plans inserts, updates and deletes of every kind", () => {
  const random = new SeededRandom(1);
  const kinds = new Set<string>();
  const verbs = new Set<string>();
  for (let at = 0; at < 500; at++) {
    const { kind, statements } = planTransaction(() => random.next());
    kinds.add(kind);
    for (const statement of statements) verbs.add(statement.split(" ")[0]!);
  }
  assertEquals([...kinds].sort(), ["purchase", "removal", "state", "transfer"]);
  assertEquals([...verbs].sort(), ["DELETE", "INSERT", "SET", "UPDATE"]);
});

Deno.test("planTransaction() plans the same for the same numbers", () => {
  const plan = (): unknown => {
    const random = new SeededRandom(7);
    return Array.from(
      { length: 50 },
      () => planTransaction(() => random.next()),
    );
  };
  assertEquals(plan(), plan());
});

Deno.test("planTransaction() locks the lower account of a transfer first", () => {
  const random = new SeededRandom(3);
  for (let at = 0; at < 500; at++) {
    const { kind, statements } = planTransaction(() => random.next());
    if (kind !== "transfer") continue;
    const [first, second] = statements.slice(0, 2)
      .map((statement) => Number(/id = (\d+)$/.exec(statement)?.[1]));
    assert(first! >= 1 && first! < second! && second! <= 200);
  }
});

Deno.test("planTransaction() survives numbers at both ends", () => {
  for (const number of [0, 0.4499, 0.7999, 0.9199, 1 - 2 ** -53]) {
    for (const statement of planTransaction(() => number).statements) {
      assertEquals(/undefined|NaN/.test(statement), false, statement);
    }
  }
});

Deno.test("planLargeTransaction() keeps its table from growing", () => {
  const { kind, statements } = planLargeTransaction();
  assertEquals(kind, "large");
  assert(statements.some((text) => text.startsWith("DELETE FROM document")));
  assert(statements.some((text) => text.startsWith("INSERT INTO document")));
});

Deno.test("planSchemaChange() undoes each change in the same round", () => {
  for (const round of [1, 2]) {
    const statements = Array.from(
      { length: 7 },
      (_, step) => planSchemaChange((round - 1) * 7 + step),
    ).flat();
    const made = (pattern: RegExp): (string | undefined)[] =>
      statements.map((text) => pattern.exec(text)?.[1])
        .filter((name) => name !== undefined);
    assertEquals(made(/^CREATE TABLE (\w+)/), [`archive_${round}`]);
    assertEquals(made(/^DROP TABLE (\w+)/), [`archive_${round}`]);
    assertEquals(made(/purchase ADD COLUMN (\w+)/), [`colour_${round}`]);
    assertEquals(made(/purchase DROP COLUMN (\w+)/), [`colour_${round}`]);
    assertEquals(made(/^CREATE INDEX (\w+)/), made(/^DROP INDEX (\w+)/));
  }
});
