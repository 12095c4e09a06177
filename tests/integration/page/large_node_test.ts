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

/** The share of a core that the page's main thread takes for some seconds. */
async function loadOf({ page }: TestPage): Promise<number> {
  const session = await page.context().newCDPSession(page);
  // Counts from here on.
  await session.send("Performance.enable");
  const at = performance.now();
  await page.waitForTimeout(5000);
  const { metrics } = await session.send("Performance.getMetrics");
  const seconds = (performance.now() - at) / 1000;
  await session.detach();
  const busy = metrics.find(({ name }) => name === "TaskDuration")?.value;
  return (busy ?? NaN) / seconds;
}

/** Milliseconds of the longest time for which the page did not answer. */
function longestTask(page: TestPage): Promise<number> {
  return page.evaluate<number>(`new Promise((resolve) => {
    const observer = new PerformanceObserver((list) => {
      resolve(Math.max(...list.getEntries().map(({ duration }) => duration)));
    });
    observer.observe({ type: "longtask", buffered: true });
    setTimeout(() => resolve(0), 1000);
  })`);
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
    const longest = await longestTask(page);
    assert(longest < 1000, `the page did not answer for ${longest} ms`);
    const load = await loadOf(page);
    console.log(
      `main thread with 1,000 replicas: ${(load * 100).toFixed(1)} %`,
    );
    assert(load < 0.5, `the main thread is busy for ${load}`);
    page.assertClean();
  },
);

await browserTest(
  "the page fits a window of any width, and nothing of a row is out of sight",
  [],
  async (browser) => {
    await using node = await LargeNode.open({
      ...SIZE,
      replicas: 30,
      files: 3,
    });
    await using page = await browser.open(node.url);
    await page.waitUntilLive();
    const kick = page.page.locator("#replicas-table tbody button").first();
    await kick.waitFor();
    for (const width of [280, 320, 500, 720, 721, 768, 900, 960, 961, 1100]) {
      await page.page.setViewportSize({ width, height: 900 });
      assertEquals(await page.overflow(), 0, `${width} pixels`);
      const { x = 0, width: wide = Infinity } = await kick.boundingBox() ?? {};
      assert(
        x + wide <= width,
        `${width} pixels: a button ends at ${x + wide}`,
      );
      if (width === 768) await page.shoot("tablet");
    }
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
    const load = await loadOf(page);
    console.log(`main thread with all of them: ${(load * 100).toFixed(1)} %`);
    assert(load < 0.5, `the main thread is busy for ${load}`);
    page.assertClean();
  },
);

await browserTest(
  "a GTID set of 1 MB is folded, shown in part, and saved whole",
  [],
  async (browser) => {
    await using node = await LargeNode.open(SIZE);
    await using page = await browser.open(node.url, PHONE);
    const { page: tab } = page;
    await page.waitUntilLive();
    const folded = tab.locator('[data-field="log-executed"]');
    const whole = folded.locator("pre");
    assertEquals(await whole.textContent(), "");
    await folded.locator("summary").click();
    await folded.getByText(/^… and .* [KM]iB more$/).waitFor();
    const shown = await whole.textContent() ?? "";
    assert(shown.startsWith(LONG_GTIDS.slice(0, 40)), shown.slice(0, 100));
    assert(shown.length < 21_000, `${shown.length} characters are shown`);
    assertEquals(await page.overflow(), 0);
    const download = tab.waitForEvent("download");
    await folded.getByRole("button", { name: "Save as a file" }).click();
    const saved = await download;
    assertEquals(saved.suggestedFilename(), "executed GTIDs.txt");
    const text = await Deno.readTextFile(await saved.path());
    assertEquals(text.length, LONG_GTIDS.length + 1);
    assert(text === `${LONG_GTIDS}\n`);
    page.assertClean();
  },
);

await browserTest(
  "a stream that has come to its end is followed by another one, unnoticed",
  [],
  async (browser) => {
    await using node = await LargeNode.open({
      ...SIZE,
      replicas: 5,
      files: 3,
      readMsMax: 2000,
    });
    await using page = await browser.open(node.url);
    await page.waitUntilLive();
    let streams = 0;
    page.page.on("request", (request) => {
      if (request.url().endsWith("/status/stream")) streams++;
    });
    await page.evaluate(`
      globalThis.states = [];
      new MutationObserver(() => states.push(document.body.dataset.connection))
        .observe(document.body, { attributeFilter: ["data-connection"] });
      const now = performance.now.bind(performance);
      // A minute is over in a second, by the page's clock.
      performance.now = () => now() * 60;
    `);
    await waitUntil("two streams followed the first", () => streams >= 2);
    await page.waitUntilLive();
    assertEquals(await page.evaluate("globalThis.states"), []);
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
