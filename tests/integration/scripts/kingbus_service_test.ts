import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { programTest } from "../../support/program_test.ts";

const UNIT = new URL("../../../scripts/kingbus.service", import.meta.url)
  .pathname;

/** Exposure as `systemd-analyze security` rates it: 0 is best, 10 worst. */
const EXPOSURE_MAX = 2;

async function analyze(
  ...args: string[]
): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await new Deno.Command("systemd-analyze", {
    args: ["--no-pager", ...args],
    env: { NO_COLOR: "1", SYSTEMD_COLORS: "0" },
  }).output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

await programTest(
  "kingbus.service is a unit that systemd takes without a complaint",
  ["systemd-analyze"],
  async () => {
    const folder = await Deno.makeTempDir();
    try {
      // The executable has to be there.
      const unit = (await Deno.readTextFile(UNIT))
        .replaceAll("/usr/local/bin/kingbus", "/bin/sh");
      await Deno.writeTextFile(`${folder}/kingbus.service`, unit);
      const { code, text } = await analyze(
        "verify",
        `${folder}/kingbus.service`,
      );
      assertEquals(code, 0, text);
      const ours = text.split("\n").filter((line) => line.includes("kingbus"));
      assertEquals(ours, []);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

await programTest(
  "kingbus.service exposes little of the machine",
  ["systemd-analyze"],
  async () => {
    const { code, text } = await analyze(
      "security",
      "--offline=true",
      `--threshold=${EXPOSURE_MAX * 10}`,
      UNIT,
    );
    assertEquals(code, 0, text);
    const [, exposure] = /exposure level for kingbus.service: ([\d.]+)/
      .exec(text) ?? [];
    assert(Number(exposure) <= EXPOSURE_MAX, text);
    console.log(`kingbus.service: exposure level ${exposure}`);
  },
);

Deno.test("kingbus.service has longer to stop than draining takes", async () => {
  const unit = await Deno.readTextFile(UNIT);
  const [, seconds] = /^TimeoutStopSec=(\d+)s$/m.exec(unit) ?? [];
  const run = await Deno.readTextFile(
    new URL("../../../lib/server/server_run.ts", import.meta.url),
  );
  const [, drainMs] = /DEFAULT_DRAIN_TIMEOUT_MS = (\d+)/.exec(run) ?? [];
  assert(Number(seconds) * 1000 >= 3 * Number(drainMs));
  assertStringIncludes(unit, "RestartPreventExitStatus=2\n");
});
