import { assertEquals } from "@std/assert";
import { VERSION } from "../../lib/version.ts";
import denoJson from "../../deno.json" with { type: "json" };

Deno.test("VERSION is the version deno.json names", () => {
  assertEquals(VERSION, denoJson.version);
});
