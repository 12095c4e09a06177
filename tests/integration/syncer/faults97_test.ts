import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { FAULT_SCENARIOS } from "../../support/fault_scenarios.ts";
import { faultSource97 } from "../../support/fault_source.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";

const sources = new SharedMysql97(9794);

for (const { title, run } of FAULT_SCENARIOS) {
  await rigTest(`Syncer ${title} (MySQL 9.7)`, ["mysql97"], async () => {
    await run(faultSource97(await sources.asSource()));
  });
}
