import { assertEquals } from "@std/assert";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import {
  assertSameLog,
  SharedMariadb,
  writeRow,
} from "../../support/mariadb_source.ts";
import { readFile } from "../../support/read_stored_file.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";

const sources = new SharedMariadb(8171);

await rigTest(
  "Syncer notices that an idle MariaDB source was reset under its dump, and keeps what it has",
  ["mariadb"],
  async () => {
    const source = await sources.fresh();
    await writeRow(source);
    await writeRow(source);
    await using kingbus = await TestKingbus.following(source, {
      hurry: 10,
      idleCheckMs: 300,
    });
    await assertSameLog(kingbus, source);
    const before = await readFile(kingbus.store, kingbus.store.files[0]!);
    const { executed } = kingbus.status;
    await source.run("RESET MASTER");
    await writeRow(source);
    const { cause } = await kingbus.waitUntilState("failed");
    assertEquals(cause, "reset");
    assertEquals(kingbus.status.executed, executed);
    assertEquals(
      await readFile(kingbus.store, kingbus.store.files[0]!),
      before,
    );
  },
);

await rigTest(
  "Syncer leaves an idle MariaDB source alone that has nothing new",
  ["mariadb"],
  async () => {
    const source = await sources.fresh();
    await writeRow(source);
    await using kingbus = await TestKingbus.following(source, {
      idleCheckMs: 100,
    });
    await assertSameLog(kingbus, source);
    const connected = kingbus.status.connectedAt;
    // Long enough for some looks at it.
    await new Promise((resolve) => setTimeout(resolve, 600));
    assertEquals(kingbus.status.connectedAt, connected);
    assertEquals(kingbus.status.attempts, 0);
    await writeRow(source);
    await assertSameLog(kingbus, source);
  },
);
