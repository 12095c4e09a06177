import { assert, assertEquals } from "@std/assert";
import axe from "axe-core/axe.min.js" with { type: "text" };
import { browserTest, type TestPage } from "../../support/browser.ts";
import { LargeNode } from "../../support/large_node.ts";

const SIZE = {
  replicas: 60,
  files: 30,
  executed: "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-23",
};

/** Rules of WCAG 2.2 up to level AA, and what is good besides. */
const RULES = [
  "wcag2a",
  "wcag2aa",
  "wcag21a",
  "wcag21aa",
  "wcag22aa",
  "best-practice",
];

/** What axe finds wrong with the page as it is now, rule by rule. */
async function violationsOf(page: TestPage): Promise<string[]> {
  await page.evaluate(`${axe}; 0`);
  return await page.evaluate<string[]>(`
    axe.run(document, { runOnly: ${
    JSON.stringify(RULES)
  } }).then(({ violations }) =>
      violations.flatMap(({ id, nodes }) =>
        nodes.map(({ target, failureSummary }) =>
          id + " " + target.join(" ") + ": " + failureSummary)))
  `);
}

/** Presses a key until what has the focus is as wanted. */
async function pressUntil(
  page: TestPage,
  key: string,
  wanted: string,
): Promise<void> {
  for (let times = 0; times < 60; times++) {
    await page.page.keyboard.press(key);
    if (
      await page.evaluate(
        `document.activeElement.matches(${JSON.stringify(wanted)})`,
      )
    ) {
      return;
    }
  }
  throw new TypeError(`${key} does not lead to ${wanted}`);
}

await browserTest(
  "the page keeps the rules of WCAG 2.2 AA, light and dark, on a phone and in dialogs",
  [],
  async (browser) => {
    await using node = await LargeNode.open(SIZE);
    const modes = [
      { colorScheme: "light" },
      { colorScheme: "dark" },
      { colorScheme: "light", viewport: { width: 360, height: 740 } },
      { colorScheme: "dark", viewport: { width: 360, height: 740 } },
    ] as const;
    for (const mode of modes) {
      await using page = await browser.open(node.url, mode);
      await page.waitUntilLive();
      assertEquals(await violationsOf(page), [], Deno.inspect(mode));
      await page.page.getByRole("button", { name: "Token…" }).click();
      await page.page.locator("#token-dialog[open]").waitFor();
      assertEquals(await violationsOf(page), [], Deno.inspect(mode));
      page.assertClean();
    }
  },
);

await browserTest(
  "the page can be used with the keyboard alone, and keeps the focus while it changes",
  [],
  async (browser) => {
    await using node = await LargeNode.open(SIZE);
    await using page = await browser.open(node.url, {
      reducedMotion: "reduce",
    });
    const { page: tab } = page;
    await page.waitUntilLive();
    await tab.keyboard.press("Tab");
    assertEquals(
      await page.evaluate("document.activeElement.className"),
      "skip",
    );
    await tab.keyboard.press("Enter");
    assertEquals(await page.evaluate("document.activeElement.id"), "main");

    await pressUntil(page, "Tab", '#replicas thead [data-key="lag"] button');
    await tab.keyboard.press("Enter");
    const lag = tab.locator('#replicas thead [data-key="lag"]');
    assertEquals(await lag.getAttribute("aria-sort"), "ascending");
    await tab.keyboard.press("Enter");
    assertEquals(await lag.getAttribute("aria-sort"), "descending");
    const announced = await tab.locator("#announcer").innerText();
    assertEquals(announced, "replicas sorted by Lag, largest first");

    // The row that has the focus stays, and so do those around it.
    await pressUntil(page, "Tab", "#replicas tbody tr:nth-child(2) button");
    const label = await page.evaluate("document.activeElement.ariaLabel");
    await tab.waitForTimeout(2500);
    assertEquals(
      await page.evaluate("document.activeElement.ariaLabel"),
      label,
    );
    await tab.keyboard.press("Enter");
    await tab.locator("#action-dialog[open]").waitFor();
    await tab.keyboard.press("Enter");
    await tab.locator("#action-dialog").waitFor({ state: "hidden" });
    assertEquals(
      await page.evaluate("document.activeElement.ariaLabel"),
      label,
    );

    await pressUntil(page, "Tab", "#replicas-pager nav button:nth-child(2)");
    await tab.keyboard.press("Enter");
    await tab.locator("#replicas-pager").getByText("26–50 of 60").waitFor();
    await tab.keyboard.press("Enter");
    await tab.locator("#replicas-pager").getByText("51–60 of 60").waitFor();
    // There is no next page: the focus is not lost with its button.
    assertEquals(
      await page.evaluate("document.activeElement.textContent"),
      "Previous",
    );
    page.assertClean();
  },
);

await browserTest(
  "a page that loads something from elsewhere would be noticed",
  [],
  async (browser) => {
    await using node = await LargeNode.open(SIZE);
    await using page = await browser.open(node.url);
    await page.waitUntilLive();
    page.assertClean();
    // What the tests of the page rely on: neither goes unseen.
    await page.evaluate(`
      document.body.append(Object.assign(new Image(), { src: "http://127.0.0.2:9/x.png" }));
      document.body.insertAdjacentHTML("beforeend", "<p style='color: red' onclick='x()'>x</p>");
    `);
    await page.page.waitForTimeout(500);
    let faults = "";
    try {
      page.assertClean();
    } catch (error) {
      faults = String(error);
    }
    assert(faults.includes("img-src"), faults);
    assert(faults.includes("style-src"), faults);
  },
);
