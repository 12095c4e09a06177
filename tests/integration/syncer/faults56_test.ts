import { FAULT_SCENARIOS } from "../../support/fault_scenarios.ts";
import { faultSource56 } from "../../support/fault_source.ts";
import { SharedSource56 } from "../../support/shared_mysql56.ts";

const source = new SharedSource56();

for (const { title, run } of FAULT_SCENARIOS) {
  Deno.test(`Syncer ${title} (MySQL 5.6)`, async () => {
    await run(faultSource56(source));
  });
}
