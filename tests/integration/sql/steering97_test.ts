import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { ServerGroup, startMember97 } from "../../support/server_group.ts";
import { steeringSuite } from "./steering_suite.ts";

await steeringSuite(
  {
    title: "9.7",
    show: "SHOW REPLICA STATUS",
    source: "Source",
    replica: "Replica",
    change: "CHANGE REPLICATION SOURCE TO",
    start: "START REPLICA",
    stop: "STOP REPLICA IO_THREAD FOR CHANNEL ''",
    running:
      "3021 This operation cannot be performed with a running replica io thread; run STOP REPLICA IO_THREAD FOR CHANNEL '' first.",
  },
  new ServerGroup(startMember97, 9771),
  (name, body) => rigTest(name, ["mysql97"], body),
);
