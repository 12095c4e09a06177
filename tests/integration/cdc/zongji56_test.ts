import { SharedSource56 } from "../../support/shared_mysql56.ts";
import { testZongji } from "./zongji_suite.ts";

const source = new SharedSource56();

await testZongji({
  title: "of MySQL 5.6",
  modern: false,
  test: (name, body) => Deno.test(name, body),
  fresh: () => Promise.resolve(source.server),
});
