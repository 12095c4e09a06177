import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { isIP } from "node:net";
import type { ServerTls } from "../../lib/server/server_tls.ts";
import { readCredentials } from "../../lib/tls/credentials.ts";

/** What a certificate of a test says. */
export interface TestCertificateOptions {
  readonly name?: string;
  /** Names and addresses; none when absent. */
  readonly hosts?: readonly string[];
  /** Days from now; 1 day ago and in 30 days when absent. */
  readonly fromDays?: number;
  readonly toDays?: number;
  /** For what it may be used; for anything when absent. */
  readonly use?: "server" | "client";
}

/** A certificate and its key, as PEM. */
export interface TestCertificate {
  readonly certificatePem: string;
  readonly keyPem: string;
}

const KEY = { name: "ECDSA", namedCurve: "P-256" };
const SIGNATURE = { name: "ECDSA", hash: "SHA-256" };
const DAY_MS = 24 * 3_600_000;

/** An authority that signs certificates as tests need them. */
export class TestAuthority {
  readonly #certificate: x509.X509Certificate;
  readonly #keys: CryptoKeyPair;

  private constructor(certificate: x509.X509Certificate, keys: CryptoKeyPair) {
    this.#certificate = certificate;
    this.#keys = keys;
  }

  /** Makes one, with a key of its own. */
  static async make(name: string): Promise<TestAuthority> {
    const keys = await newKeys();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      ...dates({}),
      serialNumber: "01",
      name: [{ CN: [name] }],
      keys,
      signingAlgorithm: SIGNATURE,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      ],
    });
    return new TestAuthority(certificate, keys);
  }

  /** Its certificate. */
  get pem(): string {
    return this.#certificate.toString("pem") + "\n";
  }

  /** Its certificate as one that a server shows. */
  async asOwn(): Promise<TestCertificate> {
    return { certificatePem: this.pem, keyPem: await pemOf(this.#keys) };
  }

  /** Signs a certificate with a new key. */
  async issue(options: TestCertificateOptions = {}): Promise<TestCertificate> {
    const keys = await newKeys();
    const { name = "test", hosts = [], use } = options;
    const usage = use === "client" ? "clientAuth" : "serverAuth";
    const certificate = await x509.X509CertificateGenerator.create({
      ...dates(options),
      serialNumber: "02",
      subject: [{ CN: [name] }],
      issuer: this.#certificate.subject,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: SIGNATURE,
      extensions: [
        new x509.BasicConstraintsExtension(false),
        ...(use === undefined ? [] : [
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage[usage]]),
        ]),
        ...(hosts.length === 0 ? [] : [
          new x509.SubjectAlternativeNameExtension(hosts.map((value) => ({
            type: isIP(value) === 0 ? "dns" as const : "ip" as const,
            value,
          }))),
        ]),
      ],
    });
    return {
      certificatePem: certificate.toString("pem") + "\n",
      keyPem: await pemOf(keys),
    };
  }
}

/** Certificate files of one test in a folder that goes with it. */
export class TestCertificateFolder implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Makes the folder. */
  static async make(): Promise<TestCertificateFolder> {
    const path = await Deno.makeTempDir({ prefix: "kingbus-tls-" });
    return new TestCertificateFolder(path);
  }

  /** Writes a file; answers its path. */
  async write(name: string, text: string): Promise<string> {
    const path = `${this.path}/${name}`;
    await Deno.writeTextFile(path, text);
    return path;
  }

  /** Writes a certificate and its key; answers their paths. */
  async writePair(
    name: string,
    { certificatePem, keyPem }: TestCertificate,
  ): Promise<{ certificate: string; key: string }> {
    return {
      certificate: await this.write(`${name}-cert.pem`, certificatePem),
      key: await this.write(`${name}-key.pem`, keyPem),
    };
  }

  /** How a server comes over TLS with a certificate of `authority`. */
  async serverTls(
    authority: TestAuthority,
    options: Partial<Omit<ServerTls, "files" | "credentials">> & {
      readonly hosts?: readonly string[];
      /** Whose clients' certificates are trusted. */
      readonly clients?: TestAuthority;
    } = {},
  ): Promise<ServerTls> {
    const { hosts = ["127.0.0.1", "localhost"], clients } = options;
    const pair = await authority.issue({ hosts, use: "server" });
    const files = {
      ...await this.writePair("server", pair),
      ...(clients === undefined
        ? {}
        : { ca: await this.write("clients.pem", clients.pem) }),
    };
    const credentials = await readCredentials(files);
    return {
      required: options.required ?? false,
      clientCertificate: options.clientCertificate ?? "ignored",
      files,
      credentials: () => credentials,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

async function newKeys(): Promise<CryptoKeyPair> {
  return await crypto.subtle.generateKey(KEY, true, ["sign", "verify"]);
}

async function pemOf({ privateKey }: CryptoKeyPair): Promise<string> {
  const key = await crypto.subtle.exportKey("pkcs8", privateKey);
  return x509.PemConverter.encode(key, "PRIVATE KEY") + "\n";
}

function dates(
  { fromDays = -1, toDays = 30 }: TestCertificateOptions,
): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return {
    notBefore: new Date(now + fromDays * DAY_MS),
    notAfter: new Date(now + toDays * DAY_MS),
  };
}
