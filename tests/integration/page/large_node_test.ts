import { assert, assertEquals } from "@std/assert";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { browserTest, type TestPage } from "../../support/browser.ts";
import { LargeNode } from "../../support/large_node.ts";

/** A set of one megabyte, as text. */
const LONG_GTIDS = Array.from(
  { length: 25_000 },
  (_, index) =>
    `3e11fa47-71ca-11e1-9e33-${String(index).padStart(12, "0")}:1-9`,
).join(",");

const SIZE = { replicas: 1000, files: 10_000, executed: LONG_GTIDS };

const PHONE = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2 };

/** Rows of a table that are in the document. */
function rowsOf(page: TestPage, id: string): Promise<number> {
  return page.page.locator(`#${id}-table tbody tr`).count();
}

/** Seconds of the page's main thread so far. */
async function taskSeconds(page: TestPage): Promise<number> {
  const session = await page.page.context().newCDPSession(page.page);
  await session.send("Performance.enable");
  const { metrics } = await session.send("Performance.getMetrics");
  await session.detach();
  return metrics.find(({ name }) => name === "TaskDuration")?.value ?? NaN;
}

/** The share of a core that the page's main thread takes for some seconds. */
async function loadOf(page: TestPage): Promise<number> {
  const before = await taskSeconds(page);
  const at = performance.now();
  await page.page.waitForTimeout(5000);
  const seconds = (performance.now() - at) / 1000;
  return (await taskSeconds(page) - before) / seconds;
}

/** Makes the page believe that it can't be seen, or can be again. */
async function setHidden(page: TestPage, hidden: boolean): Promise<void> {
  await page.evaluate(`
    Object.defineProperty(document, "hidden", { configurable: true, value: ${hidden} });
    document.dispatchEvent(new Event("visibilitychange"));
  `);
}

await browserTest(
  "a node with 1,000 replicas, 10,000 files and a GTID set of 1 MB does not freeze a phone",
  [],
  async (browser) => {
    await using node = await LargeNode.open(SIZE);
    await using page = await browser.open(node.url, PHONE);
    await page.waitUntilLive();
    await page.waitForText("server-count", "1,000 replicas");
    await page.waitForText("files-count", "10,000");
    await page.waitForText("log-executed", "0.98 MiB of text");
    assert(await rowsOf(page, "replicas") <= 25);
    assert(await rowsOf(page, "files") <= 10);
    assertEquals(await page.overflow(), 0);
    const load = await loadOf(page);
    console.log(
      `main thread with 1,000 replicas: ${(load * 100).toFixed(1)} %`,
    );
    assert(load < 0.5, `the main thread is busy for ${load}`);
    page.assertClean();
  },
);

await browserTest(
  "replicas and files that the stream does not tell of are found when one looks for them",
  [],
  async (browser) => {
    await using node = await LargeNode.open(SIZE);
    await using page = await browser.open(node.url);
    await page.waitUntilLive();
    const { page: tab } = page;
    const replicas = tab.locator("#replicas-table tbody tr");
    // Those furthest behind are the ones with the largest numbers.
    await tab.locator("#replicas").getByText("the 100 furthest behind of 1,000")
      .waitFor();
    await tab.getByLabel("Filter replicas").fill("replica-17:");
    await replicas.filter({ hasText: "replica-17:3306" }).waitFor();
    await waitUntil(
      "only that one was left",
      async () => await replicas.count() === 1,
    );
    await tab.getByLabel("Filter replicas").fill("");
    await tab.getByRole("button", { name: "Lag", exact: true }).click();
    await replicas.first().filter({ hasText: "replica-0:" }).waitFor();

    const files = tab.locator("#files-table tbody tr");
    await files.first().filter({ hasText: "binlog.010000" }).waitFor();
    await tab.getByRole("button", { name: "Show all 10,000 files" }).click();
    await tab.locator("#files-pager").getByText("1–10 of 10,000").waitFor();
    await tab.locator("#files thead").getByRole("button", { name: "File" })
      .click();
    await files.first().filter({ hasText: "binlog.000001" }).waitFor();
    await tab.locator("#files").getByRole("button", { name: "Next" }).click();
    await files.first().filter({ hasText: "binlog.000011" }).waitFor();
    await tab.getByLabel("Filter files").fill("binlog.007777");
    await waitUntil(
      "only that one was left",
      async () => await files.count() === 1,
    );
    await page.shoot("large-node");
    page.assertClean();
  },
);

await browserTest(
  "a page that nobody sees lets go of the stream, and takes it up again",
  [],
  async (browser) => {
    await using node = await LargeNode.open(SIZE);
    await using page = await browser.open(node.url);
    await page.waitUntilLive();
    assertEquals(node.readers, 1);
    await setHidden(page, true);
    await waitUntil("the stream was let go", () => node.readers === 0);
    const load = await loadOf(page);
    console.log(`main thread of a hidden page: ${(load * 100).toFixed(2)} %`);
    assert(load < 0.02, `a hidden page is busy for ${load}`);
    assertEquals(
      await page.evaluate("document.body.dataset.connection"),
      "paused",
    );
    await setHidden(page, false);
    await page.waitUntilLive();
    assertEquals(node.readers, 1);
    page.assertClean();
  },
);
