import { SharedSource56 } from "../../support/shared_mysql56.ts";
import { testScripts } from "./script_suite.ts";

const source = new SharedSource56();

await testScripts({
  title: "of MySQL 5.6",
  modern: false,
  test: (name, body) => Deno.test(name, body),
  fresh: () => Promise.resolve(source.server),
});
