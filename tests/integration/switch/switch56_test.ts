import { ServerGroup, startMember56 } from "../../support/server_group.ts";
import { switchSuite } from "./switch_suite.ts";

await switchSuite(
  "5.6",
  new ServerGroup(startMember56, 5641),
  (name, body) => Deno.test(name, body),
);
