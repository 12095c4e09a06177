import { assert } from "@std/assert";
import type { DocumentRun } from "./document_run.ts";

/** Has a MySQL 9.7 server of the plan replicate from the kingbus that runs. */
export async function attachReplica(
  run: DocumentRun,
  server: string,
): Promise<void> {
  await run.server(server).query(
    `CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT=3390,
      SOURCE_USER='repl', SOURCE_PASSWORD='replpass', SOURCE_AUTO_POSITION=1,
      SOURCE_CONNECT_RETRY=1;
    START REPLICA`,
  );
  await run.holds(`${server} is connected`, async () => {
    await replicaConnection(run);
  });
}

/** The id of a replica's connection to kingbus. */
export async function replicaConnection(run: DocumentRun): Promise<number> {
  const answer = await run.type("kingbus replicas --json");
  const [, id] = /"connection_id": *"?(\d+)/.exec(answer) ?? [];
  assert(id !== undefined, `no connection id in ${answer}`);
  return Number(id);
}
