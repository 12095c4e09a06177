import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";
import { COMMON_STATEMENTS, compareColumns } from "./columns_suite.ts";

const source = new SharedMysql97(9761);

await rigTest(
  "kingbus declares the columns of each statement as MySQL 9.7",
  ["mysql97"],
  async () => {
    await compareColumns(await source.asSource(), [
      ...COMMON_STATEMENTS,
      "SHOW BINARY LOG STATUS",
      "SHOW REPLICAS",
      "SHOW REPLICA STATUS",
      "SHOW REPLICA STATUS FOR CHANNEL ''",
    ]);
  },
);
