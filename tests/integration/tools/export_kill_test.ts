import { assert, assertEquals } from "@std/assert";
import { openKvStore } from "../../../lib/store/kv/open_kv_store.ts";
import { importFlags } from "../../../scripts/import_flags.ts";
import { joinBytes } from "../../support/dump_packets.ts";
import { ExportedFolder } from "../../support/exported_folder.ts";
import { LogFeeder } from "../../support/log_feeder.ts";
import { MadeLog } from "../../support/made_log.ts";
import { SeededRandom } from "../../support/seeded_random.ts";
import { assertSameBytes } from "../../support/source_file.ts";

/** Twelve files of eight megabytes; answers what they have to be. */
async function makeStore(path: string): Promise<Map<string, Uint8Array>> {
  await using store = await openKvStore({ path });
  const made = new MadeLog();
  const feeder = new LogFeeder(store.writer);
  const files = new Map<string, Uint8Array>();
  for (let number = 1; number <= 12; number++) {
    const name = `binlog.${String(number).padStart(6, "0")}`;
    const events = [new Uint8Array([0xfe, 0x62, 0x69, 0x6e])];
    const append = (added: readonly Uint8Array[]): void => {
      events.push(...added.map((event) => event.slice()));
      feeder.push(added);
    };
    feeder.startFile(name);
    append(made.beginFile());
    while (made.position < 8_000_000) {
      append(made.transaction({ rows: [900_000] }));
    }
    await store.writer.flush();
    files.set(name, joinBytes(events));
  }
  return files;
}

/** Starts an export and ends it with a signal when it has begun to write. */
async function exportUntil(
  signal: Deno.Signal,
  dataDir: string,
  to: string,
  afterFiles: number,
  delayMs: number,
): Promise<Deno.CommandOutput> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      ...await importFlags(),
      "-A",
      new URL("../../../main.ts", import.meta.url).pathname,
      "export",
      `--data-dir=${dataDir}`,
      `--to=${to}`,
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let ended = false;
  const output = child.output().finally(() => ended = true);
  while (!ended && countFiles(to) < afterFiles) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  try {
    if (!ended) child.kill(signal);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // It has ended by itself.
  }
  return await output;
}

function countFiles(folder: string): number {
  try {
    return [...Deno.readDirSync(folder)].length;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

Deno.test("kingbus export that is killed again and again leaves whole files only, and ends", async () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const random = new SeededRandom(seed);
  const dataDir = await Deno.makeTempDir({ prefix: "kingbus-killed-" });
  try {
    const expected = await makeStore(`${dataDir}/kingbus.db`);
    await using folder = await ExportedFolder.for();
    let kept = 0;
    for (let kill = 1; kill <= 8; kill++) {
      const signal = kill % 4 === 0 ? "SIGTERM" : "SIGKILL";
      const delayMs = random.integer(0, 30);
      const { code, stderr } = await exportUntil(
        signal,
        dataDir,
        folder.path,
        Math.min(kept + 2, 12),
        delayMs,
      );
      const names = folder.names().filter((name) => !name.includes("partial"));
      for (const name of names) {
        assertSameBytes(
          `${name}, seed ${seed}, kill ${kill}`,
          folder.read(name),
          expected.get(name)!,
        );
      }
      assert(
        names.length >= kept,
        `seed ${seed}: ${names.length} after ${kept}`,
      );
      kept = names.length;
      // It may have ended by the signal before it listened for it.
      if (signal === "SIGTERM" && code === 1) {
        const text = new TextDecoder().decode(stderr);
        assert(text.includes("the same command goes on"), text);
        assertEquals(folder.names(), names);
      }
    }
    await folder.export(dataDir);
    assertEquals(folder.names(), [...expected.keys()]);
    for (const [name, bytes] of expected) {
      assertSameBytes(name, folder.read(name), bytes);
    }
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});
