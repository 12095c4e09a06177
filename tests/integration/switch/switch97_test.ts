import { assert, assertEquals } from "@std/assert";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { LOAD_TABLE } from "../../support/load_writer.ts";
import {
  makeSemiSyncSource,
  semiSyncStatus,
} from "../../support/semi_sync_plugin.ts";
import { ServerGroup, startMember97 } from "../../support/server_group.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";
import { switchSuite } from "./switch_suite.ts";

const group = new ServerGroup(startMember97, 9741);

/** Registers a test that needs the rig's installation of MySQL 9.7. */
function test(name: string, body: () => Promise<void>): Promise<void> {
  return rigTest(name, ["mysql97"], body);
}

await switchSuite("9.7", group, test);

await test("a semi-synchronous new source's COMMIT returns once kingbus has it durably", async () => {
  const { a, b } = await group.fresh();
  await b.replica.start({ port: a.port });
  await a.run(LOAD_TABLE);
  await using kingbus = await TestKingbus.following(a);
  await kingbus.waitUntilHas(await a.executed());
  await b.replica.waitUntilHas(await a.executed());
  await b.promote();
  await kingbus.syncer.stop();
  await using _semiSync = await makeSemiSyncSource(b.server);
  const before = await semiSyncStatus(b.server);
  await kingbus.follow(b, { semiSync: true });
  await waitUntil("the source had a semi-synchronous replica", async () => {
    return (await semiSyncStatus(b.server)).clients === "1";
  });
  for (let n = 0; n < 20; n++) {
    if (n === 14) await b.run("FLUSH LOGS");
    // the source waits for an hour: that it answers is the acknowledgement
    const bytes = n === 5 ? 3_000_000 : 10;
    await b.run(`INSERT INTO test.t (data) VALUES (REPEAT('x', ${bytes}))`);
    assertEquals(kingbus.executed, await b.executed());
    assertEquals(kingbus.store.files.at(-1)!.spliced, n < 14);
  }
  const after = await semiSyncStatus(b.server);
  assertEquals(Number(after.yes_tx) - Number(before.yes_tx), 20);
  assertEquals(after.no_tx, before.no_tx);
  assert(kingbus.status.semiSync!.acks >= 20);
});
