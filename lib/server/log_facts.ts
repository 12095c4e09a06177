import { formatMariadbGtidPosition } from "../gtid/mariadb_gtid_position.ts";
import type { MariadbGtidState } from "../gtid/mariadb_gtid_state.ts";
import type { ServerStore } from "./server_store.ts";
import type { LogFacts, MariadbLogFacts } from "./statement_context.ts";

/** What statements may ask of a log that ends here. */
export function logFactsOf(head: NonNullable<ServerStore["head"]>): LogFacts {
  return {
    fileName: head.fileName,
    position: head.position,
    executed: () => head.executed.toLines(),
    purged: () => head.purged.toLines(),
    mariadb: head.mariadb && mariadbFacts(head.mariadb),
  };
}

function mariadbFacts(state: MariadbGtidState): MariadbLogFacts {
  return {
    position: () => formatMariadbGtidPosition(state.position()),
    state: () => state.toString(),
  };
}
