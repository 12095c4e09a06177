import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  encodeBinlogDumpGtid,
  encodeRegisterReplica,
} from "../../../lib/protocol/command.ts";
import { REPLICATION_ACCOUNT } from "../../../scripts/test_servers/mysql56.ts";
import { browserTest } from "../../support/browser.ts";
import { ScriptedClient } from "../../support/scripted_client.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";
import { executedOf } from "../../support/sql_server.ts";
import { TestApp } from "../../support/test_app.ts";
import { TEST_TABLE } from "../../support/test_table.ts";

const sources = new SharedMysql97(9799);

const PHONE = { viewport: { width: 360, height: 740 } };

/** What becomes markup, a script or a mess if it is taken for more than text. */
const MARKUP = `<img src=x onerror="globalThis.isTaken = true">`;
const HOST_NAME = `${MARKUP}</td></table>`.slice(0, 60);
const PROGRAM = `</script><script>globalThis.isTaken=true</script>${
  "\u202e\u0000gnp.\u200b".repeat(50)
}${"W".repeat(2000)}`;
const VERSION = `9.7.4${"\n".repeat(200)}<svg onload=alert(1)>`;

/** Logs in, registers and asks for the log, with names that mean harm. */
async function openReplica(port: number): Promise<ScriptedClient> {
  const client = await ScriptedClient.open(
    { port },
    REPLICATION_ACCOUNT,
    0,
    new Map([["program_name", PROGRAM], ["_client_version", VERSION]]),
  );
  await client.query(`SET @replica_uuid = '${MARKUP.replaceAll('"', "")}'`);
  await client.query("SET @source_binlog_checksum = 'CRC32'");
  await client.command(encodeRegisterReplica({
    serverId: 4_294_967_294,
    hostName: HOST_NAME,
    user: MARKUP,
    port: 65_535,
    rank: 0,
    sourceId: 0,
  }));
  await client.send(encodeBinlogDumpGtid({
    serverId: 4_294_967_294,
    flags: 0,
    fileName: "",
    position: 4n,
    gtidSetBytes: new Uint8Array(8),
  }));
  return client;
}

await browserTest(
  "names that a replica makes up stay text, and in their place",
  ["mysql97"],
  async (browser) => {
    const source = await sources.asSource();
    await source.run(TEST_TABLE);
    await using app = await TestApp.following(source);
    await app.waitUntilHas(await executedOf(source));
    using _replica = await openReplica(app.port);
    for (
      const [name, options] of [["desktop", {}], ["phone", PHONE]] as const
    ) {
      await using page = await browser.open(
        `http://127.0.0.1:${app.adminPort}/`,
        options,
      );
      await page.waitUntilLive();
      const row = page.page.locator("#replicas-table tbody tr").first();
      await row.waitFor();
      const text = await row.innerText();
      assertStringIncludes(text, "<img src=x onerror=");
      assert(!text.includes("\u202e") && !text.includes("\u200b"), text);
      assertEquals(await row.locator("img, script, svg").count(), 0);
      assertEquals(await page.evaluate("globalThis.isTaken"), undefined);
      assertEquals(await page.overflow(), 0);
      const height = (await row.boundingBox())?.height ?? Infinity;
      assert(height < (name === "phone" ? 700 : 200), `${name}: ${height}`);
      // Nor do the names get anywhere in a dialog.
      await page.page.getByRole("button", { name: /^Kick <img/ }).click({
        force: true,
      });
      await page.page.locator("#action-dialog[open]").waitFor();
      assertEquals(
        await page.page.locator("dialog img, dialog script").count(),
        0,
      );
      await page.page.keyboard.press("Escape");
      await page.shoot(`hostile-names-${name}`);
      page.assertClean();
    }
  },
);
