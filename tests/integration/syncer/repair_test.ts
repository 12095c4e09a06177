import { assert, assertEquals } from "@std/assert";
import { repairKvStore } from "../../../lib/store/kv/repair_kv_store.ts";
import { KvVerifySource } from "../../../lib/store/kv/kv_verify_source.ts";
import { verifyLog } from "../../../lib/store/verify/verify_log.ts";
import type { VerifyReport } from "../../../lib/store/verify/verify_report.ts";
import { SharedSource56 } from "../../support/shared_mysql56.ts";
import { assertSameFiles } from "../../support/source_file.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";
import { TEST_TABLE } from "../../support/test_table.ts";

const source = new SharedSource56();

async function verify(path: string): Promise<VerifyReport> {
  await using log = await KvVerifySource.open(path);
  return await verifyLog(log);
}

/** Files of some blocks each, with rows of all sizes. */
async function writeFiles(): Promise<void> {
  await source.run(
    TEST_TABLE,
  );
  for (let file = 0; file < 3; file++) {
    for (const size of [10, 30_000, 50_000, 200_000, 70, 40_000]) {
      await source.run(
        `INSERT INTO test.t (data) VALUES (REPEAT('x', ${size}))`,
      );
    }
    await source.run("FLUSH LOGS");
  }
  await source.run("INSERT INTO test.t (data) VALUES ('end')");
}

Deno.test("a log that was damaged and repaired is fetched again, byte for byte", async () => {
  await writeFiles();
  await using kingbus = await TestKingbus.following(source);
  await assertSameFiles(kingbus, source.onDisk);
  const path = kingbus.databasePath;
  // Beside the running node, too.
  assertEquals((await verify(path)).faults, []);
  const blocks: bigint[] = [];
  await kingbus.stop();
  const kv = await Deno.openKv(path);
  for await (const { key } of kv.list({ prefix: ["block"] })) {
    blocks.push(key[1] as bigint);
  }
  kv.close();
  assert(blocks.length > 10, `${blocks.length} blocks`);
  // The last one of all, one in the middle, and the first one.
  for (const damaged of [blocks.at(-1)!, blocks.at(5)!, blocks.at(0)!]) {
    const again = await Deno.openKv(path);
    const { value } = await again.get<Uint8Array>(["block", damaged]);
    value![value!.length >> 1]! ^= 4;
    await again.set(["block", damaged], value);
    again.close();
    assertEquals((await verify(path)).faultCount, 1);
    const repaired = await repairKvStore(path);
    assert(repaired !== undefined);
    assert(!repaired.removedGtids.isEmpty);
    assertEquals((await verify(path)).faults, []);
    await kingbus.resume();
    await assertSameFiles(kingbus, source.onDisk);
    await kingbus.stop();
    assertEquals((await verify(path)).faults, []);
  }
  await kingbus.resume();
});
