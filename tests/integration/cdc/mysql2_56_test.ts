import { SharedSource56 } from "../../support/shared_mysql56.ts";
import { testMysql2 } from "./mysql2_suite.ts";

const source = new SharedSource56();

await testMysql2({
  title: "of MySQL 5.6",
  modern: false,
  test: (name, body) => Deno.test(name, body),
  fresh: () => Promise.resolve(source.server),
});
