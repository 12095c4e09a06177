import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { browserTest, type TestPage } from "../../support/browser.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";
import { executedOf } from "../../support/sql_server.ts";
import { TestApp } from "../../support/test_app.ts";
import { TEST_TABLE } from "../../support/test_table.ts";

const sources = new SharedMysql97(9797);
const replicas = new SharedMysql97(9798, ["--report-host=kicked-replica"]);

const ADMIN_TOKEN = "admin-token-of-this-test-0001";
const READ_TOKEN = "read-token-of-this-test-00001";

const INSERT = "INSERT INTO test.t (data) VALUES (REPEAT('x', 100000))";

/** Files with tokens, and the configuration that names them. */
class TokenFiles implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async write(): Promise<TokenFiles> {
    const folder = await Deno.makeTempDir({ prefix: "kingbus-tokens-" });
    const mode = { mode: 0o600 };
    await Deno.writeTextFile(`${folder}/admin`, `${ADMIN_TOKEN}\n`, mode);
    await Deno.writeTextFile(`${folder}/read`, `${READ_TOKEN}\n`, mode);
    return new TokenFiles(folder);
  }

  /** More of the section `admin`. */
  config(...kinds: ("admin" | "read")[]): string {
    return kinds.map((kind) => `, ${kind}-token-file: ${this.#folder}/${kind}`)
      .join("");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }
}

function urlOf(app: TestApp): string {
  return `http://127.0.0.1:${app.adminPort}/`;
}

/** Presses the button that does what the open dialog says. */
async function confirm(page: TestPage): Promise<void> {
  await page.page.locator("#action-confirm").click();
}

/** Gives the open dialog a token. */
async function giveToken(page: TestPage, token: string): Promise<void> {
  await page.page.getByLabel("Admin token").fill(token);
}

async function waitUntilClosed(page: TestPage): Promise<void> {
  await page.page.locator("#action-dialog").waitFor({ state: "hidden" });
}

await browserTest(
  "actions of the page ask first, need the admin token, and do what they say",
  ["mysql97", "mysql97-replica"],
  async (browser) => {
    const source = await sources.asSource();
    const { server, replica } = await replicas.asReplica();
    await source.run(TEST_TABLE, INSERT, "FLUSH LOGS", INSERT, "FLUSH LOGS");
    await using tokens = await TokenFiles.write();
    await using app = await TestApp.following(
      source,
      "",
      tokens.config("admin"),
    );
    await replica.start({ port: app.port });
    await replica.waitUntilHas(await executedOf(source));
    await using page = await browser.open(urlOf(app));
    page.expect(/40[0-9]/);
    const { page: tab } = page;
    await page.waitUntilLive();
    assert(await tab.locator("#actions-note").isHidden());

    // Nothing is done by a dialog that is not confirmed.
    await tab.getByRole("button", { name: "Stop following…" }).click();
    const dialog = tab.locator("#action-dialog");
    await dialog.getByText("stores nothing new until it is started again")
      .waitFor();
    assertEquals(
      await page.evaluate("document.activeElement.textContent"),
      "Cancel",
    );
    await tab.keyboard.press("Escape");
    await waitUntilClosed(page);
    assertEquals(
      await page.evaluate("document.activeElement.id"),
      "source-stop",
    );
    assert(app.app.syncer.report().wanted);

    // Without the token nothing either, nor with a wrong one.
    await tab.getByRole("button", { name: "Stop following…" }).click();
    await confirm(page);
    await dialog.getByText("Give the admin token").waitFor();
    await giveToken(page, "not-the-token-of-this-kingbus");
    await confirm(page);
    await dialog.getByText("the token is none of kingbus's").waitFor();
    assert(app.app.syncer.report().wanted);
    await page.shoot("wrong-token");
    await giveToken(page, ADMIN_TOKEN);
    await confirm(page);
    await waitUntilClosed(page);
    await tab.locator("#notice").getByText("Following was stopped").waitFor();
    await page.waitForText("source-state", "Stopped");
    assert(!app.app.syncer.report().wanted);

    // The token is known by now.
    await tab.getByRole("button", { name: "Start following…" }).click();
    assert(await tab.getByLabel("Admin token").isHidden());
    await confirm(page);
    await page.waitForText("source-state", "Following");

    const idOf = (): string | undefined =>
      app.app.server.report().replicas.find(({ serverId }) =>
        serverId === "9798"
      )?.connectionId;
    const before = idOf();
    await tab.getByRole("button", { name: /^Kick kicked-replica/ }).click();
    await dialog.getByText("Nothing is lost").waitFor();
    await confirm(page);
    await tab.locator("#notice").getByText(/kicked-replica.* was kicked/)
      .waitFor();
    await waitUntil("the replica was back with another connection", () => {
      const now = idOf();
      return now !== undefined && now !== before;
    });
    await source.run(INSERT);
    await replica.waitUntilHas(await executedOf(source));
    assert((await executedOf(server)).length > 0);

    await tab.getByRole("button", { name: "Stop serving…" }).click();
    await dialog.getByText("1 replica will be disconnected").waitFor();
    await confirm(page);
    await page.waitForText("server-state", "Stopped");
    await tab.getByRole("button", { name: "Start serving…" }).click();
    await confirm(page);
    await page.waitForText("server-state", "Serving");
    page.assertClean();
  },
);

await browserTest(
  "a purge from the page shows first what would go, and whom it would harm",
  ["mysql97"],
  async (browser) => {
    const source = await sources.asSource();
    await source.run(TEST_TABLE);
    for (let file = 0; file < 4; file++) {
      await source.run(INSERT, "FLUSH LOGS");
    }
    await using tokens = await TokenFiles.write();
    await using app = await TestApp.following(
      source,
      "",
      tokens.config("admin"),
    );
    await app.waitUntil("it had all files", () => app.files.length === 5);
    await using page = await browser.open(urlOf(app));
    page.expect(/40[0-9]/);
    const { page: tab } = page;
    await page.waitUntilLive();
    const [first, second, third] = app.files;

    await tab.getByRole("button", {
      name: `Purge to here: the files before ${third}`,
    }).click();
    const dialog = tab.locator("#action-dialog");
    assertEquals(
      await tab.getByLabel("First file to keep").inputValue(),
      third,
    );
    await giveToken(page, ADMIN_TOKEN);
    await dialog.getByRole("button", { name: "Show what would go" }).click();
    await dialog.getByText("2 files would go").waitFor();
    await dialog.getByText(`The log would begin with ${third}.`).waitFor();
    assertEquals(app.files.length, 5);
    await page.shoot("purge");

    // What is changed after that has to be looked at again.
    await tab.getByLabel("First file to keep").fill("binlog.999999");
    await dialog.getByRole("button", { name: "Show what would go" }).click();
    await tab.locator("#action-error").getByText("binlog.999999").waitFor();
    await tab.getByLabel("First file to keep").fill(second!);
    await dialog.getByRole("button", { name: "Show what would go" }).click();
    await dialog.getByRole("button", { name: "Remove 1 file for good" })
      .click();
    await waitUntilClosed(page);
    await tab.locator("#notice").getByText("1 file removed").waitFor();
    assert(!app.files.includes(first!));
    assertEquals(app.files[0], second);
    await page.waitForText("files-count", "4");

    // By time: everything but the file being written is older than tomorrow.
    await tab.getByRole("button", { name: "Purge…", exact: true }).click();
    const tomorrow = new Date(Date.now() + 86_400_000);
    await tab.getByLabel("Oldest time to keep").fill(
      `${tomorrow.getFullYear()}-${
        String(tomorrow.getMonth() + 1).padStart(2, "0")
      }-${String(tomorrow.getDate()).padStart(2, "0")}T00:00:00`,
    );
    await dialog.getByRole("button", { name: "Show what would go" }).click();
    await dialog.getByText("3 files would go").waitFor();
    await dialog.getByText("The file being written always stays").waitFor();
    await tab.keyboard.press("Escape");
    assertEquals(app.files.length, 4);
    page.assertClean();
  },
);

await browserTest(
  "the page asks for the read token, which does not allow actions",
  ["mysql97"],
  async (browser) => {
    const source = await sources.asSource();
    await source.run(TEST_TABLE);
    await using tokens = await TokenFiles.write();
    await using app = await TestApp.following(
      source,
      "",
      tokens.config("admin", "read"),
    );
    await using page = await browser.open(urlOf(app));
    page.expect(/40[0-9]/);
    const { page: tab } = page;
    const dialog = tab.locator("#token-dialog");
    await dialog.waitFor();
    await page.shoot("token");
    await dialog.getByLabel("Token", { exact: true }).fill(
      "wrong-token-of-nobody",
    );
    await dialog.getByRole("button", { name: "Use token" }).click();
    await dialog.getByText("the token is none of kingbus's").waitFor();
    await dialog.getByLabel("Token", { exact: true }).fill(READ_TOKEN);
    await dialog.getByRole("button", { name: "Use token" }).click();
    await page.waitUntilLive();
    assert(await tab.locator("#banner").isHidden());

    // It is still there after a reload, but in no address and no cookie.
    await tab.reload();
    await page.waitUntilLive();
    assertEquals(tab.url(), urlOf(app));
    assertEquals(await tab.context().cookies(), []);
    assertEquals(await page.evaluate("localStorage.length"), 0);

    await tab.getByRole("button", { name: "Stop serving…" }).click();
    await confirm(page);
    await tab.locator("#action-error").getByText("needs the admin token")
      .waitFor();
    await giveToken(page, ADMIN_TOKEN);
    await confirm(page);
    await page.waitForText("server-state", "Stopped");

    await tab.getByRole("button", { name: "Token…" }).click();
    await dialog.getByRole("button", { name: "Forget token" }).click();
    await tab.locator("#banner").getByText("A token is needed").waitFor();
    assertEquals(await page.evaluate("sessionStorage.length"), 0);
    page.assertClean();
  },
);

await browserTest(
  "without an admin token the page's actions are off, and say which key to set",
  ["mysql97"],
  async (browser) => {
    const source = await sources.asSource();
    await using app = await TestApp.following(source);
    await using page = await browser.open(urlOf(app));
    const { page: tab } = page;
    await page.waitUntilLive();
    const note = tab.locator("#actions-note");
    await note.getByText("admin.admin-token-file").waitFor();
    const buttons = tab.locator("main [data-action]:visible");
    assert(await buttons.count() >= 4);
    for (const button of await buttons.all()) {
      assertEquals(await button.getAttribute("aria-disabled"), "true");
    }
    await tab.locator("#source-stop").click({ force: true });
    const dialog = tab.locator("#action-dialog");
    await dialog.getByText("admin.admin-token-file").waitFor();
    await dialog.getByRole("button", { name: "Close" }).click();
    await waitUntilClosed(page);
    assert(app.app.syncer.report().wanted);
    // What the page does not offer kingbus does not do either.
    const message = await page.evaluate<string>(
      `fetch("binlog/syncer/stop", { method: "PUT" }).then((response) => response.text())`,
    );
    assertStringIncludes(message, "admin.admin-token-file");
    assert(app.app.syncer.report().wanted);
    page.expect(/403/);
    page.assertClean();
  },
);
