import { assert, assertEquals } from "@std/assert";
import { openKvStore } from "../../../lib/store/kv/open_kv_store.ts";
import { importFlags } from "../../../scripts/import_flags.ts";
import { LogFeeder } from "../../support/log_feeder.ts";
import { MadeLog } from "../../support/made_log.ts";

/** Whether this process may make a small disk of its own. */
async function mayMount(): Promise<boolean> {
  try {
    const { success } = await new Deno.Command("unshare", {
      args: ["-rm", "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", "/mnt"],
      stdout: "null",
      stderr: "null",
    }).output();
    return success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

const canRun = await mayMount();
const NAME =
  "kingbus export to a full disk says where it stopped, leaves whole files only, and goes on";
if (!canRun) {
  console.error(`SKIPPED "${NAME}": no small disk can be mounted here`);
}

Deno.test({
  name: NAME,
  ignore: !canRun,
  fn: async () => {
    const folder = await Deno.makeTempDir({ prefix: "kingbus-full-" });
    try {
      await makeStore(`${folder}/kingbus.db`);
      await Deno.mkdir(`${folder}/disk`);
      const kingbus = [
        Deno.execPath(),
        "run",
        ...await importFlags(),
        "-A",
        new URL("../../../main.ts", import.meta.url).pathname,
        "export",
        `--data-dir=${folder}`,
        `--to=${folder}/disk/out`,
      ];
      // A disk that one file fits on; then a larger one.
      const script = `mount -t tmpfs -o size=3m tmpfs "$0/disk"
"$@" ; echo "code $?"
ls "$0/disk/out"
mount -o remount,size=20m "$0/disk"
"$@" --json ; echo "code $?"
cd "$0/disk/out" && cksum binlog.*`;
      const { stdout, stderr } = await new Deno.Command("unshare", {
        args: ["-rm", "sh", "-c", script, folder, ...kingbus],
        stdin: "null",
      }).output();
      const out = new TextDecoder().decode(stdout).trimEnd().split("\n");
      const error = new TextDecoder().decode(stderr);
      assertEquals(error.trimEnd().split("\n").length, 1, error);
      assert(
        /^kingbus: Cannot write \S+\/binlog\.000002 at position \d+: No space left/
          .test(error),
        error,
      );
      assertEquals(out.slice(0, 3), [
        "code 1",
        "binlog.000001",
        "kingbus-export.json",
      ]);
      const { files } = JSON.parse(out[3]!);
      assertEquals(
        files.map(({ state }: { state: string }) => state),
        ["kept", "written", "written"],
      );
      assertEquals(out[4], "code 0");
      assertEquals(out.length, 8);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/** Three files of two megabytes. */
async function makeStore(path: string): Promise<void> {
  await using store = await openKvStore({ path });
  const made = new MadeLog();
  const feeder = new LogFeeder(store.writer);
  for (let file = 1; file <= 3; file++) {
    feeder.startFile(`binlog.00000${file}`);
    feeder.push(made.beginFile());
    while (made.position < 2_000_000) {
      feeder.push(made.transaction({ rows: [50_000] }));
    }
    await store.writer.flush();
  }
}
