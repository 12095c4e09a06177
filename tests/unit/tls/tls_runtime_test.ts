import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { openLog } from "../../../lib/log/log.ts";
import { TlsError } from "../../../lib/tls/tls_error.ts";
import { tlsShortfall } from "../../../lib/tls/tls_runtime.ts";
import {
  type WantedTls,
  warnOfShortfall,
} from "../../../lib/tls/warn_of_shortfall.ts";

Deno.test("tlsShortfall() knows which Deno has TLS", () => {
  assertStringIncludes(tlsShortfall("2.5.7")!, "runs on Deno 2.5.7");
  assertStringIncludes(tlsShortfall("1.46.3")!, "2.9 or later");
  for (const version of ["2.9.0", "2.9.6", "2.10.0", "3.0.0", "2.9.6+abc"]) {
    assertEquals(tlsShortfall(version), undefined, version);
  }
  assertEquals(tlsShortfall(), undefined);
});

function warnings(wanted: readonly WantedTls[]): string[] {
  const lines: string[] = [];
  const log = openLog({
    level: "info",
    format: "text",
    write: (line) => lines.push(line),
  });
  warnOfShortfall("it is too old", wanted, log);
  return lines;
}

Deno.test("warnOfShortfall() goes on where TLS may be absent, and says that it is", () => {
  assertEquals(warnings([{ key: "server.tls.mode", mode: "disabled" }]), []);
  const lines = warnings([
    { key: "server.tls.mode", mode: "optional" },
    { key: "source.tls.mode", mode: "preferred" },
  ]);
  assertEquals(lines.length, 2);
  assertStringIncludes(
    lines[0]!,
    'WARN  server.tls.mode is optional, and there is no TLS reason="it is too old"',
  );
});

Deno.test("warnOfShortfall() ends where TLS is a must", () => {
  for (const mode of ["required", "verify-ca", "verify-identity"]) {
    const error = assertThrows(
      () => warnings([{ key: "source.tls.mode", mode }]),
      TlsError,
      `source.tls.mode is ${mode}, but it is too old, or set source.tls.mode`,
    );
    assertEquals(error.kind, "unsupported");
  }
});
