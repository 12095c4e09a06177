import { assert, assertEquals, assertThrows } from "@std/assert";
import { Admission } from "../../../../lib/admin/access/admission.ts";
import { AdminTokens } from "../../../../lib/admin/access/admin_tokens.ts";
import type { RouteAccess } from "../../../../lib/admin/admin_route.ts";
import { RequestError } from "../../../../lib/admin/request_error.ts";
import { openLog, silentLog } from "../../../../lib/log/log.ts";

const READ = "read-token-0123456789";
const ADMIN = "admin-token-0123456789";

type Tokens = "none" | "read" | "admin" | "both";

function admissionOf(
  tokens: Tokens,
  options: {
    isExposed?: boolean;
    hosts?: string[];
    proxies?: string[];
    now?: () => number;
  } = {},
): { admission: Admission; lines: string[] } {
  const lines: string[] = [];
  const log = openLog({
    level: "debug",
    format: "text",
    write: (line) => lines.push(line),
  });
  const given = (kind: Tokens, text: string) =>
    tokens === kind || tokens === "both"
      ? { text, file: undefined }
      : undefined;
  const admission = new Admission({
    tokens: new AdminTokens({
      readToken: given("read", READ),
      adminToken: given("admin", ADMIN),
      log,
    }),
    log,
    ...options,
  });
  return { admission, lines };
}

function requestOf(
  method: string,
  headers: Record<string, string> = {},
): Request {
  return new Request("http://127.0.0.1:9595/x", { method, headers });
}

/** What is granted, or the status it is refused with. */
function outcome(
  admission: Admission,
  access: RouteAccess,
  headers: Record<string, string> = {},
): RouteAccess | number {
  const method = access === "admin" ? "PUT" : "GET";
  try {
    return admission.admit(requestOf(method, headers), access, "10.0.0.9");
  } catch (error) {
    if (error instanceof RequestError) return error.status;
    throw error;
  }
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const PAGE = {
  origin: "http://127.0.0.1:9595",
  "sec-fetch-site": "same-origin",
};

Deno.test("Admission grants what tokens, address and caller allow", () => {
  // Who asks, then what becomes of a look and of a change.
  const cases: [
    Tokens,
    boolean,
    Record<string, string>,
    RouteAccess | number,
    RouteAccess | number,
  ][] = [
    ["none", false, {}, "admin", "admin"],
    ["none", false, PAGE, "read", 403],
    ["none", false, { ...PAGE, ...bearer("whatever") }, "read", 403],
    ["none", false, { "sec-fetch-site": "none" }, "admin", "admin"],
    ["read", false, {}, 401, 403],
    ["read", false, bearer(READ), "read", 403],
    ["read", true, bearer(READ), "read", 403],
    ["read", false, bearer("wrong"), 401, 401],
    ["admin", false, {}, "read", 401],
    ["admin", true, {}, 401, 401],
    ["admin", false, bearer("wrong"), 401, 401],
    ["admin", true, bearer(ADMIN), "admin", "admin"],
    ["admin", false, PAGE, "read", 401],
    ["admin", false, { ...PAGE, ...bearer(ADMIN) }, "admin", "admin"],
    ["both", true, {}, 401, 401],
    ["both", false, {}, 401, 401],
    ["both", true, bearer(READ), "read", 403],
    ["both", true, bearer(ADMIN), "admin", "admin"],
    ["both", true, { ...PAGE, ...bearer(ADMIN) }, "admin", "admin"],
  ];
  for (const [tokens, isExposed, headers, look, change] of cases) {
    const { admission } = admissionOf(tokens, { isExposed });
    const name = JSON.stringify([tokens, isExposed, headers]);
    assertEquals(outcome(admission, "read", headers), look, name);
    assertEquals(outcome(admission, "admin", headers), change, name);
  }
});

Deno.test("Admission lets everybody at what is open, with details for who may see", () => {
  const cases: [Tokens, boolean, Record<string, string>, RouteAccess][] = [
    ["none", false, {}, "admin"],
    ["read", false, {}, "open"],
    ["read", false, bearer("wrong"), "open"],
    ["both", true, bearer(READ), "read"],
    ["admin", false, {}, "read"],
    ["admin", true, {}, "open"],
  ];
  for (const [tokens, isExposed, headers, granted] of cases) {
    const { admission } = admissionOf(tokens, { isExposed });
    assertEquals(outcome(admission, "open", headers), granted);
  }
});

Deno.test("Admission takes no other form of a token", () => {
  const { admission } = admissionOf("both");
  for (
    const authorization of [
      ADMIN,
      `Basic ${btoa(`admin:${ADMIN}`)}`,
      `Bearer ${ADMIN} x`,
      `Bearer  ${ADMIN.slice(0, -1)}`,
      `Bearer ${ADMIN.toUpperCase()}`,
      `Bearer ${ADMIN},${READ}`,
      "Bearer",
      "",
    ]
  ) {
    assertEquals(outcome(admission, "admin", { authorization }), 401);
  }
  for (const authorization of [`bearer ${ADMIN}`, `BEARER   ${ADMIN}`]) {
    assertEquals(outcome(admission, "admin", { authorization }), "admin");
  }
});

Deno.test("Admission has no page of another site change anything, token or not", () => {
  const foreign: Record<string, string>[] = [
    { origin: "http://evil.example" },
    { origin: "http://127.0.0.1:9596" },
    { origin: "https://127.0.0.1" },
    { origin: "http://kb1" },
    { origin: "null" },
    { origin: "file://" },
    { origin: "http://127.0.0.1:9595.evil.example" },
    { origin: "http://127.0.0.1:9595@evil.example" },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { ...PAGE, "sec-fetch-site": "cross-site" },
  ];
  for (const tokens of ["none", "admin", "both"] as const) {
    // Another port of this machine is another site.
    const { admission } = admissionOf(tokens, { hosts: ["127.0.0.1", "kb1"] });
    for (const headers of foreign) {
      const all = { ...headers, ...bearer(ADMIN) };
      assertEquals(outcome(admission, "admin", all), 403, JSON.stringify(all));
    }
  }
  // A proxy's name that is configured is our own.
  const { admission } = admissionOf("admin", { proxies: ["kb.example"] });
  const proxied = { origin: "https://kb.example", ...bearer(ADMIN) };
  assertEquals(outcome(admission, "admin", proxied), "admin");
});

Deno.test("Admission says what to send or to set, and never a token", () => {
  const told = (tokens: Tokens, headers: Record<string, string>) => {
    const { admission } = admissionOf(tokens);
    return assertThrows(
      () => admission.admit(requestOf("PUT", headers), "admin", "::1"),
      RequestError,
    );
  };
  const missing = told("both", {});
  assertEquals(
    missing.message,
    "this needs the admin token: send it as Authorization: Bearer TOKEN",
  );
  assertEquals(missing.headers["www-authenticate"], 'Bearer realm="kingbus"');
  const wrong = told("both", bearer("s3cret-s3cret-s3cret"));
  assertEquals(wrong.message, "the token is none of kingbus's");
  assertEquals(
    told("none", PAGE).message,
    "a browser may change something with the admin token only, and there is none: set admin.admin-token-file (or admin.admin-token-env) in kingbus's configuration",
  );
  assertEquals(
    told("both", bearer(READ)).message,
    "the read token may change nothing: this needs the admin token",
  );
});

Deno.test("Admission counts wrong tokens, tells of them seldom, and slows who sends them", () => {
  let nowMs = 0;
  const { admission, lines } = admissionOf("both", { now: () => nowMs });
  const statuses = Array.from(
    { length: 25 },
    () => outcome(admission, "read", bearer("s3cret-s3cret-s3cret")),
  );
  assertEquals(statuses, [...Array(10).fill(401), ...Array(15).fill(429)]);
  assertEquals(admission.refusedTokens, 25);
  assertEquals(lines.length, 1);
  assert(lines[0]!.includes("remote=10.0.0.9"), lines[0]);
  // The right one is let in all the while.
  assertEquals(outcome(admission, "read", bearer(READ)), "read");
  nowMs = 10_000;
  assertEquals(outcome(admission, "read", bearer("wrong")), 401);
  assertEquals(lines.length, 2);
  assert(lines[1]!.includes("since_last_line=25"), lines[1]);
  assert(!lines.join().includes("s3cret"));
});

Deno.test("Admission knows its own names, and no others", () => {
  const admission = new Admission({
    hosts: ["KB.example.com", "node-1"],
    log: silentLog(),
  });
  const statusOf = (host: string, url = "http://127.0.0.1/") => {
    try {
      admission.checkHost(new Request(url, { headers: { host } }));
      return 200;
    } catch (error) {
      return error instanceof RequestError ? error.status : error;
    }
  };
  for (
    const host of [
      "localhost",
      "LOCALHOST:9595",
      "localhost.",
      "kingbus.localhost:1",
      "127.0.0.1",
      "10.9.8.7:9595",
      "[::1]:9595",
      "[fe80::1]",
      "kb.example.com",
      "kb.EXAMPLE.com.:443",
      "node-1:9595",
    ]
  ) assertEquals(statusOf(host), 200, host);
  for (
    const host of [
      "evil.example",
      "kb.example.com.evil.example",
      "127.0.0.1.evil.example",
      "localhost.evil.example",
      "notlocalhost",
      "node-2",
      "0x7f.1",
      "2130706433",
    ]
  ) assertEquals(statusOf(host), 421, host);
  for (
    const host of [
      "",
      "a b",
      "a/b",
      "[::1",
      "::1",
      "a:b",
      "a:999999",
      "user@localhost",
      "x".repeat(400),
    ]
  ) assertEquals(statusOf(host), 400, host);
  assertEquals(statusOf("localhost", "http://evil.example/"), 421);
});
