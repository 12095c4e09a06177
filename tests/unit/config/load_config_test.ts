import { assertEquals, assertRejects } from "@std/assert";
import { ConfigError } from "../../../lib/config/config_error.ts";
import { loadConfig, loadOptions } from "../../../lib/config/load_config.ts";
import { faultOf, FILE, sourcesOf } from "./given_config.ts";

const SOURCE = `source:
  address: db1:3306
  user: repl
  password: s3cret
`;

Deno.test("loadOptions() gives defaults for an empty configuration", async () => {
  const expected = {
    name: "kingbus",
    dataDir: "./data",
    admin: {
      listen: { hostname: "127.0.0.1", port: 9595 },
      adminToken: undefined,
      readToken: undefined,
      hosts: [],
      tls: undefined,
    },
    server: {
      listen: { hostname: "127.0.0.1", port: 3390 },
      identity: "own",
      version: "8.4.0-kingbus",
      serverId: undefined,
      users: [],
      semiSync: false,
      tls: {
        mode: "optional",
        files: { certificate: undefined, key: undefined, ca: undefined },
        clientCertificate: "ignored",
      },
      compression: ["zlib", "zstd"],
      waitForReplicas: 0,
      waitTimeoutMs: 10_000,
      connectionsMax: 1000,
      loginTimeoutMs: 10_000,
    },
    source: undefined,
    follow: {
      heartbeatMs: 5000,
      readTimeoutMs: 20_000,
      connectTimeoutMs: 10_000,
      switchAfterMs: 30_000,
      tls: { mode: "preferred", files: {} },
      compression: undefined,
    },
    log: {
      level: "info",
      format: "text",
      directory: undefined,
      fileBytesMax: 64 * 2 ** 20,
      oldFilesMax: 5,
    },
    store: { tailMemoryBytes: 32 * 2 ** 20, cacheMemoryBytes: 24 * 2 ** 20 },
    retention: {
      bytesMax: undefined,
      ageMaxMs: undefined,
      filesMax: undefined,
      freeDiskBytesMin: undefined,
      checkIntervalMs: 30_000,
      replicas: [],
    },
  };
  assertEquals(await loadOptions(sourcesOf({})), expected as never);
  assertEquals(await loadOptions(sourcesOf({ text: "" })), expected as never);
  assertEquals(
    await loadOptions(sourcesOf({ text: "# nothing\nsource:\nlog:\n" })),
    expected as never,
  );
});

Deno.test("loadOptions() reads every key", async () => {
  const options = await loadOptions(sourcesOf({
    text: `
name: node-1
data-dir: /var/lib/kingbus
admin:
  listen: "[::]:1"
  read-token-file: /run/read-token
  admin-token-env: ADMIN_TOKEN
  hosts: [kingbus.example.com, kb]
server:
  listen: 0.0.0.0:3306
  identity: source
  version: 9.7.4-2
  server-id: 4294967295
  users:
    - { name: repl, password: replpass, rights: [admin] }
    - { name: cdc, password-file: /run/cdc, rights: [monitor, replicate] }
    - { name: three, password-env: THREE }
  semi-sync: true
  compression: [zstd]
  wait-for-replicas: 2
  wait-timeout: 3s
  connections-max: 5
  login-timeout: 1500ms
source:
  address: 10.0.0.1:3306
  user: kb
  password: ""
  server-id: 1001
  uuid: 3E11FA47-71CA-11E1-9E33-C80AA9429562
  start: 3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5
  heartbeat: 1s
  read-timeout: 1m
  connect-timeout: 2s
  semi-sync: true
  switch-after: 0s
  compression: zlib
  candidates: ["db2:3306", "[::1]:3307"]
log: { level: debug, format: json, directory: logs, file-size: 1MiB, old-files: 2 }
store: { tail-memory: 1GiB, cache-memory: 2MiB }
retention:
  size: 20GiB
  age: 7d
  files: 100
  free-disk: 5GiB
  check-interval: 1s
  replicas:
    - { uuid: 3E11FA47-71CA-11E1-9E33-C80AA9429562, name: reports }
    - { uuid: 4e11fa47-71ca-11e1-9e33-c80aa9429562 }
`,
    files: {
      "/run/cdc": "cdcpass\n",
      "/run/read-token": "0123456789abcdef\r\n",
    },
    env: { THREE: "threepass\n", ADMIN_TOKEN: "fedcba9876543210" },
  }));
  assertEquals(options, {
    name: "node-1",
    dataDir: "/var/lib/kingbus",
    admin: {
      listen: { hostname: "::", port: 1 },
      readToken: { text: "0123456789abcdef", file: "/run/read-token" },
      adminToken: { text: "fedcba9876543210", file: undefined },
      hosts: ["kingbus.example.com", "kb"],
      tls: undefined,
    },
    server: {
      listen: { hostname: "0.0.0.0", port: 3306 },
      identity: "source",
      version: "9.7.4-2",
      serverId: 4294967295,
      users: [
        {
          name: "repl",
          password: "replpass",
          rights: ["admin"],
          requireTls: false,
        },
        {
          name: "cdc",
          password: "cdcpass",
          rights: ["monitor", "replicate"],
          requireTls: false,
        },
        {
          name: "three",
          password: "threepass\n",
          rights: ["replicate", "monitor"],
          requireTls: false,
        },
      ],
      semiSync: true,
      tls: {
        mode: "optional",
        files: { certificate: undefined, key: undefined, ca: undefined },
        clientCertificate: "ignored",
      },
      compression: ["zstd"],
      waitForReplicas: 2,
      waitTimeoutMs: 3000,
      connectionsMax: 5,
      loginTimeoutMs: 1500,
    },
    source: {
      address: { hostname: "10.0.0.1", port: 3306 },
      user: "kb",
      password: "",
      serverId: 1001,
      uuid: "3e11fa47-71ca-11e1-9e33-c80aa9429562",
      start: "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5",
      semiSync: true,
      candidates: [
        { hostname: "db2", port: 3306 },
        { hostname: "::1", port: 3307 },
      ],
    },
    follow: {
      heartbeatMs: 1000,
      readTimeoutMs: 60_000,
      connectTimeoutMs: 2000,
      switchAfterMs: 0,
      tls: { mode: "preferred", files: {} },
      compression: { algorithm: "zlib", level: 6 },
    },
    log: {
      level: "debug",
      format: "json",
      directory: "logs",
      fileBytesMax: 2 ** 20,
      oldFilesMax: 2,
    },
    store: { tailMemoryBytes: 2 ** 30, cacheMemoryBytes: 2 ** 21 },
    retention: {
      bytesMax: 20 * 2 ** 30,
      ageMaxMs: 7 * 86_400_000,
      filesMax: 100,
      freeDiskBytesMin: 5 * 2 ** 30,
      checkIntervalMs: 1000,
      replicas: [
        { uuid: "3e11fa47-71ca-11e1-9e33-c80aa9429562", name: "reports" },
        {
          uuid: "4e11fa47-71ca-11e1-9e33-c80aa9429562",
          name: "4e11fa47-71ca-11e1-9e33-c80aa9429562",
        },
      ],
    },
  });
});

Deno.test("loadOptions() lets flags win over the file", async () => {
  const options = await loadOptions(sourcesOf({
    text: SOURCE,
    flags: {
      "source-address": "db2:3307",
      "source-password-file": "/run/p",
      "server-connections-max": "7",
      "name": "n2",
    },
    files: { "/run/p": "frompath\r\n" },
  }));
  assertEquals(options.source?.address, { hostname: "db2", port: 3307 });
  assertEquals(options.source?.user, "repl");
  assertEquals(options.source?.password, "frompath");
  assertEquals(options.server.connectionsMax, 7);
  assertEquals(options.name, "n2");
});

Deno.test("loadOptions() makes a source of flags alone", async () => {
  const options = await loadOptions(sourcesOf({
    flags: {
      "source-address": "db2:3307",
      "source-user": "u",
      "source-password-env": "PW",
    },
    env: { PW: "x" },
  }));
  assertEquals(options.source?.password, "x");
});

Deno.test("loadOptions() takes the file KINGBUS_CONFIG names", async () => {
  const options = await loadOptions(sourcesOf({
    env: { KINGBUS_CONFIG: "/c.yaml" },
    files: { "/c.yaml": "name: from-env" },
  }));
  assertEquals(options.name, "from-env");
});

Deno.test("loadOptions() says file, line, key and reason", async () => {
  const cases: [string, string][] = [
    ["nmae: x", `${FILE}:1: nmae: is no key here; did you mean "name"?`],
    [
      "\nserver:\n  lisen: a:1",
      `${FILE}:3: server.lisen: is no key here; did you mean "listen"?`,
    ],
    [
      "retention: { size: 20 }",
      `${FILE}:1: retention.size: must be from 1MiB to 4096TiB, not 20`,
    ],
    [
      "retention: { age: 7 }",
      `${FILE}:1: retention.age: needs a unit, as in 7s or 7ms`,
    ],
    [
      "retention: { files: 0 }",
      `${FILE}:1: retention.files: must be from 1 to 10000000, not 0`,
    ],
    [
      "retention:\n  replicas: [{ name: x }]",
      `${FILE}:2: retention.replicas[0].uuid: is missing`,
    ],
    [
      "retention:\n  replicas: [{ uuid: x }]",
      `${FILE}:2: retention.replicas[0].uuid: must be a uuid such as 3e11fa47-71ca-11e1-9e33-c80aa9429562, not "x"`,
    ],
    [
      "store:\n  qqqq: 1",
      `${FILE}:2: store.qqqq: is no key here; there are tail-memory, cache-memory`,
    ],
    [
      "server:\n  users:\n    - name: a\n      pasword: b",
      `${FILE}:4: server.users[0].pasword: is no key here; did you mean "password"?`,
    ],
    [
      "server:\n  users:\n    - name: a\n      admin: true",
      `${FILE}:4: server.users[0].admin: is no key any more: write rights: [admin] in the place of admin: true`,
    ],
    [
      "server:\n  users:\n    - name: a\n      rights: [replicate, super]",
      `${FILE}:4: server.users[0].rights[1]: must be replicate, monitor or admin, not "super"`,
    ],
    [
      "server:\n  users:\n    - name: a\n      rights: admin",
      `${FILE}:4: server.users[0].rights: must be a list`,
    ],
    [
      "server:\n  users:\n    - name: a\n      rights: []",
      `${FILE}:4: server.users[0].rights: must name at least one of replicate, monitor, admin`,
    ],
    [
      "admin:\n  listen: 9595",
      `${FILE}:2: admin.listen: must be host:port, not only 9595`,
    ],
    [
      "server:\n\n  listen: nowhere",
      `${FILE}:3: server.listen: "nowhere" is not host:port`,
    ],
    ["server: 5", `${FILE}:1: server: must be a section: keys with values`],
    [
      "server:\n  users: { name: a }",
      `${FILE}:2: server.users: must be a list`,
    ],
    [
      "log:\n  level: inof",
      `${FILE}:2: log.level: must be debug, info, warn or error, not "inof"; did you mean "info"?`,
    ],
    [
      "source:\n  address: a:1\n  password: x",
      `${FILE}:1: source.user: is missing (flag: --source-user)`,
    ],
    [
      "source:\n  address: a:1\n  user: u",
      `${FILE}:1: source: has no password: give one of password, password-file and password-env`,
    ],
    [
      "source:\n  address: a:1\n  user: u\n  password: x\n  password-env: Y",
      `${FILE}:5: source.password-env: is given besides password: give only one of them`,
    ],
    [
      "source:\n  address: a:1\n  user: u\n  password: 0123",
      `${FILE}:4: source.password: must be a text: put it in quotes`,
    ],
    [
      `${SOURCE}  heartbeat: 10`,
      `${FILE}:5: source.heartbeat: needs a unit, as in 10s or 10ms`,
    ],
    [
      `${SOURCE}  heartbeat: 30s`,
      `${FILE}:1: source.read-timeout: must be above source.heartbeat (30s), or an idle source counts as lost`,
    ],
    [
      `${SOURCE}  server-id: 0`,
      `${FILE}:5: source.server-id: must be from 1 to 4294967295, not 0`,
    ],
    [
      `${SOURCE}  start: yesterday`,
      `${FILE}:5: source.start: must be oldest, newest, a GTID set or a MariaDB GTID position, not "yesterday"`,
    ],
    [
      "server: { wait-for-replicas: 1 }",
      `${FILE}:1: server.wait-for-replicas: is 1, but without server.semi-sync no replica acknowledges anything`,
    ],
    [
      `${SOURCE}server: { semi-sync: true, wait-for-replicas: 2 }`,
      `${FILE}:5: server.wait-for-replicas: is 2, but without source.semi-sync the source waits for no acknowledgement`,
    ],
    [
      `${SOURCE}  semi-sync: yes`,
      `${FILE}:5: source.semi-sync: must be true or false, not "yes"`,
    ],
    [
      "store:\n  tail-memory: 1KiB",
      `${FILE}:2: store.tail-memory: must be from 1MiB to 64GiB, not "1KiB"`,
    ],
    ["data-dir:", `${FILE}:1: data-dir: has no value`],
    ["name: 5", `${FILE}:1: name: must be a text, not 5: put it in quotes`],
    [
      "name: a b",
      `${FILE}:1: name: must be letters, digits, dots, dashes and underscores, at most 64, not "a b"`,
    ],
    [
      "server:\n  version: 8.0",
      `${FILE}:2: server.version: must be a text, not 8: put it in quotes`,
    ],
    ["- a", `${FILE}: is no configuration: it must have keys with values`],
  ];
  for (const [text, message] of cases) {
    assertEquals(await faultOf({ text }), message);
  }
});

Deno.test("loadOptions() refuses clashes", async () => {
  const cases: [string, string][] = [
    [
      "admin: { listen: 127.0.0.1:3390 }",
      `${FILE}:1: admin.listen: is the address of server.listen too: they need two ports`,
    ],
    [
      "admin:\n  listen: 0.0.0.0:3390",
      `${FILE}:2: admin.listen: is the address of server.listen too: they need two ports`,
    ],
    [
      `${SOURCE}  server-id: 5\nserver: { server-id: 5 }`,
      `${FILE}:5: source.server-id: is 5 as server.server-id is: source and replicas need two different ids`,
    ],
    [
      SOURCE.replace("db1:3306", "localhost:3390"),
      `${FILE}:2: source.address: is kingbus's own server.listen: it would follow itself`,
    ],
    [
      `${
        SOURCE.replace("db1:3306", "127.0.0.1:9595")
      }admin: { listen: 0.0.0.0:9595 }`,
      `${FILE}:2: source.address: is kingbus's own admin.listen: it would follow itself`,
    ],
    [
      "server:\n  users:\n    - { name: a, password: x }\n    - { name: a, password: y }",
      `${FILE}:4: server.users[1].name: there are two users named "a"`,
    ],
    [
      "retention:\n  replicas:\n    - { uuid: 3e11fa47-71ca-11e1-9e33-c80aa9429562 }\n    - { uuid: 3E11FA47-71CA-11E1-9E33-C80AA9429562 }",
      `${FILE}:4: retention.replicas[1].uuid: there are two replicas with the uuid 3E11FA47-71CA-11E1-9E33-C80AA9429562`,
    ],
    [
      "server:\n  users:\n    - { name: a, password: '' }",
      `${FILE}:3: server.users[0]: has an empty password`,
    ],
  ];
  for (const [text, message] of cases) {
    assertEquals(await faultOf({ text }), message);
  }
});

Deno.test("loadOptions() takes what only looks like a clash", async () => {
  const texts = [
    "admin: { listen: 127.0.0.1:0 }\nserver: { listen: 127.0.0.1:0 }",
    "admin: { listen: 127.0.0.2:3390 }",
    `${SOURCE.replace("db1:3306", "db1:3390")}`,
  ];
  for (const text of texts) await loadOptions(sourcesOf({ text }));
});

Deno.test("loadOptions() names the flag a bad value came from", async () => {
  assertEquals(
    await faultOf({ flags: { "server-listen": "x" } }),
    '--server-listen: "x" is not host:port',
  );
  assertEquals(
    await faultOf({ flags: { "source-address": "a:1" } }),
    "source.user: is missing (flag: --source-user)",
  );
  assertEquals(
    await faultOf({ text: "name: 5", flags: { "log-level": "loud" } }),
    `${FILE}:1: name: must be a text, not 5: put it in quotes`,
  );
});

Deno.test("loadOptions() says which secret cannot be read", async () => {
  const source = "source:\n  address: a:1\n  user: u\n";
  assertEquals(
    await faultOf({ text: `${source}  password-file: /gone` }),
    `${FILE}:4: source.password-file: /gone does not exist`,
  );
  assertEquals(
    await faultOf({
      text: `${source}  password-file: /empty`,
      files: { "/empty": "\n" },
    }),
    `${FILE}:4: source.password-file: /empty is empty: write the password to it, or say that there is none with password: ""`,
  );
  assertEquals(
    await faultOf({ text: `${source}  password-env: GONE` }),
    `${FILE}:4: source.password-env: the environment variable GONE is not set`,
  );
});

Deno.test("loadConfig() reads no secret", async () => {
  const { tree } = await loadConfig(sourcesOf({
    text: "source:\n  address: a:1\n  user: u\n  password-file: /gone",
  }));
  assertEquals(tree.source?.["password-file"], "/gone");
});

Deno.test("loadOptions() says what is wrong with the file itself", async () => {
  const missing = await assertRejects(
    () => loadOptions({ ...sourcesOf({}), file: "/none.yaml" }),
    ConfigError,
  );
  assertEquals(missing.message, "/none.yaml: does not exist");
  const broken = await faultOf({ text: "name: a\nlog: [1\nx: {" });
  assertEquals(
    /^\/etc\/kingbus\.yaml:\d: is no valid YAML: /.test(broken),
    true,
  );
  const twice = await faultOf({ text: "name: a\nname: b" });
  assertEquals(twice.startsWith(`${FILE}:2: is no valid YAML: `), true, twice);
});

Deno.test("loadOptions() never shows a secret in an error", async () => {
  const secret = "hunter2";
  const texts = [
    `source:\n  address: a:1\n  user: u\n  password: ${secret}\n  password-env: X`,
    `source:\n  address: a\n  user: u\n  password: ${secret}`,
    `source:\n  address: a:1\n  user: u\n  pasword: ${secret}`,
    `source:\n  address: a:1\n  user: u\n  password: [${secret}]`,
    `server:\n  users:\n    - name: a\n      password: { ${secret}: ${secret} }`,
  ];
  for (const text of texts) {
    const message = await faultOf({ text });
    assertEquals(message.includes(secret), false, message);
  }
});
