// What is left of a transaction that did not come to its end, wherever the
// connection to a real source was cut: nothing, and then all of it.

import { assert, assertEquals } from "@std/assert";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { type CutKind, FaultProxy } from "../../crash/fault_proxy.ts";
import { readDumpedFiles } from "../../support/dump_client.ts";
import { SharedSource56 } from "../../support/shared_mysql56.ts";
import {
  assertSameBytes,
  assertSameFiles,
  readSourceFile,
} from "../../support/source_file.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";
import { TEST_TABLE } from "../../support/test_table.ts";

const source = new SharedSource56(["--max-allowed-packet=64M"]);

const KINDS: readonly CutKind[] = ["rst", "fin", "truncate"];

/** What login and statements take of a connection, at least, in bytes. */
const LOGIN_BYTES = 2_000;

async function makeTable(): Promise<void> {
  await source.run(
    TEST_TABLE,
    "INSERT INTO test.t (data) VALUES ('one')",
  );
}

/** A kingbus that has all there is, and the proxy it follows through. */
async function following(
  use: (kingbus: TestKingbus, proxy: FaultProxy) => Promise<void>,
): Promise<void> {
  await using proxy = await FaultProxy.open(source.port);
  await using kingbus = await TestKingbus.start({ hurry: 50 });
  await kingbus.follow(proxy);
  await assertSameFiles(kingbus, source.onDisk);
  await use(kingbus, proxy);
}

/** Ends of transactions in the file, of the server's own making. */
async function boundaries(fileName: string): Promise<Set<number>> {
  const { columns, rows } = await source.server.query(
    `SHOW BINLOG EVENTS IN '${fileName}'`,
  );
  const column = (name: string): number => columns.indexOf(name);
  return new Set(
    rows.filter((row) => {
      const type = row[column("Event_type")];
      return type === "Xid" || type === "Previous_gtids" ||
        type === "Query" && row[column("Info")] !== "BEGIN";
    }).map((row) => Number(row[column("End_log_pos")])),
  );
}

/** Checks that all that is visible is the begin of the source's file. */
async function assertBegin(kingbus: TestKingbus): Promise<void> {
  for (const [name, served] of await readDumpedFiles({ port: kingbus.port })) {
    const whole = await readSourceFile(source.onDisk, name);
    assertSameBytes(name, served, whole.subarray(0, served.length));
  }
}

/** Waits for a cut, but not for ever. */
async function made(cut: Promise<void>): Promise<void> {
  let isMade = false;
  cut.then(() => isMade = true);
  await waitUntil("the connection was cut", () => isMade);
}

/**
 * Cuts the next connections after so many bytes each, all of them inside the
 * one transaction that is to come: none may move the log.
 */
async function cutInside(
  kingbus: TestKingbus,
  proxy: FaultProxy,
  offsets: readonly number[],
): Promise<void> {
  const { fileName, position } = kingbus.head;
  const executed = kingbus.executed;
  const cuts = offsets.map((bytes, index) =>
    proxy.cutAfter(KINDS[index % KINDS.length]!, bytes)
  );
  await kingbus.resume();
  for (const cut of cuts.slice(0, -1)) {
    await made(cut);
    assertEquals(
      [kingbus.head.fileName, kingbus.head.position, kingbus.executed],
      [fileName, position, executed],
    );
    await assertBegin(kingbus);
  }
  await made(cuts.at(-1)!);
  await assertSameFiles(kingbus, source.onDisk);
}

Deno.test("Syncer keeps nothing of a transaction larger than a commit that is cut", async () => {
  await makeTable();
  await following(async (kingbus, proxy) => {
    await kingbus.stop();
    await source.run(
      "BEGIN",
      ...Array(30).fill(
        "INSERT INTO test.t (data) VALUES (REPEAT('large', 12000))",
      ),
      "COMMIT",
    );
    const bytes = 30 * 60_000;
    await cutInside(kingbus, proxy, [
      LOGIN_BYTES + 2_000,
      // Around a block, a commit, and the end.
      ...[64_000, 799_000, 801_000, 1_600_000, bytes - 1_000],
    ]);
  });
});

Deno.test("Syncer keeps nothing of an event above 16 MiB that is cut", async () => {
  await makeTable();
  await following(async (kingbus, proxy) => {
    await kingbus.stop();
    const bytes = 17_000_000;
    await source.run(
      "SET binlog_rows_query_log_events = ON",
      `INSERT INTO test.t (data) VALUES (LENGTH('${"x".repeat(bytes)}'))`,
    );
    await cutInside(kingbus, proxy, [
      LOGIN_BYTES + 3_000,
      ...[900_000, 0xff_ffff - 10_000, 0xff_ffff + 20_000, bytes],
    ]);
  });
});

Deno.test("Syncer keeps whole transactions of a group commit that is cut", async () => {
  await makeTable();
  await following(async (kingbus, proxy) => {
    await kingbus.stop();
    for (let count = 0; count < 300; count++) {
      await source.run(
        `INSERT INTO test.t (data) VALUES (REPEAT('s', ${3 * count}))`,
      );
    }
    const { fileName } = kingbus.head;
    const ends = await boundaries(fileName);
    let before = kingbus.head.position;
    let moved = 0;
    const cuts = Array.from(
      { length: 30 },
      (_, count) =>
        proxy.cutAfter(
          KINDS[count % KINDS.length]!,
          LOGIN_BYTES + 997 * (count % 10),
        ),
    );
    await kingbus.resume();
    for (const cut of cuts) {
      await made(cut);
      const { position } = kingbus.head;
      assert(ends.has(position), `no transaction ends at ${position}`);
      assert(position >= before);
      if (position > before) moved++;
      before = position;
    }
    assert(moved >= 5, `only ${moved} cuts were behind a transaction's end`);
    await assertBegin(kingbus);
    await assertSameFiles(kingbus, source.onDisk);
    await waitUntil("it followed", () => kingbus.status.state === "following");
  });
});
