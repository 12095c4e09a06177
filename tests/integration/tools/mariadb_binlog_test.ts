import { assertEquals } from "@std/assert";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { RawCopy } from "../../support/raw_copy.ts";
import { SharedSource56 } from "../../support/shared_mysql56.ts";
import { assertSameBytes, readSourceFile } from "../../support/source_file.ts";
import { logEndOf } from "../../support/sql_server.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";
import { TEST_TABLE } from "../../support/test_table.ts";

const source = new SharedSource56();

/** Three files with something in each. */
async function writeThreeFiles(): Promise<void> {
  await source.run(
    TEST_TABLE,
    "INSERT INTO test.t (data) VALUES (REPEAT('x', 200000)), ('small')",
    "FLUSH LOGS",
    "INSERT INTO test.t (data) VALUES ('two')",
    "FLUSH LOGS",
    "INSERT INTO test.t (data) VALUES ('three')",
  );
}

/** Compares copies with the source's own files. */
async function assertCopies(copy: RawCopy, names: string[]): Promise<void> {
  const files = copy.files();
  assertEquals([...files.keys()], names);
  for (const [name, bytes] of files) {
    assertSameBytes(name, bytes, await readSourceFile(source.onDisk, name));
  }
}

const THREE = ["binlog.000001", "binlog.000002", "binlog.000003"];

await rigTest(
  "mariadb-binlog --raw copies one file of kingbus byte for byte",
  ["mariadb-binlog"],
  async (rig) => {
    await writeThreeFiles();
    await using kingbus = await TestKingbus.following(source);
    await kingbus.waitUntilHas(await source.executed());
    for (const name of THREE) {
      await using copy = await RawCopy.open(
        rig.program("mariadb-binlog"),
        kingbus.port,
      );
      await copy.run("-R", name);
      await assertCopies(copy, [name]);
    }
  },
);

await rigTest(
  "mariadb-binlog --raw --to-last-log copies all files of kingbus byte for byte",
  ["mariadb-binlog"],
  async (rig) => {
    await writeThreeFiles();
    await using kingbus = await TestKingbus.following(source);
    await kingbus.waitUntilHas(await source.executed());
    await using copy = await RawCopy.open(
      rig.program("mariadb-binlog"),
      kingbus.port,
    );
    await copy.run("-R", "--to-last-log", "binlog.000001");
    await assertCopies(copy, THREE);
  },
);

await rigTest(
  "mariadb-binlog --raw --stop-never keeps up with kingbus byte for byte",
  ["mariadb-binlog"],
  async (rig) => {
    await writeThreeFiles();
    await using kingbus = await TestKingbus.following(source);
    await kingbus.waitUntilHas(await source.executed());
    await using copy = await RawCopy.open(
      rig.program("mariadb-binlog"),
      kingbus.port,
    );
    copy.start("-R", "--stop-never", "binlog.000002");
    await kingbus.waitUntilDumping(1);
    await source.run(
      "INSERT INTO test.t (data) VALUES ('more')",
      "FLUSH LOGS",
      "INSERT INTO test.t (data) VALUES ('and more')",
    );
    const { fileName, position } = await logEndOf(source.server);
    await waitUntil(
      "all of it was copied",
      () => copy.sizeOf(fileName) >= position,
    );
    await copy.stop();
    await assertCopies(copy, ["binlog.000002", "binlog.000003", fileName]);
  },
);
