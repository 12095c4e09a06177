// The two login machines against each other, every combination of what they
// may be given.

import { assert, assertEquals } from "@std/assert";
import { generateKeyPairSync } from "node:crypto";
import {
  AuthPlugin,
  doubleSha1,
  doubleSha256,
} from "../../../lib/protocol/auth.ts";
import { ClientAuth } from "../../../lib/protocol/client_auth.ts";
import { decodeHandshakeV10 } from "../../../lib/protocol/handshake.ts";
import {
  type Account,
  type Login,
  ServerAuth,
  type ServerAuthStep,
} from "../../../lib/protocol/server_auth.ts";
import { ServerError } from "../../../lib/protocol/server_error.ts";
import { SCRAMBLE } from "../../support/captured_login.ts";

const KEYS = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});
const RSA_KEY_PAIR = {
  publicKeyPem: KEYS.publicKey,
  privateKeyPem: KEYS.privateKey,
};
const PASSWORD = "geheim-Ö€";

const ACCOUNTS: Record<string, (password: string) => Account> = {
  both: (password) => ({
    name: "u",
    doubleSha1: doubleSha1(password),
    doubleSha256: doubleSha256(password),
  }),
  sha1: (password) => ({ name: "u", doubleSha1: doubleSha1(password) }),
  sha2: (password) => ({ name: "u", doubleSha256: doubleSha256(password) }),
};

interface Setting {
  readonly account: Account | undefined;
  readonly authPlugin: string;
  readonly secure: boolean;
  readonly rsa: boolean;
  readonly pinned: boolean;
  readonly password: string;
}

/** Lets both machines talk until one side decides. */
function login(setting: Setting): Login {
  const { secure, password } = setting;
  const server = new ServerAuth({
    lookup: () => setting.account,
    host: "192.0.2.9",
    secure,
    rsaKeyPair: setting.rsa ? RSA_KEY_PAIR : undefined,
  });
  const greeting = server.greeting({
    connectionId: 1,
    serverVersion: "9.7.4",
    scramble: SCRAMBLE,
    authPlugin: setting.authPlugin,
  });
  const client = new ClientAuth();
  const serverPublicKeyPem = setting.pinned ? KEYS.publicKey : undefined;
  let payload = client.start(
    decodeHandshakeV10(greeting),
    { user: "u", password, secure, serverPublicKeyPem },
  );
  for (let turns = 0; turns < 5; turns++) {
    const step = server.next(payload);
    const answers = payloadsOf(step).map((reply) => client.next(reply));
    const last = answers.at(-1)!;
    if ("accepted" in step) {
      assert("done" in last, "the client knows that it is in");
      return step.accepted;
    }
    assert("send" in last, "the client answers");
    payload = last.send;
  }
  throw new RangeError("The login does not end");
}

function payloadsOf(step: ServerAuthStep): readonly Uint8Array[] {
  if ("accepted" in step) return step.replies;
  if ("refused" in step) return [step.refused];
  assert("send" in step);
  return [step.send];
}

function* settings(password: string): Generator<Setting> {
  for (const make of Object.values(ACCOUNTS)) {
    for (const authPlugin of [AuthPlugin.CACHING_SHA2, AuthPlugin.NATIVE]) {
      for (const secure of [false, true]) {
        for (
          const [rsa, pinned] of [[false, false], [true, false], [true, true]]
        ) {
          yield {
            account: make(password),
            authPlugin,
            secure,
            rsa: rsa!,
            pinned: pinned!,
            password,
          };
        }
      }
    }
  }
}

Deno.test("ServerAuth accepts ClientAuth in every setting", () => {
  for (const password of [PASSWORD, ""]) {
    for (const setting of settings(password)) {
      const accepted = login(setting);
      assertEquals(accepted.user, "u");
      assertEquals(accepted.secure, setting.secure);
    }
  }
});

Deno.test("ServerAuth refuses ClientAuth with a wrong password in every setting", () => {
  for (
    const [right, wrong] of [[PASSWORD, "wrong"], [PASSWORD, ""], ["", "wrong"]]
  ) {
    for (const setting of settings(right!)) {
      assertRefused({ ...setting, password: wrong! });
    }
  }
});

Deno.test("ServerAuth refuses ClientAuth as an unknown user in every setting", () => {
  for (const password of [PASSWORD, ""]) {
    for (const setting of settings(password)) {
      assertRefused({ ...setting, account: undefined });
    }
  }
});

function assertRefused(setting: Setting): void {
  const using = setting.password === "" ? "NO" : "YES";
  let refusal: unknown;
  try {
    login(setting);
  } catch (cause) {
    refusal = cause;
  }
  assert(refusal instanceof ServerError, "refused");
  assertEquals(refusal.code, 1045);
  assertEquals(
    refusal.message,
    `Access denied for user 'u'@'192.0.2.9' (using password: ${using})`,
  );
}
