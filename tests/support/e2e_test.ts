import {
  type Rig,
  type RigPart,
  rigTest,
} from "../../scripts/test_servers/rig.ts";
import { TestServerError } from "../../scripts/test_servers/test_server_error.ts";
import { type Executable, makeExecutable } from "./executable.ts";

/** What a test of the executable has at hand. */
export interface E2eSetting {
  readonly executable: Executable;
  readonly rig: Rig;
  /** A folder of its own, which goes with it. */
  readonly folder: string;
}

/**
 * Registers a test of kingbus as the executable that users run. Where none can
 * be made it is skipped, and a line on standard error says so; where
 * KINGBUS_REQUIRE_EXECUTABLE is set it fails instead.
 *
 * @param parts Servers and programs it needs, as for `rigTest`.
 */
export async function e2eTest(
  name: string,
  parts: readonly RigPart[],
  body: (setting: E2eSetting) => Promise<void>,
): Promise<void> {
  const executable = await makeExecutable("kingbus");
  if (typeof executable !== "string") {
    return await rigTest(name, parts, async (rig) => {
      const folder = await Deno.makeTempDir({ prefix: "kingbus-e2e-" });
      try {
        await body({ executable, rig, folder });
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    });
  }
  if (Deno.env.get("KINGBUS_REQUIRE_EXECUTABLE")) {
    Deno.test(name, () => {
      throw new TestServerError(
        `KINGBUS_REQUIRE_EXECUTABLE is set, but ${executable}`,
      );
    });
    return;
  }
  console.error(`SKIPPED ${JSON.stringify(name)}: ${executable}`);
  Deno.test({ name, ignore: true, fn: () => {} });
}
