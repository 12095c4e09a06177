import { assert, assertEquals } from "@std/assert";
import { browserTest } from "../../support/browser.ts";
import { LargeNode } from "../../support/large_node.ts";

const SMALL = { replicas: 1, files: 1, executed: "" };

await browserTest(
  "the page at /api tries calls under its security policy",
  [],
  async (browser) => {
    await using node = await LargeNode.open(SMALL);
    await using api = await browser.open(`${node.url}api`);
    const { page } = api;
    await page.locator(".swagger-ui .info .title").waitFor();
    assertEquals(await page.locator(".opblock").count() > 15, true);
    await api.shoot("api");

    const status = page.locator("#operations-node-getStatus");
    await status.locator(".opblock-summary-control").click();
    await status.locator(".try-out__btn").click();
    await status.locator(".execute").click();
    const answer = status.locator(
      ".live-responses-table tbody .response-col_status",
    );
    await answer.first().waitFor();
    assert((await answer.first().innerText()).startsWith("200"));
    const body = await status.locator(
      ".live-responses-table tbody .response-col_description",
    ).innerText();
    assert(body.includes('"started_at"'), body);

    // A browser may change nothing where there is no admin token.
    api.expect(/403 \(Forbidden\)/);
    const stop = page.locator("#operations-source-putBinlogSyncerStop");
    await stop.locator(".opblock-summary-control").click();
    await stop.locator(".try-out__btn").click();
    await stop.locator(".execute").click();
    const refusal = stop.locator(
      ".live-responses-table tbody .response-col_description",
    );
    await refusal.getByText("admin.admin-token-file").first().waitFor();
    api.assertClean();
  },
);

await browserTest(
  "the page at /api is dark where one likes it so, also when that changes",
  [],
  async (browser) => {
    await using node = await LargeNode.open(SMALL);
    await using api = await browser.open(`${node.url}api`, {
      colorScheme: "dark",
    });
    const { page } = api;
    await page.locator(".swagger-ui .info .title").waitFor();
    /** Of the page and of a title, from 0 for black to 255. */
    const brightness = () =>
      api.evaluate<[number, number]>(`
        [
          getComputedStyle(document.documentElement).backgroundColor,
          getComputedStyle(document.querySelector(".info .title")).color,
        ].map((colour) => Number(/\\d+/.exec(colour)[0]))
      `);
    const [ground, text] = await brightness();
    assert(ground < 80 && text > 150, `${text} on ${ground}`);
    await api.shoot("api-dark");
    await page.emulateMedia({ colorScheme: "light" });
    await page.locator("html:not(.dark-mode)").waitFor();
    const [, ink] = await brightness();
    assert(ink < 100, `${ink} on a bright page`);
    api.assertClean();
  },
);
