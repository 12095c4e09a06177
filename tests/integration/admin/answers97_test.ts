import { assert, assertEquals } from "@std/assert";
import { openApp } from "../../../lib/app.ts";
import { formatAddress } from "../../../lib/config/address.ts";
import { loadOptions } from "../../../lib/config/load_config.ts";
import { silentLog } from "../../../lib/log/log.ts";
import { REPLICATION_ACCOUNT } from "../../../scripts/test_servers/mysql56.ts";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { AnswerChecker } from "../../support/answer_checker.ts";
import { DumpClient } from "../../support/dump_client.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";

const sources = new SharedMysql97(9775);

const TOKENS: Readonly<Record<string, string>> = {
  READ_TOKEN: "read-token-0123456789",
  ADMIN_TOKEN: "admin-token-0123456789",
};

const { user, password } = REPLICATION_ACCOUNT;

/** Method, path as described, the path asked if it is another, and the rest. */
interface Question {
  readonly method: string;
  readonly path: string;
  readonly at?: string;
  readonly token?: string | undefined;
  readonly body?: BodyInit;
  readonly headers?: Record<string, string>;
}

/** Asks, and compares each answer with the document. */
class Interview {
  readonly #url: string;
  readonly #checker: AnswerChecker;

  private constructor(url: string, checker: AnswerChecker) {
    this.#url = url;
    this.#checker = checker;
  }

  static async begin(url: string): Promise<Interview> {
    const document = await (await fetch(`${url}/openapi.json`)).json();
    return new Interview(url, new AnswerChecker(document));
  }

  get seen(): ReadonlySet<string> {
    return this.#checker.seen;
  }

  /** Asks; asserts the status and that the answer is as described. */
  async ask(question: Question, status: number): Promise<void> {
    const { method, path, at = path, body, headers } = question;
    const token = "token" in question ? question.token : TOKENS["ADMIN_TOKEN"];
    const response = await fetch(`${this.#url}${at}`, {
      method,
      headers: {
        ...token === undefined ? {} : { authorization: `Bearer ${token}` },
        ...headers,
      },
      ...body === undefined ? {} : { body },
    });
    const answer = await ended(response);
    assertEquals(answer.status, status, `${method} ${at}`);
    assertEquals(await this.#checker.faultsOf(method, path, answer), []);
  }
}

/** What has begun, where the rest would never end. */
async function ended(response: Response): Promise<Response> {
  const type = response.headers.get("content-type") ?? "";
  if (!type.startsWith("text/event-stream")) return response;
  await response.body?.cancel();
  return new Response("", response);
}

await rigTest("every answer of a running kingbus is as /openapi.json says", [
  "mysql97",
], async () => {
  const source = await sources.asSource();
  const folder = await Deno.makeTempDir({ prefix: "kingbus-test-" });
  const options = await loadOptions({
    file: "test.yaml",
    flags: new Map(),
    env: (name) => TOKENS[name],
    readTextFile: () =>
      Promise.resolve(`
data-dir: ${folder}/data
admin:
  listen: 127.0.0.1:0
  read-token-env: READ_TOKEN
  admin-token-env: ADMIN_TOKEN
server:
  listen: 127.0.0.1:0
  users: [{ name: ${user}, password: ${password} }]
source: { address: "127.0.0.1:${source.port}", user: ${user}, password: ${password} }
retention: { files: 1000, replicas: [{ uuid: 3e11fa47-71ca-11e1-9e33-c80aa9429562 }] }
`),
  });
  try {
    await using app = await openApp(options, silentLog());
    const url = `http://${formatAddress(app.adminListen)}`;
    await waitUntil("kingbus to follow", () =>
      Promise.resolve(
        app.syncer.report().state === "following" &&
          app.syncer.report().log.file !== ""
          ? true
          : undefined,
      ));
    const [, port] = app.serverListen.split(":");
    const interview = await Interview.begin(url);
    const ask = (
      method: string,
      path: string,
      status: number,
      more: Partial<Question> = {},
    ) => interview.ask({ method, path, ...more }, status);

    const client = await DumpClient.open({ port: Number(port) }, {
      serverId: 77,
      flags: 0,
    });
    const shown = [
      "/status",
      "/status/history",
      "/status/warnings",
      "/status/stream",
      "/metrics",
      "/binlog/syncer/status",
      "/binlog/server/status",
      "/binlog/files",
      "/binlog/retention/status",
      "/cluster",
      "/members",
    ];
    for (const path of shown) {
      await ask("GET", path, 200, { token: TOKENS["READ_TOKEN"] });
      await ask("GET", path, 401, { token: undefined });
    }
    for (const path of ["/", "/healthz", "/readyz", "/api", "/openapi.json"]) {
      await ask("GET", path, 200, { token: undefined });
    }
    await ask("GET", "/readyz", 200);
    await ask("GET", "/page/{file}", 200, { at: "/page/status.css" });
    await ask("GET", "/page/{file}", 404, { at: "/page/nothing" });
    await ask("GET", "/api/{file}", 200, { at: "/api/swagger-ui.css" });
    await ask("GET", "/api/{file}", 404, { at: "/api/nothing" });
    await ask("GET", "/status/stream", 400, { at: "/status/stream?a=b" });

    const kick = "/binlog/server/replicas/{connection_id}";
    const place = kick.slice(0, kick.indexOf("{"));
    await ask("DELETE", kick, 400, { at: `${place}x` });
    await ask("DELETE", kick, 404, { at: `${place}999999` });
    await ask("DELETE", kick, 200, { at: `${place}${client.connectionId}` });
    await client[Symbol.asyncDispose]();

    const changed: [string, string][] = [
      ["PUT", "/binlog/syncer/start"],
      ["PUT", "/binlog/syncer/stop"],
      ["PUT", "/binlog/server/start"],
      ["PUT", "/binlog/server/stop"],
      ["PUT", "/binlog/purge"],
      ["DELETE", kick],
      ["POST", "/members"],
      ["PUT", "/members"],
      ["DELETE", "/members"],
      ["PUT", "/admin/url"],
    ];
    for (const [method, path] of changed) {
      const at = path === kick ? `${place}1` : path;
      await ask(method, path, 401, { at, token: undefined });
      await ask(method, path, 403, { at, token: TOKENS["READ_TOKEN"] });
      await ask(method, path, 403, { at, headers: { origin: "http://evil" } });
    }
    for (const [method, path] of changed.slice(6)) await ask(method, path, 501);

    for (const path of ["/binlog/syncer/start", "/binlog/server/start"]) {
      await ask("PUT", path, 400, { body: '{"nothing": 1}' });
      await ask("PUT", path, 413, { body: "x".repeat(2 ** 19) });
      const headers = { "content-type": "text/xml" };
      await ask("PUT", path, 415, { body: "<a/>", headers });
      await ask("PUT", path, 409, { body: "{}" });
    }
    await ask("PUT", "/binlog/purge", 400, { body: "{}" });
    await ask("PUT", "/binlog/purge", 404, { body: '{"to":"none.000001"}' });
    const before = JSON.stringify({
      before: new Date(Date.now() + 60_000).toISOString(),
      dry_run: true,
    });
    await ask("PUT", "/binlog/purge", 200, { body: before });
    await ask("PUT", "/binlog/syncer/stop", 200);
    await ask("GET", "/binlog/syncer/status", 200);
    await ask("PUT", "/binlog/syncer/start", 200, {
      body: JSON.stringify({
        mysql_addr: "127.0.0.1:1",
        mysql_user: user,
        mysql_password: password,
      }),
    });
    await waitUntil("an attempt to fail", () =>
      Promise.resolve(
        app.syncer.report().cause === undefined ? undefined : true,
      ));
    await ask("GET", "/readyz", 503);
    await ask("GET", "/readyz", 503, { token: undefined });
    await ask("GET", "/status", 200);
    await ask("PUT", "/binlog/server/stop", 200);
    await ask("GET", "/binlog/server/status", 200);
    await ask("PUT", "/binlog/server/start", 200);

    for (let count = 0; count < 11; count++) {
      const wrong = { token: "wrong-token-0123456789" };
      await ask("GET", "/status", count < 10 ? 401 : 429, wrong);
    }
    const { paths } = await (await fetch(`${url}/openapi.json`)).json();
    for (const [path, methods] of Object.entries(paths)) {
      for (const [method, { responses }] of Object.entries(methods as object)) {
        const name = `${method.toUpperCase()} ${path}`;
        const fine = "200" in responses ? 200 : 501;
        assert(interview.seen.has(`${name} ${fine}`), `${name} was not asked`);
      }
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
