import { assert, assertEquals } from "@std/assert";
import { MariadbGtidState } from "../../lib/gtid/mariadb_gtid_state.ts";
import {
  filePlace,
  HEAD_PLACE,
  openRecord,
  sealRecord,
} from "../../lib/store/kv/kv_record.ts";
import { KvVerifySource } from "../../lib/store/kv/kv_verify_source.ts";
import { openKvStore } from "../../lib/store/kv/open_kv_store.ts";
import { repairKvStore } from "../../lib/store/kv/repair_kv_store.ts";
import { verifyLog } from "../../lib/store/verify/verify_log.ts";
import { LogFollower } from "../../lib/syncer/log_follower.ts";
import { loadBinlogFixtures } from "../support/binlog_fixture.ts";
import { dumpOfFiles } from "../support/log_from_fixtures.ts";

const AT_END = "0-8001-1011,3-8001-1,3-77-2";

// But for the newest one, which is marked as open.
const FIXTURES = loadBinlogFixtures("mariadb1011")
  .filter(({ name }) => name.startsWith("binlog.")).slice(0, -1);

/** A store with the captured files, changed while it is closed. */
async function withStore(
  change: (kv: Deno.Kv) => Promise<unknown>,
  test: (path: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "kingbus-verify-" });
  const path = `${folder}/kingbus.db`;
  try {
    {
      await using store = await openKvStore({ path });
      new LogFollower(store.writer, "mariadb-8001", { fileStarted() {} })
        .push(dumpOfFiles(FIXTURES));
    }
    const kv = await Deno.openKv(path);
    await change(kv);
    kv.close();
    await test(path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function faultsOf(path: string): Promise<string[]> {
  await using source = await KvVerifySource.open(path);
  return (await verifyLog(source)).faults.map(({ message }) => message);
}

/** Writes a record anew, with its seal. */
async function rewrite(
  kv: Deno.Kv,
  key: Deno.KvKey,
  place: string,
  changes: Record<string, unknown>,
): Promise<void> {
  const { value } = await kv.get(key);
  const { record } = openRecord(place, value)!;
  const changed = { ...record as Record<string, unknown>, ...changes };
  await kv.set(key, sealRecord(place, changed));
}

/** The states of a store as it opens. */
async function statesOf(path: string): Promise<string[]> {
  await using store = await openKvStore({ path });
  return [
    ...store.files.map((file) => `${file.mariadbStart}`),
    `${store.head?.mariadb}`,
  ];
}

const SOUND: string[] = [];
await withStore(() => Promise.resolve(), async (path) => {
  SOUND.push(...await statesOf(path));
});

Deno.test("verifyLog() finds a sound MariaDB log sound", async () => {
  await withStore(() => Promise.resolve(), async (path) => {
    assertEquals(await faultsOf(path), []);
    assertEquals(SOUND.at(-1), AT_END);
    assertEquals(await repairKvStore(path), undefined);
  });
});

Deno.test("verifyLog() finds a wrong state at the head, and a repair mends it", async () => {
  const wrong = MariadbGtidState.parse("0-8001-1010,3-8001-1,3-77-2").encode();
  const change = (kv: Deno.Kv) =>
    rewrite(kv, ["head"], HEAD_PLACE, { mariadb: wrong });
  await withStore(change, async (path) => {
    const faults = await faultsOf(path);
    assertEquals(faults.length, 1);
    assert(
      faults[0]!.includes(
        `has mariadb 0-8001-1010,3-8001-1,3-77-2, expected ${AT_END}`,
      ),
      faults[0],
    );
    const result = await repairKvStore(path);
    assertEquals(result!.removed, []);
    assertEquals(await faultsOf(path), []);
    assertEquals(await statesOf(path), SOUND);
  });
});

Deno.test("verifyLog() finds a wrong state before a file, and a repair mends it", async () => {
  const change = (kv: Deno.Kv) =>
    rewrite(kv, ["file", 3n], filePlace(3), { mariadbStart: undefined });
  await withStore(change, async (path) => {
    const faults = await faultsOf(path);
    assertEquals(faults.length, 1);
    assert(
      faults[0]!.includes(
        "has mariadbStart none, expected 0-8001-1001,3-8001-1,3-77-2",
      ),
      faults[0],
    );
    await repairKvStore(path);
    assertEquals(await statesOf(path), SOUND);
  });
});

Deno.test("a repair of a MariaDB log without a head finds its state", async () => {
  await withStore((kv) => kv.delete(["head"]), async (path) => {
    assert((await faultsOf(path)).length > 0);
    await repairKvStore(path);
    assertEquals(await faultsOf(path), []);
    assertEquals(await statesOf(path), SOUND);
  });
});

Deno.test("a repair that cuts a MariaDB log off takes its state back", async () => {
  await withStore((kv) => kv.delete(["block", 3n]), async (path) => {
    const result = await repairKvStore(path);
    assert(result!.removed.length > 0);
    assertEquals(result!.wentBack?.from, AT_END);
    const states = await statesOf(path);
    assertEquals(result!.wentBack?.to, states.at(-1));
    // The log ends where file 4 would begin.
    assertEquals(states, SOUND.slice(0, 4));
    assertEquals(await faultsOf(path), []);
  });
});
