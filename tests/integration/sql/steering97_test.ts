import { assertEquals } from "@std/assert";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { ServerGroup, startMember97 } from "../../support/server_group.ts";
import { TestApp } from "../../support/test_app.ts";
import { steeringSuite } from "./steering_suite.ts";

const group = new ServerGroup(startMember97, 9771);

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
  group,
  (name, body) => rigTest(name, ["mysql97"], body),
);

await rigTest(
  "CHANGE REPLICATION SOURCE TO has the 9.7 source followed over TLS, verified",
  ["mysql97"],
  async () => {
    const { a } = await group.fresh();
    await a.run("CREATE TABLE test.t (id INT PRIMARY KEY)");
    await using app = await TestApp.following(a);
    await app.waitUntilHas(await a.executed());
    await using client = await app.connect();
    const allowed = async (): Promise<(string | null | undefined)[]> => {
      const { columns, rows } = await client.query("SHOW REPLICA STATUS");
      return [
        "Source_SSL_Allowed",
        "Source_SSL_CA_File",
        "Replica_IO_Running",
      ].map((name) => rows[0]?.[columns.indexOf(name)]);
    };
    assertEquals(await allowed(), ["No", "", "Yes"]);
    const ca = `${a.binlogFolder}/ca.pem`;
    await client.query("STOP REPLICA");
    await client.query(
      `CHANGE REPLICATION SOURCE TO SOURCE_SSL = 1, SOURCE_SSL_CA = '${ca}'`,
    );
    await client.query("START REPLICA");
    await app.waitUntil(
      "kingbus followed over TLS",
      () => app.app.syncer.report().source?.tls !== undefined,
    );
    await a.run("INSERT INTO test.t VALUES (1)");
    await app.waitUntilHas(await a.executed());
    assertEquals(await allowed(), ["Yes", ca, "Yes"]);
  },
);
