import { waitUntil } from "../../scripts/test_servers/wait_until.ts";
import { logEndOf, type SqlServer } from "./sql_server.ts";

/**
 * Waits until a MariaDB server that nobody writes to leaves its log as it is.
 * In the background, some time after a file's begin, it notes there that
 * recovery needs no earlier file: an event that no GTID stands for, and that a
 * test which compares logs would see come or not.
 */
export async function checkpointed(server: SqlServer): Promise<void> {
  await waitUntil("the newest file had its checkpoint", async () => {
    const { fileName } = await logEndOf(server);
    const { rows } = await server.query(`SHOW BINLOG EVENTS IN '${fileName}'`);
    return rows.some(([, , type, , , info]) =>
      type === "Binlog_checkpoint" && info === fileName
    );
  });
}
