import { assert, assertEquals } from "@std/assert";
import { Rig, type RigPart } from "../../scripts/test_servers/rig.ts";
import { DocumentMachine } from "./document_machine.ts";
import { type DocumentPlan, DocumentRun } from "./document_run.ts";
import { MarkdownDocument } from "./markdown_document.ts";

/**
 * Registers the test that runs a document from its top to its end, as a reader
 * would, in a machine of its own.
 *
 * Where there can be no such machine, or a server's program is not installed,
 * the test is skipped, and a line on standard error says so; where
 * KINGBUS_REQUIRE_RIG is set it fails instead.
 *
 * @param path The document's path in the project.
 */
export async function documentTest(
  path: string,
  plan: DocumentPlan,
): Promise<void> {
  await machineTest(
    `${path} does what it says, command by command`,
    plan,
    async () => await runDocument(await MarkdownDocument.read(path), plan),
  );
}

/**
 * Does what a document says in a machine of its own.
 *
 * @throws {Error} Where the document does not do what it says.
 */
export async function runDocument(
  document: MarkdownDocument,
  plan: DocumentPlan,
): Promise<void> {
  await using machine = await DocumentMachine.start(plan.hosts ?? {});
  await using run = await DocumentRun.start(document, plan, machine);
  for (const block of document.blocks) await run.runBlock(block);
  await run.end();
  assertEquals(
    run.unused,
    [],
    `${document.path} has no longer what its test names`,
  );
}

/** Registers a test that needs a machine, and the programs of a plan. */
export async function machineTest(
  name: string,
  plan: DocumentPlan,
  body: () => Promise<void>,
): Promise<void> {
  const reason = await whatIsMissing(plan);
  if (reason === undefined) {
    Deno.test(name, body);
    return;
  }
  console.error(`SKIPPED ${JSON.stringify(name)}: ${reason}`);
  const required = Deno.env.get("KINGBUS_REQUIRE_RIG") !== undefined;
  Deno.test({
    name,
    ignore: !required,
    fn: () => assert(!required, `KINGBUS_REQUIRE_RIG is set, but ${reason}`),
  });
}

async function whatIsMissing(plan: DocumentPlan): Promise<string | undefined> {
  const parts = new Set<RigPart>(["mysql-client", "mysqlbinlog"]);
  for (const { kind } of Object.values(plan.servers)) {
    if (kind === "mysql97") parts.add("mysql97");
    if (kind !== "mysql97") parts.add("mariadb-client");
    if (kind === "mariadb") parts.add("mariadb").add("mariadb-binlog");
  }
  const { missing } = await Rig.find([...parts]);
  if (missing.length > 0) return missing.join("; ");
  return await DocumentMachine.missing();
}
