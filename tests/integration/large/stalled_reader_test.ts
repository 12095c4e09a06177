import { assert, assertEquals } from "@std/assert";
import { ConnectionError } from "../../../lib/connection/connection_error.ts";
import { encodeBinlogDump } from "../../../lib/protocol/command.ts";
import { startMysql56 } from "../../../scripts/test_servers/mysql56.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { insertValue, LARGE_TABLE } from "../../support/large_rows.ts";
import { assertSameFiles } from "../../support/source_file.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";

/** Far more than the system holds for a connection nobody reads. */
const EVENT_BYTES = 60e6;

/** It has to have taken so much before it stalls: it is inside the event then. */
const TAKEN_BYTES = 1e6;

const WRITE_TIMEOUT_MS = 4_000;

Deno.test("a reader that stalls inside a large event delays nobody, and is given up in time", async () => {
  await using source = await startMysql56({
    extraArgs: ["--max-allowed-packet=128M"],
  });
  await source.query("CREATE DATABASE IF NOT EXISTS test");
  await source.query(LARGE_TABLE);
  await source.query(insertValue(EVENT_BYTES));
  await using kingbus = await TestKingbus.following(source, {
    server: { writeTimeoutMs: WRITE_TIMEOUT_MS },
  });
  const onDisk = { server: source, binlogFolder: `${source.dir}/data` };
  await assertSameFiles(kingbus, onDisk);
  await using stalled = await kingbus.connect();
  await stalled.query("SET @master_binlog_checksum = 'CRC32'");
  await stalled.sendCommand(
    encodeBinlogDump({ fileName: "", position: 4, flags: 0, serverId: 77 }),
  );
  for (let taken = 0; taken < TAKEN_BYTES;) {
    taken += (await stalled.reader.readChunk())!.length;
  }
  const stalledAt = performance.now();
  const isThere = () =>
    kingbus.replicas.some(({ serverId }) => serverId === "77");
  // Others get the same event meanwhile.
  await assertSameFiles(kingbus, onDisk);
  assert(isThere() || performance.now() - stalledAt >= WRITE_TIMEOUT_MS);
  await waitUntil("the stalled reader was given up", () => !isThere());
  assert(performance.now() - stalledAt >= WRITE_TIMEOUT_MS);
  // It gets what was on its way, which is not the whole event, and the end.
  let rest = 0;
  try {
    for (;;) {
      const chunk = await stalled.reader.readChunk();
      if (chunk === null) break;
      rest += chunk.length;
    }
  } catch (error) {
    assert(error instanceof ConnectionError);
  }
  assert(rest < EVENT_BYTES - TAKEN_BYTES);
  await assertSameFiles(kingbus, onDisk);
  assertEquals(kingbus.replicas, []);
});
