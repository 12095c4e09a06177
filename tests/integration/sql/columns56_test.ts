import { SharedSource56 } from "../../support/shared_mysql56.ts";
import {
  COMMON_STATEMENTS,
  compareColumns,
  MYSQL_STATEMENTS,
  OLD_STATEMENTS,
} from "./columns_suite.ts";

const source = new SharedSource56();

Deno.test("kingbus declares the columns of each statement as MySQL 5.6", async () => {
  await compareColumns(source.server, [
    ...COMMON_STATEMENTS,
    ...MYSQL_STATEMENTS,
    ...OLD_STATEMENTS,
  ], {
    // what it is long enough for differs, not what it holds
    "SHOW FULL PROCESSLIST: Info": "Info 251",
    // 5.6 looks whether an argument can be NULL; later versions do not
    [`${MYSQL_STATEMENTS[0]}: GTID_SUBSET('',`]:
      "GTID_SUBSET('', @@global.gtid_executed) 8",
  });
});
