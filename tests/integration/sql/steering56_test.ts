import { ServerGroup, startMember56 } from "../../support/server_group.ts";
import { steeringSuite } from "./steering_suite.ts";

await steeringSuite(
  {
    title: "5.6",
    show: "SHOW SLAVE STATUS",
    source: "Master",
    replica: "Slave",
    change: "CHANGE MASTER TO",
    start: "START SLAVE",
    stop: "STOP SLAVE",
    running:
      "1198 This operation cannot be performed with a running slave; run STOP SLAVE first",
  },
  new ServerGroup(startMember56, 5661),
  (name, body) => Deno.test(name, body),
);
