import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { browserTest } from "../../support/browser.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";
import { executedOf, logEndOf } from "../../support/sql_server.ts";
import { TcpProxy } from "../../support/tcp_proxy.ts";
import { TestApp } from "../../support/test_app.ts";
import { TEST_TABLE } from "../../support/test_table.ts";

const sources = new SharedMysql97(9795);
const replicas = new SharedMysql97(9796, ["--report-host=replica-of-test"]);

const PHONE = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2 };

const INSERT = "INSERT INTO test.t (data) VALUES (REPEAT('x', 100000))";

/** The page of a kingbus in this process. */
function pageOf({ port }: { port: number }): string {
  return `http://127.0.0.1:${port}/`;
}

await browserTest(
  "the page shows a real source, the log and a real replica, and follows them without reload",
  ["mysql97", "mysql97-replica"],
  async (browser) => {
    const source = await sources.asSource();
    const { replica } = await replicas.asReplica();
    await source.run(TEST_TABLE, INSERT);
    await using app = await TestApp.following(source);
    await replica.start({ port: app.port });
    await replica.waitUntilHas(await executedOf(source));

    await using page = await browser.open(pageOf({ port: app.adminPort }));
    await page.waitUntilLive();
    await page.evaluate("globalThis.isSamePage = true");
    await page.waitForText("source-state", "Following");
    const { version } = (await app.ask<{ version: string }>("GET", "/healthz"))
      .data;
    assertStringIncludes(await page.text("node-line"), `kingbus ${version}`);
    assertEquals(await page.text("ready"), "Ready");
    assertStringIncludes(
      await page.text("source-address"),
      `127.0.0.1:${source.port} as repl`,
    );
    assertStringIncludes(await page.text("source-server"), "server id 9795");
    assertStringIncludes(await page.text("source-connected"), "since ");
    assertEquals(await page.text("server-state"), "Serving");
    const row = page.page.locator("#replicas-table tbody tr");
    await row.filter({ hasText: "replica-of-test" }).filter({
      hasText: "id 9796",
    }).filter({ hasText: "Receiving" }).waitFor();

    for (let round = 0; round < 3; round++) {
      await source.run(INSERT, "FLUSH LOGS", INSERT);
      const { fileName, position } = await logEndOf(source);
      await page.waitForText("log-head", `${fileName}:${position}`);
      await row.filter({ hasText: fileName }).filter({
        hasText: `at ${position}`,
      }).waitFor();
    }
    await page.waitForText("source-lag", "Up to date");
    await page.waitForText("server-slowest", "all have everything");
    assertEquals(
      await page.page.locator("#files-table tbody tr").count(),
      app.files.length,
    );
    assertEquals(await page.evaluate("globalThis.isSamePage"), true);

    // What was written is in the charts, in words too.
    await page.page.locator("#chart-ingest canvas").waitFor();
    await waitUntil("the chart had what came in", async () => {
      const label = await page.page.locator("#chart-ingest .plot")
        .getAttribute("aria-label");
      return /0 B\/s to [\d.]+ [KM]iB\/s/.test(label ?? "");
    });
    await page.shoot("desktop-light");
    page.assertClean();

    await using dark = await browser.open(pageOf({ port: app.adminPort }), {
      colorScheme: "dark",
    });
    await dark.waitUntilLive();
    const background = await dark.evaluate<string>(
      "getComputedStyle(document.body).backgroundColor",
    );
    assertEquals(background, "rgb(15, 20, 25)");
    await dark.shoot("desktop-dark");
    dark.assertClean();

    await using phone = await browser.open(
      pageOf({ port: app.adminPort }),
      PHONE,
    );
    await phone.waitUntilLive();
    assertEquals(await phone.overflow(), 0);
    await phone.shoot("phone");
    // A desktop's page that is zoomed to 400 % has that width.
    await phone.page.setViewportSize({ width: 320, height: 256 });
    assertEquals(await phone.overflow(), 0);
    phone.assertClean();
  },
);

await browserTest(
  "the page says why the source is not followed and what to do about it",
  ["mysql97"],
  async (browser) => {
    const source = await sources.asSource();
    await source.run(TEST_TABLE, INSERT);
    await using app = await TestApp.following(source);
    await app.waitUntilHas(await executedOf(source));
    await using page = await browser.open(pageOf({ port: app.adminPort }));
    await page.waitUntilLive();
    await page.waitForText("source-state", "Following");

    await source.stop();
    await page.waitForText("source-cause", "unreachable");
    await page.waitForText("source-advice", "What to do: ");
    await page.waitForText("source-retry", /attempts? failed/);
    await page.waitForText("source-lag-bytes", /^nothing came for \d+ s$/);
    await page.waitForText("ready", "Not ready");
    await page.waitForText("checks", "Source not ready");
    assertEquals(
      await page.evaluate("document.title.startsWith('! ')"),
      true,
    );
    await page.shoot("source-unreachable");

    await source.restart();
    await source.run("RESET BINARY LOGS AND GTIDS");
    await page.waitForText("source-state", "Failed");
    await page.waitForText("source-cause", "Not following: reset");
    const { data } = await app.ask<{ reason: string; advice: string }>(
      "GET",
      "/binlog/syncer/status",
    );
    assertEquals(
      (await page.text("source-reason")).toLowerCase(),
      data.reason.toLowerCase(),
    );
    assertEquals(
      await page.text("source-advice"),
      `What to do: ${data.advice}`,
    );
    await page.shoot("source-failed");

    await app.ask("PUT", "/binlog/syncer/stop");
    await page.waitForText("source-state", "Stopped");
    await page.waitForText("source-cause", "Stopped on purpose");
    await page.waitForText("ready", "Ready");
    await page.shoot("source-stopped");
    page.assertClean();
  },
);

await browserTest(
  "the page of a kingbus that has nothing yet says so, and what comes next",
  [],
  async (browser) => {
    await using app = await TestApp.with(`
server:
  listen: 127.0.0.1:0
  tls: { mode: disabled }
  users: [{ name: repl, password: replpass }]
`);
    await using page = await browser.open(pageOf({ port: app.adminPort }), {
      colorScheme: "dark",
    });
    await page.waitUntilLive();
    assertEquals(await page.text("source-state"), "No source");
    assertStringIncludes(await page.text("source-reason"), "source start");
    // No row of dashes.
    assert(await page.page.locator("#source-facts").isHidden());
    assert(await page.page.locator("#source-start").isHidden());
    assertEquals(await page.text("log-head"), "Empty");
    const { page: tab } = page;
    await tab.locator("#replicas-empty").getByText("No replica is connected")
      .waitFor();
    await tab.locator("#files-empty").getByText("no file yet").waitFor();
    await tab.locator("#warnings-empty").getByText("No warnings").waitFor();
    await page.shoot("empty-dark");
    page.assertClean();
  },
);

await browserTest(
  "the page says that kingbus is gone, shows nothing old as new, and comes back by itself",
  ["mysql97"],
  async (browser) => {
    const source = await sources.asSource();
    await source.run(TEST_TABLE, INSERT);
    await using app = await TestApp.following(source);
    await app.waitUntilHas(await executedOf(source));
    await using network = new TcpProxy({ port: app.adminPort });
    await using page = await browser.open(pageOf(network));
    page.expect(/ERR_/);
    await page.waitUntilLive();
    await page.evaluate(`
      globalThis.states = [];
      new MutationObserver(() => states.push(document.body.dataset.connection))
        .observe(document.body, { attributeFilter: ["data-connection"] });
    `);

    // A network that goes silent, as when a laptop changes it.
    network.silence();
    const banner = page.page.locator("#banner");
    await banner.getByText("Connection to kingbus lost").waitFor();
    await banner.getByText("kingbus has gone silent").waitFor();
    await banner.getByText("may have changed since").waitFor();
    const purge = page.page.locator("#purge");
    await waitUntil(
      "actions were off",
      async () => await purge.getAttribute("aria-disabled") === "true",
    );
    assertEquals(
      await page.evaluate(
        "getComputedStyle(document.querySelector('main')).filter",
      ),
      "grayscale(1)",
    );
    await page.shoot("connection-lost");
    // It says why it does nothing.
    await purge.click({ force: true });
    await page.page.locator("#action-dialog[open]")
      .getByText("kingbus can't be reached").waitFor();
    await page.page.keyboard.press("Escape");

    network.speak();
    network.cut();
    await source.run(INSERT);
    const { fileName, position } = await logEndOf(source);
    await app.waitUntilHas(await executedOf(source));
    await page.waitUntilLive();
    await page.waitForText("log-head", `${fileName}:${position}`);
    assert(await banner.isHidden());
    assertEquals(await page.text("ready"), "Ready");
    // It was not said to be live again before it was.
    const states = await page.evaluate<string[]>("globalThis.states");
    assert(states.includes("lost"), states.join());
    assert(states.indexOf("lost") < states.indexOf("live"), states.join());

    // kingbus itself ends.
    await app.stop();
    await banner.getByText("Connection to kingbus lost").waitFor();
    await banner.getByText(/Next attempt in \d+ s|Trying now/).waitFor();
    // All that happened in one page: it was never loaded anew.
    assertEquals(await page.evaluate("Array.isArray(globalThis.states)"), true);
    page.assertClean();
  },
);
