import { assert } from "@std/assert";
import { GtidSet } from "../../../lib/gtid/gtid_set.ts";
import { REPLICATION_ACCOUNT } from "../../../scripts/test_servers/mysql56.ts";
import {
  CLIENT_SCRIPTS,
  type ClientScript,
  type ScriptFacts,
} from "../../support/client_scripts.ts";
import {
  assertSameConversations,
  type ClientRun,
} from "../../support/recorded_pair.ts";
import { ScriptedClient } from "../../support/scripted_client.ts";
import {
  executedOf,
  logEndOf,
  runAll,
  type SqlServer,
  valueOf,
} from "../../support/sql_server.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";
import { TEST_TABLE } from "../../support/test_table.ts";
import { TRANSACTION_KINDS } from "../../support/transaction_kinds.ts";
import type { CdcSource } from "./zongji_suite.ts";

/**
 * Registers a test of every known client's conversation with a source: each is
 * held with the source and with kingbus, and has to be answered the same.
 */
export async function testScripts(
  source: CdcSource,
  scripts = CLIENT_SCRIPTS,
  gtidSets = mysqlGtidSets,
): Promise<void> {
  for (const script of scripts) {
    await source.test(
      `${script.client} by ${script.mode} is answered by kingbus as by the source, ${source.title}`,
      async () => {
        const server = await source.fresh();
        await runAll(
          server,
          TEST_TABLE,
          "INSERT INTO test.t (data) VALUES ('one'), ('two')",
          "INSERT INTO test.t (data) VALUES ('three')",
          ...TRANSACTION_KINDS["transactions, savepoints and rollbacks"]!,
          "FLUSH LOGS",
          ...TRANSACTION_KINDS["statements"]!,
          "INSERT INTO test.t (data) VALUES (REPEAT('x', 70000))",
        );
        await source.settle?.(server);
        await using kingbus = await TestKingbus.following(server, {
          server: { identity: "source" },
        });
        const { fileName, position } = await logEndOf(server);
        await kingbus.waitUntilAt(fileName, position);
        const { rows } = await server.query(
          "SHOW BINLOG EVENTS IN 'binlog.000001' LIMIT 8",
        );
        const inside = Number(
          rows.find((row) => /^.?[Gg]tid/.test(row[2]!))![1],
        );
        const starts: ScriptFacts[] = script.mode === "GTID"
          ? (await gtidSets(server)).map((executed) => ({
            executed,
            fileName: "binlog.000001",
            position: 4,
          }))
          : [4, inside].map((position) => ({
            fileName: "binlog.000001",
            position,
          }));
        for (const facts of starts) {
          const found = await assertSameConversations({
            kingbus,
            source: server,
            client: (run) => hold(script, facts, run),
          });
          assert(found.has("scramble"), "two conversations were compared");
        }
      },
    );
  }
}

/** What clients may have of a log: nothing, some, and all of it. */
async function mysqlGtidSets(server: SqlServer): Promise<string[]> {
  const uuid = await valueOf(server, "SELECT @@server_uuid");
  const all = GtidSet.parse(await executedOf(server));
  const some = GtidSet.parse(`${uuid}:1-2:5`).intersect(all);
  return ["", some.toString(), all.toString()];
}

/** Says all that a script says, and takes the dump to the log's end. */
async function hold(
  script: ClientScript,
  facts: ScriptFacts,
  { address, sentAll }: ClientRun,
): Promise<void> {
  const open = (): Promise<ScriptedClient> =>
    ScriptedClient.open(
      address,
      REPLICATION_ACCOUNT,
      script.capabilities,
      new Map(Object.entries(script.attributes ?? {})),
    );
  for (const statements of script.beside ?? []) {
    const client = await open();
    for (const statement of statements) await client.query(statement);
    await client.quit();
  }
  using client = await open();
  for (const step of script.steps) {
    if (step instanceof Uint8Array) await client.command(step);
    else await client.query(typeof step === "string" ? step : step(facts));
  }
  await client.send(script.dump(facts));
  if (script.ends) await client.drain();
  else {
    const drained = client.drain();
    await sentAll();
    client[Symbol.dispose]();
    await drained.catch(() => {
      // the connection was closed under it
    });
  }
}
