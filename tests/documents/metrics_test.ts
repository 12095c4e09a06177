import { documentTest } from "./document_suite.ts";
import { OWNER } from "./machine_server.ts";
import { attachReplica } from "./replica_of_kingbus.ts";

await documentTest("docs/metrics.md", {
  servers: {
    source: { kind: "mysql97", at: "127.0.0.1:3306", serverId: 1 },
    replica: { kind: "mysql97", at: "127.0.0.1:3307", serverId: 2 },
  },
  prepare: async (run) => {
    await run.server("source").query("CREATE TABLE item (id INT PRIMARY KEY)");
    await run.startKingbus(
      "kingbus.yaml",
      `data-dir: ./data
server:
  users: [{ name: repl, password: replpass }]
source:
  address: 127.0.0.1:3306
  user: ${OWNER.user}
  password: ${OWNER.password}
`,
    );
    await run.logIs("127.0.0.1:3306");
    await attachReplica(run, "replica");
  },
});
