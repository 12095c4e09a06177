import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";
import { testMysql2 } from "./mysql2_suite.ts";

const sources = new SharedMysql97(9766);

await testMysql2({
  title: "of MySQL 9.7",
  modern: true,
  test: (name, body) => rigTest(name, ["mysql97"], body),
  fresh: () => sources.asSource(),
});
