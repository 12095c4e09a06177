import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  denoShortfall,
  loadFlags,
} from "../../../../scripts/compile/deno_version.ts";

Deno.test("denoShortfall() says what does not work with an older Deno", () => {
  assertStringIncludes(denoShortfall("2.5.7")!, "TLS, zstd");
  assertStringIncludes(denoShortfall("1.46.3")!, "older than 2.9");
  for (const version of ["2.9.0", "2.9.6", "2.10.0", "3.0.0", "2.9.6+abc"]) {
    assertEquals(denoShortfall(version), undefined, version);
  }
});

Deno.test("loadFlags() has Deno load texts as modules", () => {
  assertEquals(loadFlags("2.5.7"), ["--unstable-raw-imports"]);
  assertEquals(loadFlags("2.9.6"), []);
});
