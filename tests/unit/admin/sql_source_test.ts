import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ControlError, type TlsChange } from "../../../lib/admin/control.ts";
import { changedTls } from "../../../lib/admin/intent/changed_tls.ts";
import type { SourceTlsSettings } from "../../../lib/config/options.ts";
import { SqlSource } from "../../../lib/admin/sql_source.ts";
import { SourceControlError } from "../../../lib/server/source_control.ts";
import { sourceErrorNumber } from "../../../lib/server/source_status.ts";
import { SYNCER_CAUSES } from "../../../lib/syncer/syncer_cause.ts";
import { MemorySyncerControl } from "./memory_controls.ts";

function sqlSource(syncer: MemorySyncerControl): SqlSource {
  return new SqlSource({
    syncer: () => syncer,
    connectRetryMs: 15_000,
    kept: () => ({
      bytes: 1000,
      retrieved: () => "kept",
      mariadbPosition: "",
    }),
  });
}

async function kindOf(step: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => step, SourceControlError)).kind;
}

Deno.test("SqlSource.status() is the syncer's, without one while there is no target", () => {
  const syncer = new MemorySyncerControl();
  const source = sqlSource(syncer);
  const status = source.status()!;
  assertEquals(
    [status.hostname, status.port, status.user, status.state],
    ["127.0.0.1", 3306, "kb", "stopped"],
  );
  assertEquals([status.file, status.position], ["binlog.000042", 157]);
  assertEquals([status.logBytes, status.retrieved()], [1000, "kept"]);
  assertEquals(status.fault, undefined);
  syncer.current = { target: undefined };
  assertEquals(source.status(), undefined);
});

Deno.test("SqlSource.status() shows the candidate that is followed, and what a change set", () => {
  const syncer = new MemorySyncerControl();
  const candidates = [
    { address: "127.0.0.1:3306", followed: false },
    { address: "[::1]:3307", followed: true },
  ];
  syncer.current = { state: "following", candidates };
  const status = sqlSource(syncer).status()!;
  assertEquals([status.hostname, status.port], ["::1", 3307]);
  syncer.current = { state: "stopped", candidates };
  assertEquals(sqlSource(syncer).status()!.port, 3306);
});

Deno.test("SqlSource.status() says how the connection is secured", () => {
  const syncer = new MemorySyncerControl();
  const source = { serverId: "1", uuid: "", version: "9.7.4" };
  const files = { ca: "/ca.pem" };
  const tlsOf = (current: typeof syncer.current) => {
    syncer.current = current;
    return sqlSource(syncer).status()!.tls;
  };
  assertEquals(tlsOf({ tls: { mode: "disabled", files } }), undefined);
  assertEquals(tlsOf({ tls: { mode: "preferred", files }, source }), undefined);
  const tls = { version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384" };
  assertEquals(
    tlsOf({
      tls: { mode: "preferred", files: {} },
      source: { ...source, tls },
    }),
    { ca: "", certificate: "", key: "", verifiesIdentity: false },
  );
  assertEquals(tlsOf({ tls: { mode: "verify-identity", files } }), {
    ca: "/ca.pem",
    certificate: "",
    key: "",
    verifiesIdentity: true,
  });
});

Deno.test("changedTls() comes to the mode that a replica's options mean", () => {
  const cases: [from: string, change: TlsChange, to: string][] = [
    ["preferred", {}, "preferred"],
    ["preferred", { enabled: true }, "required"],
    ["required", { enabled: false }, "disabled"],
    ["disabled", { enabled: true, ca: "/ca" }, "verify-ca"],
    ["disabled", { ca: "/ca" }, "disabled"],
    ["preferred", { ca: "/ca", verifiesIdentity: true }, "verify-identity"],
    [
      "verify-identity",
      { ca: "/ca", verifiesIdentity: false },
      "verify-ca",
    ],
    ["verify-ca", { ca: "" }, "required"],
  ];
  for (const [mode, change, expected] of cases) {
    const base = { mode: mode as SourceTlsSettings["mode"], files: {} };
    assertEquals(changedTls(base, change).mode, expected, mode);
  }
  const plain = { mode: "preferred", files: {} } as const;
  for (
    const change of [
      { verifiesIdentity: true },
      { certificate: "/c" },
      { key: "/k" },
    ]
  ) {
    assertThrows(() => changedTls(plain, change), ControlError);
  }
});

Deno.test("SqlSource.status() has a number for every cause, in each generation", () => {
  const syncer = new MemorySyncerControl();
  const at = new Date(5000);
  for (const cause of SYNCER_CAUSES) {
    syncer.current = { state: "waiting", cause, reason: "why", faultAt: at };
    const { fault } = sqlSource(syncer).status()!;
    assertEquals([fault!.message, fault!.at], ["why", at]);
    const old = sourceErrorNumber(fault!.kind, "5.7.44");
    const modern = sourceErrorNumber(fault!.kind, "8.0.36");
    // the client library's, the server's, and those of the error log
    assertEquals(old > 1000 && old < 2100, true, cause);
    assertEquals(modern === old || modern > 10_000, true, cause);
  }
});

Deno.test("SqlSource starts and stops, and says when there was nothing to do", async () => {
  const syncer = new MemorySyncerControl();
  const source = sqlSource(syncer);
  assertEquals(await source.stop(), false);
  assertEquals(await source.start(), true);
  assertEquals(await source.start(), false);
  assertEquals(syncer.started, 1);
  assertEquals(await source.stop(), true);
});

Deno.test("SqlSource.change() hands on what was named, only while it is stopped", async () => {
  const syncer = new MemorySyncerControl();
  const source = sqlSource(syncer);
  await source.change({ hostname: "db2", password: "p", heartbeatMs: 500 });
  await source.change({
    port: 5,
    file: "binlog.000042",
    position: 157,
  });
  assertEquals(syncer.changes, [
    { hostname: "db2", password: "p", heartbeatMs: 500 },
    { port: 5 },
  ]);
  for (const state of ["following", "connecting", "waiting"] as const) {
    syncer.current = { state };
    assertEquals(await kindOf(source.change({ port: 6 })), "running");
  }
  syncer.current = { state: "failed" };
  await source.change({ port: 7 });
  assertEquals(syncer.changes.length, 3);
});

Deno.test("SqlSource.change() takes a position only where the log ends", async () => {
  const source = sqlSource(new MemorySyncerControl());
  for (
    const change of [
      { file: "binlog.000041" },
      { position: 4 },
      { file: "binlog.000042", position: 4 },
    ]
  ) {
    assertEquals(await kindOf(source.change(change)), "refused");
  }
});

Deno.test("SqlSource tells a control's refusals apart", async () => {
  const syncer = new MemorySyncerControl();
  const source = sqlSource(syncer);
  const cases = [
    ["conflict", "running"],
    ["invalid", "refused"],
    ["unavailable", "failed"],
  ] as const;
  for (const [kind, expected] of cases) {
    syncer.failWith = new ControlError(kind, "no");
    assertEquals(await kindOf(source.start()), expected);
    assertEquals(await kindOf(source.change({ port: 5 })), expected);
  }
  syncer.failWith = new TypeError("a fault of ours");
  await assertRejects(() => source.start(), TypeError, "a fault of ours");
});
