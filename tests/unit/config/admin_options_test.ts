import { assert, assertEquals } from "@std/assert";
import { loadOptions } from "../../../lib/config/load_config.ts";
import { faultOf, FILE, sourcesOf } from "./given_config.ts";

const TOKEN = "0123456789abcdef";
const ADVICE =
  "write one to a file (openssl rand -hex 32), name it in admin.admin-token-file or admin.read-token-file, or listen on 127.0.0.1";

Deno.test("an admin API that others reach is refused without a token", async () => {
  for (
    const host of ["0.0.0.0", "10.0.0.1", "::", "fe80::1", "::ffff:10.0.0.1"]
  ) {
    const listen = host.includes(":") ? `[${host}]:9595` : `${host}:9595`;
    assertEquals(
      await faultOf({ text: `admin: { listen: "${listen}" }` }),
      `${FILE}:1: admin.listen: is ${host}, which others reach, and there is no token: ${ADVICE}`,
    );
    for (const key of ["read-token-file", "admin-token-file"]) {
      const text = `admin: { listen: "${listen}", ${key}: /t }`;
      await loadOptions(sourcesOf({ text, files: { "/t": TOKEN } }));
    }
  }
  assertEquals(
    await faultOf({ flags: { "admin-listen": "0.0.0.0:9595" } }),
    `--admin-listen: is 0.0.0.0, which others reach, and there is no token: ${ADVICE}`,
  );
});

Deno.test("every way to write a loopback address needs no token", async () => {
  for (
    const listen of [
      "127.0.0.1:0",
      "127.255.0.1:0",
      "localhost:0",
      "LocalHost:0",
      "[::1]:0",
      "[0:0:0:0:0:0:0:1]:0",
      "[::ffff:127.0.0.1]:0",
      "[::ffff:7f00:1]:0",
    ]
  ) {
    await loadOptions(sourcesOf({ text: `admin: { listen: "${listen}" }` }));
  }
});

Deno.test("a token that can be guessed or can't be sent is refused, unquoted", async () => {
  const cases: [string, string][] = [
    [
      "",
      "holds a token of 0 characters, which can be guessed: it must have at least 16 (try: openssl rand -hex 32)",
    ],
    [
      "sesame-sesame-1",
      "holds a token of 15 characters, which can be guessed: it must have at least 16 (try: openssl rand -hex 32)",
    ],
    [
      "sesame sesame sesame",
      "holds a token with spaces, line ends or characters beyond ASCII: a request could not carry it",
    ],
    [
      "sesame-sesame-sesame\n\n",
      "holds a token with spaces, line ends or characters beyond ASCII: a request could not carry it",
    ],
    [
      "s\u00e9same-s\u00e9same-same",
      "holds a token with spaces, line ends or characters beyond ASCII: a request could not carry it",
    ],
    ["x".repeat(1025), "holds a token of more than 1024 characters"],
  ];
  for (const [token, reason] of cases) {
    for (const kind of ["read", "admin"]) {
      const byFile = await faultOf({
        text: `admin: { ${kind}-token-file: /t }`,
        files: { "/t": token },
      });
      assertEquals(byFile, `${FILE}:1: admin.${kind}-token-file: /t ${reason}`);
      const byVariable = await faultOf({
        text: `admin: { ${kind}-token-env: T }`,
        env: { T: token },
      });
      assertEquals(
        byVariable,
        `${FILE}:1: admin.${kind}-token-env: the environment variable T ${reason}`,
      );
      assert(!byFile.includes("sesame") && !byVariable.includes("sesame"));
    }
  }
});

Deno.test("a token that isn't there, or is there twice, is refused", async () => {
  assertEquals(
    await faultOf({ text: "admin: { admin-token-file: /nowhere }" }),
    `${FILE}:1: admin.admin-token-file: /nowhere does not exist`,
  );
  assertEquals(
    await faultOf({ text: "admin: { read-token-env: NONE }" }),
    `${FILE}:1: admin.read-token-env: the environment variable NONE is not set`,
  );
  assertEquals(
    await faultOf({
      text: "admin: { read-token-env: T, read-token-file: /t }",
      files: { "/t": TOKEN },
      env: { T: TOKEN },
    }),
    `${FILE}:1: admin.read-token-env: is given besides read-token-file: give only one of them`,
  );
  assertEquals(
    await faultOf({
      text: "admin: { read-token-env: T, admin-token-file: /t }",
      files: { "/t": `${TOKEN}\n` },
      env: { T: TOKEN },
    }),
    `${FILE}:1: admin: has the same token twice: whoever may see could change, too`,
  );
});

Deno.test("admin.hosts takes names without ports", async () => {
  assertEquals(
    await faultOf({ text: 'admin: { hosts: ["kb:443"] }' }),
    `${FILE}:1: admin.hosts[0]: must be a host name without a port, not "kb:443"`,
  );
});

Deno.test("admin.tls needs both files, and ones that can be used", async () => {
  assertEquals(
    await faultOf({ text: "admin: { tls: { certificate: /c } }" }),
    `${FILE}:1: admin.tls.certificate: is given without admin.tls.key: they go together`,
  );
  const fault = await faultOf({
    text: "admin: { tls: { certificate: /c, key: /k } }",
    files: { "/c": "no certificate", "/k": "no key" },
  });
  assert(fault.startsWith(`${FILE}:1: admin.tls.`), fault);
});
