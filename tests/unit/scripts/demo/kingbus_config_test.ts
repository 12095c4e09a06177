import { assertEquals } from "@std/assert";
import { loadOptions } from "../../../../lib/config/load_config.ts";
import { formatKingbusConfig } from "../../../../scripts/demo/kingbus_config.ts";

Deno.test("formatKingbusConfig() writes what kingbus reads", async () => {
  const text = formatKingbusConfig({
    dataDir: '/tmp/a "b" ünd: #c/kingbus',
    adminPort: 1001,
    serverPort: 1002,
    sourcePort: 1003,
    account: { user: "repl", password: "it's: {x}" },
  });
  const options = await loadOptions({
    file: "kingbus.yaml",
    flags: new Map(),
    env: () => undefined,
    readTextFile: () => Promise.resolve(text),
  });
  assertEquals(options.dataDir, '/tmp/a "b" ünd: #c/kingbus');
  assertEquals(options.admin.listen, { hostname: "127.0.0.1", port: 1001 });
  assertEquals(options.server.listen, { hostname: "127.0.0.1", port: 1002 });
  assertEquals(options.server.users, [{
    name: "repl",
    password: "it's: {x}",
    rights: ["replicate", "monitor"],
    requireTls: false,
  }]);
  assertEquals(options.source?.address, { hostname: "127.0.0.1", port: 1003 });
  assertEquals(options.source?.password, "it's: {x}");
  assertEquals(options.source?.start, "oldest");
});
