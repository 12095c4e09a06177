import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { X509Certificate } from "node:crypto";
import {
  type CredentialFiles,
  type CredentialPart,
  CredentialsError,
  readCredentials,
} from "../../../lib/tls/credentials.ts";
import { TlsError, type TlsErrorKind } from "../../../lib/tls/tls_error.ts";
import { verifyChain } from "../../../lib/tls/verify_chain.ts";
import { TestAuthority } from "../../support/test_authority.ts";

const authority = await TestAuthority.make("test authority");
const pair = await authority.issue({ name: "db", hosts: ["db.example"] });
const other = await authority.issue();

/** Reads from these files. */
function read(
  texts: Record<string, string>,
  files: CredentialFiles,
): ReturnType<typeof readCredentials> {
  return readCredentials(files, (path) => {
    const text = texts[path];
    return text === undefined
      ? Promise.reject(new Deno.errors.NotFound(path))
      : Promise.resolve(text);
  });
}

Deno.test("readCredentials() answers a certificate, its key and the authorities", async () => {
  const second = await TestAuthority.make("another authority");
  const credentials = await read({
    cert: `something before\n${pair.certificatePem}${authority.pem}`,
    key: pair.keyPem,
    ca: authority.pem + second.pem,
  }, { certificate: "cert", key: "key", ca: "ca" });
  assertEquals(credentials.certificate?.subject, "CN=db");
  assertEquals(
    credentials.certificatePem?.match(/BEGIN CERTIFICATE/g)?.length,
    2,
  );
  assertEquals(credentials.authorities.map(({ subject }) => subject), [
    "CN=test authority",
    "CN=another authority",
  ]);
  assertEquals((await read({}, {})).authorities, []);
});

const ENCRYPTED =
  "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n";
const BROKEN = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
const FAULTS: readonly [
  what: string,
  texts: Record<string, string>,
  part: CredentialPart,
  message: string,
][] = [
  [
    "a missing certificate",
    { key: pair.keyPem },
    "certificate",
    "cert does not exist",
  ],
  ["a missing key", { cert: pair.certificatePem }, "key", "key does not exist"],
  [
    "a certificate that is none",
    { cert: "hello", key: pair.keyPem },
    "certificate",
    "cert is no PEM file of a certificate: there is no BEGIN CERTIFICATE in it",
  ],
  [
    "a broken certificate",
    { cert: BROKEN, key: pair.keyPem },
    "certificate",
    "cert has a certificate that can't be read",
  ],
  [
    "the two files changed over",
    { cert: pair.certificatePem, key: pair.certificatePem },
    "key",
    "key is no PEM file of a private key: there is no BEGIN PRIVATE KEY in it",
  ],
  [
    "a key with a passphrase",
    { cert: pair.certificatePem, key: ENCRYPTED },
    "key",
    "key is encrypted with a passphrase: give the key without one",
  ],
  [
    "a broken key",
    {
      cert: pair.certificatePem,
      key: "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n",
    },
    "key",
    "key has a private key that can't be read",
  ],
  [
    "another certificate's key",
    { cert: pair.certificatePem, key: other.keyPem },
    "key",
    "key is not the key of the certificate in cert",
  ],
];

for (const [what, texts, part, message] of FAULTS) {
  Deno.test(`readCredentials() names the file and the fault of ${what}`, async () => {
    const error = await assertRejects(
      () => read(texts, { certificate: "cert", key: "key" }),
      CredentialsError,
    );
    assertEquals(error.message, message);
    assertEquals(error.part, part);
    assertEquals(error.kind, "files");
  });
}

function der(pem: string): Uint8Array {
  return new X509Certificate(pem).raw;
}

function check(
  chain: readonly string[],
  trusted: readonly string[],
  use: "server" | "client" = "server",
): void {
  const authorities = trusted.map((pem) => new X509Certificate(pem));
  verifyChain(chain.map(der), authorities, use, Date.now());
}

function assertFault(act: () => void, kind: TlsErrorKind): void {
  assertEquals(assertThrows(act, TlsError).kind, kind);
}

Deno.test("verifyChain() takes a certificate of a trusted authority, or a trusted one itself", () => {
  check([pair.certificatePem], [authority.pem]);
  check([pair.certificatePem, authority.pem], [authority.pem]);
  check([pair.certificatePem], [pair.certificatePem]);
});

Deno.test("verifyChain() refuses what leads nowhere, is out of its time or for another use", async () => {
  const stranger = await TestAuthority.make("another authority");
  // An authority of the same name, as anybody can make one.
  const impostor = await TestAuthority.make("test authority");
  const forged = await impostor.issue();
  const old = await authority.issue({ fromDays: -9, toDays: -2 });
  const early = await authority.issue({ fromDays: 2, toDays: 9 });
  const client = await authority.issue({ use: "client" });
  const trusted = [authority.pem];
  assertFault(() => check([], trusted), "no-certificate");
  assertFault(
    () => check([forged.certificatePem], trusted),
    "unknown-authority",
  );
  assertFault(
    () => check([forged.certificatePem, impostor.pem], trusted),
    "unknown-authority",
  );
  assertFault(() => check([pair.certificatePem], []), "unknown-authority");
  assertFault(() => check([stranger.pem], trusted), "self-signed");
  assertFault(() => check([old.certificatePem], trusted), "expired");
  assertFault(() => check([early.certificatePem], trusted), "not-yet-valid");
  assertFault(() => check([client.certificatePem], trusted), "unfit");
  check([client.certificatePem], trusted, "client");
  // A certificate that is no authority's signs nothing.
  assertFault(
    () => check([forged.certificatePem, other.certificatePem], trusted),
    "unknown-authority",
  );
});

/** Of X.509 version 1, signed by the authority behind it; made by OpenSSL. */
const VERSION_1 = {
  certificatePem: `-----BEGIN CERTIFICATE-----
MIIBBjCBrAIBATAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDAR2MWNhMCAXDTI2MTEy
MzEzMjAzNFoYDzIxMjYxMDMwMTMyMDM0WjANMQswCQYDVQQDDAJ2MTBZMBMGByqG
SM49AgEGCCqGSM49AwEHA0IABNKEhDfnP5GQaht9TXcElldIuujnv8hNyOauvIbO
WlQnW1ld6RwnaAQnM1QSj+/hwuYhSPWaaHpJRzVreztMvFMwCgYIKoZIzj0EAwID
SQAwRgIhALCDzYHvXRYOtBCiEJVPoB8xXzj46svPJvuEwR+zImZ2AiEA2N68x4ux
x5+OzmZP2BbsTWyawzvmvSobJNhJGCflDwU=
-----END CERTIFICATE-----
`,
  authorityPem: `-----BEGIN CERTIFICATE-----
MIIBdDCCARugAwIBAgIUNEXP36O6TWLXmV8mMtzRUGrmzkkwCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEdjFjYTAgFw0yNjExMjMxMzIwMzRaGA8yMTI2MTAzMDEzMjAz
NFowDzENMAsGA1UEAwwEdjFjYTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABLpA
D/No4vh9np/5/1RwPNKsckUmmj++6chn1iG4F8KXJQR8zagkNW13DmbnA5qEle1m
Uj9dMYXBdvwOxugU9IWjUzBRMB0GA1UdDgQWBBSGvuGP/11a6qMOxN/HS1NuomFl
qzAfBgNVHSMEGDAWgBSGvuGP/11a6qMOxN/HS1NuomFlqzAPBgNVHRMBAf8EBTAD
AQH/MAoGCCqGSM49BAMCA0cAMEQCIFoPJjxpquOFM4TkTYpSGpX5+Ku15XfSQM30
joUuQ5MZAiBN7chs/4TsSsy1DHxM3cy5R4JvtI8sM2hYOpyj3KHokw==
-----END CERTIFICATE-----
`,
};

Deno.test("verifyChain() refuses a certificate of X.509 version 1", () => {
  assertFault(
    () => check([VERSION_1.certificatePem], [VERSION_1.authorityPem]),
    "unfit",
  );
});
