import { AdminApi } from "../../../lib/admin/admin_api.ts";
import { adminRoutes } from "../../../lib/admin/admin_routes.ts";
import { ConfigError } from "../../../lib/config/config_error.ts";
import { loadConfig } from "../../../lib/config/load_config.ts";
import { silentLog } from "../../../lib/log/log.ts";
import { MemoryNode } from "../../unit/admin/memory_node.ts";
import { FuzzInput, withChoices } from "../fuzz_input.ts";
import {
  type FuzzTarget,
  outcomeOfAsync,
  require,
  wordsOf,
} from "../fuzz_target.ts";

const encoder = new TextEncoder();

const CONFIG = `
name: kingbus
data-dir: ./data
admin: { listen: "127.0.0.1:9595" }
server:
  listen: "[::1]:3390"
  users:
    - { name: repl, password: replpass }
    - name: ops
      password-env: OPS
source:
  address: db1:3306
  user: repl
  password: s3cret
  start: d63952fd-e6f6-11f1-a979-02fc00000001:1-5
  candidates: [db2, "[::1]:3307"]
retention: { size: 20GiB, age: 7d }
log: { level: info, format: text }
`;

const REQUESTS = [
  ["PUT", "/binlog/syncer/start"],
  ["PUT", "/binlog/syncer/stop"],
  ["PUT", "/binlog/server/start"],
  ["POST", "/purge"],
  ["PUT", "/purge"],
  ["GET", "/cluster"],
  ["GET", "/binlog/syncer/status"],
] as const;

const START = JSON.stringify({
  syncer_id: 1001,
  syncer_uuid: "3E11FA47-71CA-11E1-9E33-C80AA9429562",
  mysql_addr: "[::1]:3306",
  mysql_user: "kb",
  mysql_password: "hunter2",
  semi_sync: false,
  candidates: ["db2:3306"],
});

function openApi(): AdminApi {
  return new AdminApi({
    routes: adminRoutes(new MemoryNode()),
    log: silentLog(),
  });
}

/** What operators send: the configuration file and requests. */
export const CONFIG_TARGETS: readonly FuzzTarget[] = [
  {
    name: "config-yaml",
    corpus: [encoder.encode(CONFIG), encoder.encode("")],
    dictionary: ["&a", "*a", "<<: ", "- ", "? ", "|\n", "!!js/function ", "~"]
      .map((text) => encoder.encode(text)),
    run: (bytes) =>
      outcomeOfAsync(async () => {
        const text = new TextDecoder().decode(bytes);
        return await loadConfig({
          file: "kingbus.yaml",
          flags: new Map(),
          env: () => undefined,
          readTextFile: () => Promise.resolve(text),
        });
      }, ConfigError),
  },
  {
    name: "admin-api",
    corpus: [
      ...REQUESTS.map((_, index) =>
        withChoices([index], encoder.encode(START))
      ),
      withChoices([3], encoder.encode('{"to":"binlog.000002","force":true}')),
      withChoices([3], encoder.encode('{"before":"2026-01-01T00:00:00Z"}')),
    ],
    async run(bytes) {
      const input = new FuzzInput(bytes);
      const [method, path] = input.pick(REQUESTS);
      const body = new Uint8Array(input.rest());
      const response = await openApi().handle(
        new Request(`http://localhost${path}`, {
          method,
          ...method === "GET" ? {} : { body },
        }),
      );
      const text = await response.text();
      require(response.status < 500, `it answers ${response.status}: ${text}`);
      return `${response.status} ${wordsOf(text)}`;
    },
  },
];
