import { assertEquals } from "@std/assert";
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from "playwright-core";
import { registerUnmetTest } from "../../scripts/test_servers/register_unmet.ts";
import {
  type Rig,
  type RigPart,
  rigTest,
} from "../../scripts/test_servers/rig.ts";

/** Names under which Chromium is installed. */
const PROGRAMS = ["chromium", "chromium-browser", "google-chrome"];

/** It is to run as root, without a screen, and to ask nobody for anything. */
const FLAGS = [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** How long the browser may take for anything, on a busy machine. */
const DEADLINE_MS = 30_000;

/** Folder of screenshots; not part of the repository. */
const SCREENSHOTS = new URL("../../screenshots/", import.meta.url);

/** Something a page did that ours never does. */
interface Fault {
  readonly kind: "console" | "error" | "request" | "policy";
  readonly text: string;
}

/** A tab of the browser, and what went wrong in it. */
export class TestPage implements AsyncDisposable {
  readonly #context: BrowserContext;
  readonly #faults: Fault[] = [];
  /** Errors of the console that belong to the test, as 401 for no token. */
  readonly #expected: RegExp[] = [];
  readonly page: Page;

  private constructor(context: BrowserContext, page: Page) {
    this.#context = context;
    this.page = page;
  }

  /** Opens the page of a URL in a window of its own. */
  static async open(
    browser: Browser,
    url: string,
    options: BrowserContextOptions,
  ): Promise<TestPage> {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 900 },
      colorScheme: "light",
      ...options,
    });
    context.setDefaultTimeout(DEADLINE_MS);
    const opened = new TestPage(context, await context.newPage());
    await opened.#watch(new URL(url).origin);
    await opened.page.goto(url);
    return opened;
  }

  /** Errors like that in the console are the test's own doing. */
  expect(...errors: RegExp[]): void {
    this.#expected.push(...errors);
  }

  /** The text of the element with that `data-field`. */
  async text(field: string): Promise<string> {
    const place = this.page.locator(`[data-field="${field}"]`);
    return (await place.innerText()).trim();
  }

  /** Waits until a field has a text. */
  async waitForText(field: string, text: string | RegExp): Promise<void> {
    await this.page.locator(`[data-field="${field}"]`)
      .filter({ hasText: text }).waitFor();
  }

  /** Waits until the page shows how the node does now. */
  async waitUntilLive(): Promise<void> {
    await this.page.locator('body[data-connection="live"]').waitFor();
    await this.page.locator("main:not([aria-busy])").waitFor();
  }

  /** Runs an expression in the page. */
  evaluate<Value>(expression: string): Promise<Value> {
    return this.page.evaluate(expression) as Promise<Value>;
  }

  /** How much further than the window the page is wide; 0 if it fits. */
  overflow(): Promise<number> {
    return this.evaluate(
      "document.documentElement.scrollWidth - document.documentElement.clientWidth",
    );
  }

  /** Keeps a picture of all of it, in KINGBUS_SCREENSHOTS or `screenshots`. */
  async shoot(name: string): Promise<void> {
    const given = Deno.env.get("KINGBUS_SCREENSHOTS");
    const folder = given ?? SCREENSHOTS.pathname;
    await Deno.mkdir(folder, { recursive: true });
    // What is drawn only in sight has been in sight.
    await this.evaluate(
      `(async () => {
        for (let y = 0; y < document.body.scrollHeight; y += 400) {
          scrollTo(0, y);
          await new Promise((resolve) => requestAnimationFrame(resolve));
        }
        scrollTo(0, 0);
      })()`,
    );
    // A dialog is as large as the window.
    const fullPage = await this.page.locator("dialog[open]").count() === 0;
    await this.page.screenshot({ path: `${folder}/${name}.png`, fullPage });
  }

  /** Asserts that nothing went wrong that the test has not expected. */
  assertClean(): void {
    const faults = this.#faults.filter(({ text }) =>
      !this.#expected.some((pattern) => pattern.test(text))
    );
    assertEquals(faults, []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close();
  }

  async #watch(origin: string): Promise<void> {
    const { page } = this;
    const add = (kind: Fault["kind"], text: string) =>
      this.#faults.push({ kind, text });
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") {
        add("console", message.text());
      }
    });
    page.on("pageerror", (error) => add("error", String(error.stack)));
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(`${origin}/`) && !url.startsWith("blob:")) {
        add("request", url);
      }
    });
    await page.exposeFunction(
      "kingbusPolicy",
      (text: string) => add("policy", text),
    );
    await page.addInitScript({
      content:
        `addEventListener("securitypolicyviolation", (event) => globalThis.kingbusPolicy(event.violatedDirective + " " + event.blockedURI));`,
    });
  }
}

/** A headless Chromium with nothing in it. */
export class TestBrowser implements AsyncDisposable {
  readonly #browser: Browser;

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  /** Starts it; its profile is new, and goes with it. */
  static async launch(program: string): Promise<TestBrowser> {
    const browser = await chromium.launch({
      executablePath: program,
      args: FLAGS,
      timeout: DEADLINE_MS,
    });
    return new TestBrowser(browser);
  }

  /** Opens a URL in a window of its own. */
  open(url: string, options: BrowserContextOptions = {}): Promise<TestPage> {
    return TestPage.open(this.#browser, url, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
  }
}

/** Where Chromium is; undefined if it is not installed. */
async function findChromium(): Promise<string | undefined> {
  const given = Deno.env.get("KINGBUS_CHROMIUM");
  for (const program of given === undefined ? PROGRAMS : [given]) {
    try {
      const { success } = await new Deno.Command(program, {
        args: ["--version"],
        stdout: "null",
        stderr: "null",
      }).output();
      if (!success) continue;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      throw error;
    }
    const { stdout } = await new Deno.Command("sh", {
      args: ["-c", 'command -v "$0"', program],
    }).output();
    return new TextDecoder().decode(stdout).trim();
  }
  return undefined;
}

/**
 * Registers a test that needs a browser, and servers or programs of the rig.
 *
 * Where Chromium is missing the test is skipped, and a line on standard error
 * says so; where KINGBUS_REQUIRE_BROWSER is set it fails instead.
 *
 * @param parts what it needs of the rig, see {@linkcode rigTest}
 */
export async function browserTest(
  name: string,
  parts: readonly RigPart[],
  body: (
    browser: TestBrowser,
    rig: Rig,
    context: Deno.TestContext,
  ) => Promise<void>,
): Promise<void> {
  const program = await findChromium();
  if (program === undefined) {
    registerUnmetTest(
      name,
      "no Chromium on the PATH: apt-get install chromium, or name one in KINGBUS_CHROMIUM",
      "KINGBUS_REQUIRE_BROWSER",
    );
    return;
  }
  await rigTest(name, parts, async (rig, context) => {
    await using browser = await TestBrowser.launch(program);
    await body(browser, rig, context);
  });
}
