import { assertStringIncludes } from "@std/assert";
import { CHECKOUT } from "./document_machine.ts";
import { documentTest } from "./document_suite.ts";
import { OWNER } from "./machine_server.ts";

await documentTest("docs/opentelemetry.md", {
  folder: CHECKOUT,
  servers: {
    source: { kind: "mysql56", at: "127.0.0.1:3306", serverId: 1 },
  },
  prepare: async ({ machine }) => {
    await machine.writeFile(
      `${CHECKOUT}/kingbus.yaml`,
      `source:
  address: 127.0.0.1:3306
  user: ${OWNER.user}
  password: ${OWNER.password}
  tls: { mode: disabled }
`,
    );
    await machine.must("mkdir -p /etc/kingbus");
  },
  after: {
    "curl -sS http://127.0.0.1:9595/healthz": (_run, output) => {
      assertStringIncludes(output, "success");
    },
    "url.path": (_run, output) => assertStringIncludes(output, "/healthz"),
  },
});
