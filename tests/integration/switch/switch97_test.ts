import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { ServerGroup, startMember97 } from "../../support/server_group.ts";
import { switchSuite } from "./switch_suite.ts";

await switchSuite(
  "9.7",
  new ServerGroup(startMember97, 9741),
  (name, body) => rigTest(name, ["mysql97"], body),
);
