import { assertEquals } from "@std/assert";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { startMariadb } from "../../support/mariadb.ts";
import { MariadbReplica } from "../../support/mariadb_replica.ts";
import { caughtUp } from "../../support/mariadb_source.ts";
import { RawCopy } from "../../support/raw_copy.ts";
import {
  TestAuthority,
  TestCertificateFolder,
} from "../../support/test_authority.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";

await rigTest(
  "a MariaDB 11.8 replica and mariadb-binlog trust kingbus over TLS without being told anything",
  ["mariadb-sid", "mariadb-sid-binlog"],
  async (rig) => {
    await using source = await startMariadb(8130, [], "sid");
    await using server = await startMariadb(8131, [], "sid");
    await source.run(
      "CREATE TABLE test.t (id INT)",
      "INSERT INTO test.t VALUES (1)",
    );
    await using folder = await TestCertificateFolder.make();
    // of an authority that nobody knows
    const authority = await TestAuthority.make("unknown authority");
    const tls = await folder.serverTls(authority, { required: true });
    await using kingbus = await TestKingbus.following(source, {
      server: { tls },
    });
    await caughtUp(kingbus, source);
    const replica = new MariadbReplica(server);
    await replica.start({
      port: kingbus.port,
      settings: ["MASTER_SSL_VERIFY_SERVER_CERT = 1"],
    });
    await replica.waitUntilHasAllOf(source);
    const [status] = await kingbus.waitUntilDumping(1);
    assertEquals(status!.tls?.version, "TLSv1.3");
    const { Master_SSL_Verify_Server_Cert } = await replica.state();
    assertEquals(Master_SSL_Verify_Server_Cert, "Yes");
    await replica.stop();
    await using copy = await RawCopy.open(
      rig.program("mariadb-sid-binlog"),
      kingbus.port,
    );
    await copy.run("-R", "binlog.000001");
    assertEquals([...copy.files().keys()], ["binlog.000001"]);
  },
);
