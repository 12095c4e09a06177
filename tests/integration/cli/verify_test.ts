import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { databasePath } from "../../../lib/store/kv/database_path.ts";
import { openKvStore } from "../../../lib/store/kv/open_kv_store.ts";
import { runKingbus } from "../../support/kingbus_process.ts";
import { makeSmallStore } from "../../support/small_store.ts";

Deno.test("kingbus verify says what is wrong, and --repair makes it right", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "kingbus-verify-" });
  const path = databasePath(dataDir);
  const verify = (...args: string[]) =>
    runKingbus(["verify", `--data-dir=${dataDir}`, ...args]);
  try {
    const none = await verify();
    assertEquals(none.code, 1);
    assertStringIncludes(none.stderr, "is the data-dir right?");

    await makeSmallStore(path, {
      purgedIntervals: 3,
      transactions: [[40], [30_000, 40_000], [150_000]],
    });
    const sound = await verify();
    assertEquals(sound.code, 0, sound.stderr);
    assertStringIncludes(sound.stdout, "3 files");
    assertStringIncludes(sound.stdout, "\nsound\n");

    {
      await using _held = await openKvStore({ path });
      const refused = await verify("--repair");
      assertEquals(refused.code, 1);
      assertStringIncludes(
        refused.stderr,
        `Cannot repair the store ${path}: process ${Deno.pid} has it open`,
      );
    }
    const kv = await Deno.openKv(path);
    await kv.delete(["block", 6n]);
    await kv.delete(["meta", "source/identity"]);
    kv.close();
    const damaged = await verify();
    assertEquals(damaged.code, 1);
    assertStringIncludes(damaged.stdout, "binlog.000002 position ");
    assertStringIncludes(damaged.stdout, "Block 6 is missing");
    assertStringIncludes(damaged.stdout, "2 faults; kingbus verify --repair");
    const json = JSON.parse((await verify("--json")).stdout);
    assertEquals([json.sound, json.fault_count, json.repair], [false, 2, null]);
    assertEquals(json.faults[1].file, "binlog.000002");
    assertEquals(json.faults[1].block, 6);

    const repaired = await verify("--repair");
    assertEquals(repaired.code, 0, repaired.stderr);
    for (
      const said of [
        "removed the value source/identity beside the log",
        "removed binlog.000002 from position ",
        "removed binlog.000003\n",
        "removed transactions: ",
        "sound: the log ends at binlog.000002 position ",
      ]
    ) assertStringIncludes(repaired.stdout, said);
    const after = JSON.parse((await verify("--json")).stdout);
    assertEquals([after.sound, after.files], [true, 2]);
    assert(after.bytes < json.bytes);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});
