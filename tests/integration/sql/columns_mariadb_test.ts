import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { startMariadb } from "../../support/mariadb.ts";
import {
  COMMON_STATEMENTS,
  compareColumns,
  OLD_STATEMENTS,
} from "./columns_suite.ts";

await rigTest(
  "kingbus declares the columns of each statement as MariaDB",
  ["mariadb"],
  async () => {
    await using server = await startMariadb(8061);
    await compareColumns(server, [
      ...COMMON_STATEMENTS,
      ...OLD_STATEMENTS,
      "SHOW REPLICA STATUS",
      "SHOW ALL SLAVES STATUS",
      "SHOW SLAVE '' STATUS",
    ], {
      // it is never NULL, and MySQL's says so
      "SELECT NOW(), UNIX_TIMESTAMP(), VERSION(), DATABASE(): UNIX_TIMESTAMP()":
        "UNIX_TIMESTAMP() 8 NOT NULL",
    });
  },
);
