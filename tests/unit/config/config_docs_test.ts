import { assertEquals } from "@std/assert";
import { listConfigKeys } from "../../../lib/config/config_key.ts";
import {
  CONFIG_SCHEMA,
  CONFIG_SECTIONS,
} from "../../../lib/config/config_schema.ts";
import { KEY_INFO } from "../../../lib/config/key_info.ts";
import { formatConfigDocs } from "../../../scripts/config_docs.ts";

Deno.test("docs/configuration.md is what the code says", async () => {
  const file = new URL("../../../docs/configuration.md", import.meta.url);
  const hint = "run scripts/config_docs.ts";
  assertEquals(await Deno.readTextFile(file), formatConfigDocs(), hint);
});

Deno.test("listConfigKeys() has every key the validator takes", () => {
  const sections = new Set(
    CONFIG_SECTIONS.map(({ path }) => path[0]).filter(Boolean),
  );
  assertEquals(
    new Set(Object.keys(CONFIG_SCHEMA.shape)),
    new Set([...Object.keys(CONFIG_SECTIONS[0]!.shape), ...sections]),
  );
  for (const { path, shape } of CONFIG_SECTIONS) {
    for (const [key, schema] of Object.entries(shape)) {
      const info = KEY_INFO.get(schema);
      const name = [...path, key].join();
      // A section in a section says what it is about itself.
      if (CONFIG_SECTIONS.some((one) => one.path.join() === name)) continue;
      assertEquals(typeof info?.about, "string", [...path, key].join("."));
    }
  }
});

Deno.test("listConfigKeys() gives each flag once, and none to a secret in clear", () => {
  const flags = listConfigKeys().flatMap(({ flag }) => flag ?? []);
  assertEquals(flags.length, new Set(flags).size);
  assertEquals(flags.includes("source-password"), false);
  for (
    const flag of [
      "data-dir",
      "server-listen",
      "admin-listen",
      "source-address",
      "source-user",
      "source-password-file",
      "source-password-env",
      "log-level",
    ]
  ) {
    assertEquals(flags.includes(flag), true, flag);
  }
});
