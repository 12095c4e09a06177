import { assert, assertEquals, assertMatch } from "@std/assert";
import { Admission } from "../../../lib/admin/access/admission.ts";
import { AdminTokens } from "../../../lib/admin/access/admin_tokens.ts";
import { AdminApi } from "../../../lib/admin/admin_api.ts";
import type { AdminRoute } from "../../../lib/admin/admin_route.ts";
import { adminRoutes } from "../../../lib/admin/admin_routes.ts";
import type { AdminRefusalReason } from "../../../lib/admin/connection_refusals.ts";
import type { HttpLimits } from "../../../lib/admin/http_listener.ts";
import { openLog } from "../../../lib/log/log.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { exchange, latin1, parseAnswer } from "../../support/http_exchange.ts";
import { MemoryNode } from "../../unit/admin/memory_node.ts";

const ADMIN_TOKEN = "admin-token-0123456789";

/** Short, so that the tests are; the order of the times is the real one. */
const LIMITS: HttpLimits = {
  connectionsMax: 8,
  headTimeoutMs: 500,
  requestTimeoutMs: 1500,
  idleTimeoutMs: 1000,
  answerTimeoutMs: 1500,
  checkMs: 100,
};

/** It waits for requests under way for 2 s. */
const CLOSE_MS_MAX = 1_500;

/** A listening API over parts that only remember what they were told. */
class ListeningApi implements AsyncDisposable {
  readonly #node = new MemoryNode();
  readonly syncer = this.#node.syncer;
  readonly lines: string[] = [];
  /** Why connections were refused. */
  readonly refused: AdminRefusalReason[] = [];
  /** Event streams that have begun, and those that have ended. */
  streams = { begun: 0, ended: 0 };
  readonly #api: AdminApi;
  port = 0;

  private constructor() {
    const log = openLog({
      level: "debug",
      format: "text",
      write: (line) => this.lines.push(line),
    });
    const token = { text: ADMIN_TOKEN, file: undefined };
    this.#api = new AdminApi({
      routes: [
        ...adminRoutes(this.#node),
        this.#route("/test/large", () => new Response(new Uint8Array(2 ** 26))),
        this.#route("/test/fault", () => {
          throw new TypeError("broken at /etc/secret with hunter2");
        }),
        this.#route("/test/stream", () => this.#stream()),
      ],
      admission: new Admission({
        tokens: new AdminTokens({ adminToken: token, log }),
        log,
      }),
      onRefused: (reason) => this.refused.push(reason),
      log,
    });
  }

  static async open(): Promise<ListeningApi> {
    const opened = new ListeningApi();
    const address = { hostname: "127.0.0.1", port: 0 };
    const { port } = await opened.#api.listen(address, { limits: LIMITS });
    opened.port = port;
    return opened;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#api.close();
  }

  #route(path: string, handle: () => Response): AdminRoute {
    return {
      method: "GET",
      path,
      subject: "node",
      summary: "For a test.",
      access: "open",
      answer: { mediaType: "*/*", about: "" },
      errors: [],
      handle,
    };
  }

  #stream(): Response {
    this.streams.begun++;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(latin1("data: x\n\n")),
      cancel: () => {
        this.streams.ended++;
      },
    });
    const headers = { "content-type": "text/event-stream" };
    return new Response(body, { headers });
  }
}

const HOST = "Host: localhost\r\n";
const CLOSE = "Connection: close\r\n";
const TOKEN = `Authorization: Bearer ${ADMIN_TOKEN}\r\n`;

function get(path: string, headers = ""): string {
  return `GET ${path} HTTP/1.1\r\n${HOST}${CLOSE}${headers}\r\n`;
}

function put(path: string, body: string, headers = TOKEN): string {
  return `PUT ${path} HTTP/1.1\r\n${HOST}${CLOSE}${headers}Content-Length: ${body.length}\r\n\r\n${body}`;
}

const START = "/binlog/syncer/start";

function chunked(coding: string): string {
  return `PUT ${START} HTTP/1.1\r\n${HOST}${CLOSE}${TOKEN}Transfer-Encoding: ${coding}\r\n\r\n2\r\n{}\r\n0\r\n\r\n`;
}

/** What is sent, and the status it gets. */
const BAD: readonly (readonly [string, string | Uint8Array, number])[] = [
  ["an unknown path", get("/nowhere"), 404],
  ["an unknown method", get("/status").replace("GET", "PATCH"), 405],
  ["TRACE", get("/status").replace("GET", "TRACE"), 405],
  ["OPTIONS", get("/status").replace("GET", "OPTIONS"), 405],
  ["a method that is none", get("/status").replace("GET", "KING"), 400],
  ["OPTIONS of all", get("*").replace("GET", "OPTIONS"), 400],
  ["CONNECT", get("db1:3306").replace("GET", "CONNECT"), 405],
  ["TLS", Uint8Array.of(22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3), 400],
  ["a MySQL login", Uint8Array.of(32, 0, 0, 1, 0x8d, 0xa6, 0x0f, 0), 400],
  ["HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400],
  ["a zero byte in the path", get("/a\0b"), 400],
  [
    "line ends within the head",
    "GET / HTTP/1.1\nHost: localhost\n\rX\n\n",
    400,
  ],
  ["a path above all", get("/../../../etc/passwd"), 404],
  ["an encoded path above all", get("/%2e%2e/%2e%2e/etc/passwd"), 404],
  ["a file above the page's", get("/page/..%2f..%2fdeno.json"), 404],
  ["a file above the API page's", get("/api/..%2fopenapi_document.ts"), 404],
  ["an absolute file", get("/page/%2fetc%2fpasswd"), 404],
  ["a name every object has", get("/page/__proto__"), 404],
  ["a file with a zero byte", get("/page/status.css%00.html"), 404],
  ["another host's path", get("//evil.example/status"), 404],
  ["a path that is not encoded", get("/page/%zz"), 400],
  ["a path that is no UTF-8", get("/page/%ff%fe"), 400],
  ["a long path", get(`/${"a".repeat(20_000)}`), 431],
  ["a long header", get("/status", `X: ${"a".repeat(20_000)}\r\n`), 431],
  ["many headers", get("/status", "X-Name: value\r\n".repeat(2000)), 431],
  ["no host", `GET /status HTTP/1.1\r\n${CLOSE}\r\n`, 400],
  ["two hosts", get("/status", "Host: evil.example\r\n"), 400],
  ["a host that is none", get("/").replace("localhost", "a b<script>"), 400],
  ["another's host", get("/").replace("localhost", "evil.example"), 421],
  ["another's URL", get("http://evil.example/status"), 421],
  ["a file's URL", get("file:///etc/passwd"), 400],
  ["a URL with an account", get("http://root:hunter2@localhost/status"), 400],
  ["a URL without a host", get("http:///status"), 400],
  ["a version there is not", get("/status").replace("1.1", "2.0"), 505],
  ["a host that is cut", get("/").replace("localhost", "[::1"), 400],
  [
    "a port that is none",
    get("/").replace("localhost", "localhost:99999"),
    400,
  ],
  ["no token", put(START, "", ""), 401],
  ["a wrong token", put(START, "", "Authorization: Bearer hunter2\r\n"), 401],
  ["no token's kind", put(START, "", "Authorization: Basic eDp5\r\n"), 401],
  ["another's page", put(START, "", `${TOKEN}Origin: http://evil\r\n`), 403],
  ["a page of no site", put(START, "", `${TOKEN}Origin: null\r\n`), 403],
  [
    "another site",
    put(START, "", `${TOKEN}Sec-Fetch-Site: same-site\r\n`),
    403,
  ],
  ["no JSON", put(START, "{hunter2"), 400],
  ["a list", put(START, "[]"), 400],
  ["wrong types", put(START, '{"mysql_addr":{"a":[1]}}'), 400],
  ["a key twice", put("/binlog/purge", '{"to":"a","to":"b"}'), 400],
  ["__proto__", put("/binlog/purge", '{"__proto__":{"to":"a"}}'), 400],
  ["constructor", put("/binlog/purge", '{"constructor":{"a":1}}'), 400],
  ["a deep list", put(START, "[".repeat(100_000)), 400],
  [
    "a deep value",
    put(START, `{"start":${"[".repeat(90_000)}${"]".repeat(90_000)}}`),
    400,
  ],
  ["no UTF-8", put(START, '{"start":"\xff\xfe"}'), 400],
  ["XML", put(START, "<a/>", `${TOKEN}Content-Type: text/xml\r\n`), 415],
  [
    "a form",
    put(START, "x", `${TOKEN}Content-Type: multipart/form-data\r\n`),
    415,
  ],
  [
    "UTF-16",
    put(
      START,
      "{}",
      `${TOKEN}Content-Type: application/json; charset=utf-16\r\n`,
    ),
    415,
  ],
  [
    "a compressed body",
    put(START, "{}", `${TOKEN}Content-Encoding: gzip\r\n`),
    415,
  ],
  ["a large body", put(START, "x".repeat(2 ** 20)), 413],
  [
    "a body said to be large",
    put(START, "{}").replace("Length: 2", "Length: 99999999999"),
    413,
  ],
  [
    "a length below 0",
    put(START, "{}").replace("Length: 2", "Length: -2"),
    400,
  ],
  ["two lengths", put(START, "{}", `${TOKEN}Content-Length: 5\r\n`), 400],
  [
    "a length and chunks",
    put(START, "{}", `${TOKEN}Transfer-Encoding: chunked\r\n`),
    400,
  ],
  ["a compressed transfer", chunked("gzip, chunked"), 501],
  ["chunks of HTTP/1.0", chunked("chunked").replace("1.1", "1.0"), 400],
  ["chunks twice", chunked("chunked\r\nTransfer-Encoding: chunked"), 400],
  ["chunks that are not last", chunked("chunked, identity"), 400],
  [
    "chunks that are none",
    `PUT ${START} HTTP/1.1\r\n${HOST}${TOKEN}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
    400,
  ],
  ["an unknown query", get("/status/stream?x=1"), 400],
  ["a query twice", get("/status/stream?x=1&x=2"), 400],
  ["a fault in kingbus", get("/test/fault"), 500],
];

function countBy(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

Deno.test("whatever is sent gets an answer in the envelope, and an end", async (context) => {
  await using api = await ListeningApi.open();
  for (const [name, sent, status] of BAD) {
    await context.step(name, async () => {
      const text = await exchange(api.port, sent);
      const answer = parseAnswer(text, name);
      assertEquals(answer.status, status, `${name}: ${answer.body}`);
      const { message, ...rest } = JSON.parse(answer.body);
      assertEquals([typeof message, rest], ["string", {}]);
      assert(!/\n|\bat \w+ \(|\.ts:\d|hunter2/.test(message), message);
      const { headers } = answer;
      assertEquals(headers.get("content-type"), "application/json");
      assertEquals(headers.get("x-content-type-options"), "nosniff");
      assertEquals(headers.get("cache-control"), "no-store");
      assertEquals(headers.get("referrer-policy"), "no-referrer");
      assertEquals(
        headers.get("content-security-policy"),
        "default-src 'none'; frame-ancestors 'none'",
      );
      assertEquals(headers.has("access-control-allow-origin"), false);
      if (status === 401) assert(headers.has("www-authenticate"));
      if (status === 405) assert(headers.has("allow"));
    });
  }
  const refused = countBy(api.refused);
  assertEquals(Object.keys(refused).toSorted(), [
    "head-too-large",
    "malformed",
  ]);
  assertEquals(refused["head-too-large"], 3);
  assert(refused.malformed! > 10, `${refused.malformed}`);
  assertEquals(api.syncer.started, 0);
  const said = api.lines.join("");
  assert(!said.includes(ADMIN_TOKEN));
  assert(!said.includes("{hunter2") && !said.includes("Bearer hunter2"));
  // After all of it, it does what it should.
  const answer = parseAnswer(
    await exchange(api.port, get("/status")),
    "status",
  );
  assertEquals(answer.status, 200);
});

Deno.test("nothing is held for ever: slow heads, bodies, readers and idle connections", async (context) => {
  await using api = await ListeningApi.open();
  const slow: [string, string, number | undefined][] = [
    ["nothing at all", "", 408],
    ["half a head", `GET /status HTTP/1.1\r\n${HOST}X: `, 408],
    ["half a body", put(START, "{}").replace("Length: 2", "Length: 9"), 408],
    ["an idle connection", `GET /healthz HTTP/1.1\r\n${HOST}\r\n`, 200],
  ];
  for (const [name, sent, status] of slow) {
    await context.step(name, async () => {
      const answer = parseAnswer(await exchange(api.port, sent), name);
      assertEquals(answer.status, status);
      assert(JSON.parse(answer.body).message.length > 0);
    });
  }
  await context.step("a head that comes one byte at a time", async () => {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port: api.port });
    const bytes = latin1(get("/status", "X: y\r\n".repeat(100)));
    const answer = conn.read(new Uint8Array(1000));
    let isAnswered = false;
    answer.then(() => isAnswered = true, () => isAnswered = true);
    try {
      for (let at = 0; !isAnswered && at < bytes.length; at++) {
        await conn.write(bytes.subarray(at, at + 1));
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    } catch {
      // It was cut off.
    }
    assertEquals(isAnswered, true);
  });
  await context.step("an answer that nobody reads", async () => {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port: api.port });
    await conn.write(latin1(get("/test/large")));
    // Nothing is sent until then: that would be a reason of its own.
    await waitUntil(
      "its time to be up",
      () => Promise.resolve(api.refused.includes("not-read") || undefined),
      { deadlineMs: 20_000, intervalMs: 100 },
    );
    await waitUntil("it to be cut off", async () => {
      // What was cut off takes nothing more.
      try {
        await conn.write(latin1("x"));
        return undefined;
      } catch {
        return true;
      }
    }, { deadlineMs: 20_000, intervalMs: 100 });
  });
  assertEquals(countBy(api.refused), { "too-slow": 4, "not-read": 1 });
  await context.step("HEAD of a stream", async () => {
    const head = get("/test/stream").replace("GET", "HEAD");
    const answer = parseAnswer(await exchange(api.port, head), "HEAD");
    assertEquals([answer.status, answer.body], [200, ""]);
    assertEquals(api.streams, { begun: 1, ended: 1 });
  });
});

Deno.test("connections are bounded: one too many is told so, others go on", async () => {
  await using api = await ListeningApi.open();
  const held: Deno.TcpConn[] = [];
  try {
    for (let count = 0; count < LIMITS.connectionsMax; count++) {
      const conn = await Deno.connect({
        hostname: "127.0.0.1",
        port: api.port,
      });
      await conn.write(latin1(`GET /healthz HTTP/1.1\r\n${HOST}\r\n`));
      await conn.read(new Uint8Array(1000));
      held.push(conn);
    }
    const answer = parseAnswer(
      await exchange(api.port, get("/healthz")),
      "one too many",
    );
    assertEquals(answer.status, 503);
    assertEquals(
      JSON.parse(answer.body).message,
      "there are too many connections",
    );
    assertEquals(api.refused, ["too-many-connections"]);
    const said = api.lines.filter((line) => line.includes("WARN")).join();
    assertMatch(said, /no place for more connections remote=127\.0\.0\.1/);
  } finally {
    for (const conn of held) conn.close();
  }
  await waitUntil("a place", async () => {
    const text = await exchange(api.port, get("/healthz"));
    return text.startsWith("HTTP/1.1 200") ? true : undefined;
  }, { deadlineMs: 20_000, intervalMs: 100 });
});

Deno.test("closing waits for no stream", async () => {
  const tookMs: number[] = [];
  // one of them is not held up by whatever else the machine does
  while (tookMs.length < 5 && !tookMs.some((ms) => ms < CLOSE_MS_MAX)) {
    const api = await ListeningApi.open();
    using conn = await Deno.connect({ hostname: "127.0.0.1", port: api.port });
    await conn.write(latin1(get("/test/stream")));
    await conn.read(new Uint8Array(1000));
    const began = performance.now();
    await api[Symbol.asyncDispose]();
    tookMs.push(performance.now() - began);
    await waitUntil(
      "the stream's end",
      () => Promise.resolve(api.streams.ended === 1 ? true : undefined),
      { deadlineMs: 10_000, intervalMs: 20 },
    );
  }
  assert(Math.min(...tookMs) < CLOSE_MS_MAX, `${tookMs} ms`);
});
