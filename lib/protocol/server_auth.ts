import {
  AuthPlugin,
  CACHING_SHA2_TOKEN_BYTES,
  decryptPasswordRsa,
  doubleSha1,
  doubleSha256,
  equalBytes,
  NATIVE_TOKEN_BYTES,
  nulTerminatedPassword,
  proveCertificate,
  verifyCachingSha2,
  verifyNativePassword,
} from "./auth.ts";
import {
  CachingSha2Signal,
  encodeAuthMoreData,
  encodeAuthSwitch,
} from "./auth_packet.ts";
import { Capability, commonCapabilities, hasCapability } from "./capability.ts";
import { CharacterSet } from "./character_set.ts";
import {
  agreedCompression,
  type Compression,
  isZstdLevel,
} from "./compression.ts";
import { ErrorCode, sqlStateFor } from "./error_code.ts";
import {
  decodeHandshakeResponse,
  encodeHandshakeV10,
  type HandshakeResponse,
  isSslRequest,
} from "./handshake.ts";
import { ProtocolError } from "./protocol_error.ts";
import { encodeErr, encodeOk } from "./response.ts";
import { StatusFlag } from "./status_flag.ts";

/**
 * An account that may log in, with the secrets of the plugins it may use. At
 * least one is needed; with only the SHA-1 one, a `caching_sha2_password`
 * client goes through the full exchange.
 */
export interface Account {
  readonly name: string;
  /** SHA1(SHA1(password)), 20 bytes, for `mysql_native_password`. */
  readonly doubleSha1?: Uint8Array | undefined;
  /** SHA256(SHA256(password)), 32 bytes, for `caching_sha2_password`. */
  readonly doubleSha256?: Uint8Array | undefined;
  /** Whether it may log in over TLS only (`REQUIRE SSL`). */
  readonly requireTls?: boolean | undefined;
}

/** An account with both secrets, from its clear password. */
export function accountFromPassword(name: string, password: string): Account {
  return {
    name,
    doubleSha1: doubleSha1(password),
    doubleSha256: doubleSha256(password),
  };
}

/** An RSA key pair as PEM, of at least 2048 bits, for passwords without TLS. */
export interface RsaKeyPair {
  readonly publicKeyPem: string;
  readonly privateKeyPem: string;
}

/** What a `ServerAuth` is made with. */
export interface ServerAuthOptions {
  /** The account of a user name, `undefined` if there is none. */
  readonly lookup: (user: string) => Account | undefined;
  /** Address of the client without its port, as refusals name it. */
  readonly host: string;
  /** True if the connection is TLS from its first byte on. */
  readonly secure?: boolean;
  /** Whether everybody has to come over TLS (`require_secure_transport`). */
  readonly requireTls?: boolean | undefined;
  /**
   * Why a client with these connection attributes can't be served now, though
   * it has proved who it is; undefined if it can.
   */
  readonly notNow?:
    | ((attributes: ReadonlyMap<string, string>) => string | undefined)
    | undefined;
  /** Without it the full exchange works over TLS only. */
  readonly rsaKeyPair?: RsaKeyPair | undefined;
}

/** What the greeting says. */
export interface Greeting {
  /** Unsigned 32 bits. */
  readonly connectionId: number;
  readonly serverVersion: string;
  /** 20 bytes from `scrambleFromRandom`, new for each connection. */
  readonly scramble: Uint8Array;
  /** `SERVER_CAPABILITIES` when absent. */
  readonly capabilities?: number;
  /** Collation number; utf8mb4_general_ci when absent. */
  readonly charset?: number;
  /** Autocommit when absent. */
  readonly statusFlags?: number;
  /** Plugin to name first; `caching_sha2_password` when absent. */
  readonly authPlugin?: string;
  /** Prove the server's certificate at the login, as MariaDB does. */
  readonly provesCertificate?: boolean;
}

/** A client that has proved who it is. */
export interface Login {
  readonly user: string;
  /** Common capabilities of both sides. */
  readonly capabilities: number;
  /** Collation number the client asked for. */
  readonly charset: number;
  readonly maxPacketBytes: number;
  /** Default schema the client asked for. */
  readonly database?: string | undefined;
  /** Connection attributes such as `program_name`. */
  readonly attributes: ReadonlyMap<string, string>;
  /** Plugin that convinced us. */
  readonly authPlugin: string;
  /** True over TLS. */
  readonly secure: boolean;
  /** How the connection goes on behind the last reply; undefined for as it is. */
  readonly compression: Compression | undefined;
}

/**
 * What to do next. Payloads are written with the sequence ids that follow the
 * client's. After `startTls` the client's next payload comes over TLS, with its
 * sequence ids running on.
 */
export type ServerAuthStep =
  | { readonly send: Uint8Array }
  | { readonly startTls: true }
  | { readonly accepted: Login; readonly replies: readonly Uint8Array[] }
  | { readonly refused: Uint8Array };

/** What our greeting announces by default. */
export const SERVER_CAPABILITIES: number = (Capability.LONG_PASSWORD |
  Capability.LONG_FLAG |
  Capability.CONNECT_WITH_DB |
  Capability.PROTOCOL_41 |
  Capability.TRANSACTIONS |
  Capability.SECURE_CONNECTION |
  Capability.PLUGIN_AUTH |
  Capability.CONNECT_ATTRS |
  Capability.PLUGIN_AUTH_LENENC_CLIENT_DATA |
  Capability.DEPRECATE_EOF) >>> 0;

/**
 * What it announces for a MariaDB log: without the bit that tells MariaDB's
 * clients that a server is MySQL (`CLIENT_MYSQL`, once LONG_PASSWORD). They read
 * MariaDB's own capabilities from the reserved bytes then, which say none.
 */
export const MARIADB_CAPABILITIES: number =
  (SERVER_CAPABILITIES & ~Capability.LONG_PASSWORD) >>> 0;

/** Longest user name taken, in UTF-8 bytes; the server's own limit is 96. */
const USER_BYTES_MAX = 256;
const textEncoder = new TextEncoder();

/**
 * Stands in for the account of an unknown user, so that the exchange looks the
 * same. No password hashes to zeros.
 */
const NO_ACCOUNT: Account = {
  name: "",
  doubleSha1: new Uint8Array(NATIVE_TOKEN_BYTES),
  doubleSha256: new Uint8Array(CACHING_SHA2_TOKEN_BYTES),
};

/**
 * The accepting side's part of the login.
 *
 * ```text
 * login    = greeting, [SSL request, TLS], response, verdict
 * verdict  = [more(fast success)] OK | ERR
 *          | switch(plugin, scramble), token, verdict        (at most once)
 *          | more(full authentication), password, verdict
 * password = clear text (over TLS)
 *          | [key request, more(public key)], encrypted
 * ```
 *
 * A wrong password and an unknown user go through the same exchange and get the
 * same error. Because the accounts hold what `caching_sha2_password` caches,
 * its fast exchange decides whenever the account has that secret; the full one
 * is for accounts that hold only the SHA-1 secret. MySQL internals: Connection
 * Phase.
 */
export class ServerAuth {
  readonly #options: ServerAuthOptions;
  #phase:
    | "new"
    | "response"
    | "token"
    | "password"
    | "encrypted-password"
    | "done" = "new";
  #secure: boolean;
  /** Why the client's certificate does not count. */
  #distrusted: string | undefined;
  /** The certificate that the client was shown, as DER. */
  #certificate: Uint8Array | undefined;
  #provesCertificate = false;
  #scramble: Uint8Array = new Uint8Array(0);
  #greetingPlugin = "";
  #serverCapabilities = 0;

  /** From the handshake response on. */
  #response: HandshakeResponse | undefined;
  #account: Account = NO_ACCOUNT;
  #plugin = "";

  constructor(options: ServerAuthOptions) {
    this.#options = options;
    this.#secure = options.secure ?? false;
  }

  /** The greeting's payload, to be sent first, with sequence id 0. */
  greeting(greeting: Greeting): Uint8Array {
    if (this.#phase !== "new") throw new TypeError("Cannot greet twice");
    this.#phase = "response";
    this.#scramble = greeting.scramble;
    this.#provesCertificate = greeting.provesCertificate ?? false;
    this.#serverCapabilities = greeting.capabilities ?? SERVER_CAPABILITIES;
    this.#greetingPlugin = greeting.authPlugin ?? AuthPlugin.CACHING_SHA2;
    return encodeHandshakeV10({
      serverVersion: greeting.serverVersion,
      connectionId: greeting.connectionId,
      scramble: greeting.scramble,
      capabilities: this.#serverCapabilities,
      charset: greeting.charset ?? CharacterSet.UTF8MB4_GENERAL_CI,
      statusFlags: greeting.statusFlags ?? StatusFlag.STATUS_AUTOCOMMIT,
      authPlugin: this.#greetingPlugin,
    });
  }

  /**
   * Takes the client's next payload. Throws a `ProtocolError` for one that is
   * malformed or out of bounds; answer that with its ERR packet and close.
   */
  next(payload: Uint8Array): ServerAuthStep {
    switch (this.#phase) {
      case "response":
        return this.#takeResponse(payload);
      case "token":
        return this.#takeToken(payload);
      case "password":
      case "encrypted-password":
        return this.#takePassword(payload);
      case "new":
      case "done":
        throw new TypeError("Cannot take a payload outside of a login");
    }
  }

  #takeResponse(payload: Uint8Array): ServerAuthStep {
    if (!this.#secure && isSslRequest(payload)) return this.#startTls();
    const response = decodeHandshakeResponse(payload, this.#serverCapabilities);
    checkUser(response.user);
    checkZstdLevel(response.zstdLevel);
    this.#response = response;
    if (this.#distrusted !== undefined) {
      return this.#refuse(
        ErrorCode.ER_ACCESS_DENIED,
        `Access denied for user '${response.user}'@'${this.#options.host}': ${this.#distrusted}`,
      );
    }
    this.#account = this.#options.lookup(response.user) ?? NO_ACCOUNT;
    const plugin = this.#clientPlugin(response);
    const suitable = this.#suitablePlugin(plugin);
    // A client whose own plugin is another than the greeting's sends nothing
    // yet: the scramble may not have been meant for it.
    const waits = response.authResponse.length === 0 &&
      plugin !== this.#greetingPlugin;
    const switchable = this.#has(Capability.PLUGIN_AUTH);
    if (switchable && (suitable !== plugin || waits)) {
      return this.#switchTo(suitable);
    }
    this.#plugin = plugin;
    return this.#takeToken(response.authResponse);
  }

  /**
   * Refuses whoever logs in over this connection with error 1045, after
   * `startTls`: the client's certificate is not one that is asked for.
   *
   * @param reason ends the error's text
   */
  distrust(reason: string): void {
    this.#distrusted = reason;
  }

  #refuse(code: number, message: string): ServerAuthStep {
    this.#phase = "done";
    return {
      refused: encodeErr(
        { code, sqlState: sqlStateFor(code), message },
        this.#commonCapabilities(),
      ),
    };
  }

  #startTls(): ServerAuthStep {
    if (!hasCapability(this.#serverCapabilities, Capability.SSL)) {
      throw new ProtocolError(
        ErrorCode.ER_HANDSHAKE,
        "Bad handshake: the client asks for TLS, which was not announced",
      );
    }
    this.#secure = true;
    return { startTls: true };
  }

  /** The plugin whose output the response carries. */
  #clientPlugin(response: HandshakeResponse): string {
    if (!this.#has(Capability.PLUGIN_AUTH)) return AuthPlugin.NATIVE;
    if (response.authPlugin) return response.authPlugin;
    return response.authResponse.length === NATIVE_TOKEN_BYTES
      ? AuthPlugin.NATIVE
      : this.#greetingPlugin;
  }

  /** The plugin to decide with: the client's own if the account allows it. */
  #suitablePlugin(plugin: string): string {
    const { doubleSha1, doubleSha256 } = this.#account;
    const native = doubleSha1 !== undefined;
    if (plugin === AuthPlugin.NATIVE && native) return plugin;
    const canDecrypt = this.#secure || this.#options.rsaKeyPair !== undefined;
    const cachingSha2 = doubleSha256 !== undefined || canDecrypt;
    if (plugin === AuthPlugin.CACHING_SHA2 && cachingSha2) return plugin;
    return doubleSha256 !== undefined || !native
      ? AuthPlugin.CACHING_SHA2
      : AuthPlugin.NATIVE;
  }

  #switchTo(plugin: string): ServerAuthStep {
    this.#plugin = plugin;
    this.#phase = "token";
    return { send: encodeAuthSwitch({ plugin, scramble: this.#scramble }) };
  }

  #takeToken(token: Uint8Array): ServerAuthStep {
    // The client writes an empty password as nothing or as a single NUL.
    if (token.length === 0 || (token.length === 1 && token[0] === 0)) {
      return this.#decide(provesPassword(this.#account, ""), false);
    }
    return this.#plugin === AuthPlugin.NATIVE
      ? this.#takeNativeToken(token)
      : this.#takeCachingSha2Token(token);
  }

  #takeNativeToken(token: Uint8Array): ServerAuthStep {
    const secret = this.#account.doubleSha1;
    const valid = secret !== undefined &&
      verifyNativePassword(token, this.#scramble, secret);
    return this.#decide(valid, true);
  }

  #takeCachingSha2Token(token: Uint8Array): ServerAuthStep {
    const secret = this.#account.doubleSha256;
    if (secret === undefined) {
      this.#phase = "password";
      return { send: signal(CachingSha2Signal.FULL_AUTHENTICATION) };
    }
    const valid = verifyCachingSha2(token, this.#scramble, secret);
    const replies = [signal(CachingSha2Signal.FAST_AUTH_SUCCESS)];
    return this.#decide(valid, true, replies);
  }

  /** Takes the clear password, the encrypted one, or the request for our key. */
  #takePassword(payload: Uint8Array): ServerAuthStep {
    if (this.#secure) {
      return this.#decideClear(nulTerminatedPassword(payload));
    }
    const { rsaKeyPair } = this.#options;
    if (rsaKeyPair === undefined) return this.#decide(false, true);
    if (this.#phase === "password" && isKeyRequest(payload)) {
      this.#phase = "encrypted-password";
      const pem = textEncoder.encode(rsaKeyPair.publicKeyPem);
      return { send: encodeAuthMoreData(pem) };
    }
    const { privateKeyPem } = rsaKeyPair;
    return this.#decideClear(
      decryptPasswordRsa(payload, this.#scramble, privateKeyPem),
    );
  }

  #decideClear(password: string | undefined): ServerAuthStep {
    const valid = password !== undefined &&
      provesPassword(this.#account, password);
    return this.#decide(valid, true);
  }

  /** Ends the login; `replies` precede the OK packet. */
  #decide(
    valid: boolean,
    usingPassword: boolean,
    replies: readonly Uint8Array[] = [],
  ): ServerAuthStep {
    this.#phase = "done";
    const response = this.#required();
    const capabilities = this.#commonCapabilities();
    // The stand-in account never logs in, whatever was computed with it.
    const insecure = this.#account.requireTls === true && !this.#secure;
    if (!valid || insecure || this.#account === NO_ACCOUNT) {
      return { refused: this.#refusal(usingPassword) };
    }
    // MySQL says so only to whom it would have let in.
    if (this.#options.requireTls === true && !this.#secure) {
      return this.#refuse(
        ErrorCode.ER_SECURE_TRANSPORT_REQUIRED,
        "Connections using insecure transport are prohibited while --require_secure_transport=ON.",
      );
    }
    const notNow = this.#options.notNow?.(response.attributes);
    if (notNow !== undefined) {
      return this.#refuse(ErrorCode.ER_UNKNOWN_ERROR, notNow);
    }
    const accepted: Login = {
      user: response.user,
      capabilities,
      charset: response.charset,
      maxPacketBytes: response.maxPacketBytes,
      database: response.database,
      attributes: response.attributes,
      authPlugin: this.#plugin,
      secure: this.#secure,
      compression: agreedCompression(capabilities, response.zstdLevel),
    };
    return { accepted, replies: [...replies, this.#ok()] };
  }

  #ok(): Uint8Array {
    const { doubleSha1 } = this.#account;
    const certificate = this.#certificate;
    const canProve = this.#provesCertificate && certificate !== undefined &&
      this.#plugin === AuthPlugin.NATIVE && doubleSha1 !== undefined;
    if (!canProve) return encodeOk();
    const info = proveCertificate(doubleSha1, this.#scramble, certificate);
    return encodeOk({ info });
  }

  /**
   * Tells which certificate the client was shown, after `startTls`.
   *
   * @param der the certificate as DER
   */
  showCertificate(der: Uint8Array): void {
    this.#certificate = der;
  }

  #refusal(usingPassword: boolean): Uint8Array {
    const { user } = this.#required();
    const code = ErrorCode.ER_ACCESS_DENIED;
    const message =
      `Access denied for user '${user}'@'${this.#options.host}' ` +
      `(using password: ${usingPassword ? "YES" : "NO"})`;
    return encodeErr(
      { code, sqlState: sqlStateFor(code), message },
      this.#commonCapabilities(),
    );
  }

  #has(capability: number): boolean {
    return hasCapability(this.#commonCapabilities(), capability);
  }

  #commonCapabilities(): number {
    const { capabilities } = this.#required();
    return commonCapabilities(capabilities, this.#serverCapabilities);
  }

  #required(): HandshakeResponse {
    if (this.#response === undefined) throw new TypeError("No response yet");
    return this.#response;
  }
}

function provesPassword(account: Account, password: string): boolean {
  if (account.doubleSha256 !== undefined) {
    return equalBytes(doubleSha256(password), account.doubleSha256);
  }
  return account.doubleSha1 !== undefined &&
    equalBytes(doubleSha1(password), account.doubleSha1);
}

function isKeyRequest(payload: Uint8Array): boolean {
  return payload.length === 1 &&
    payload[0] === CachingSha2Signal.REQUEST_PUBLIC_KEY;
}

function signal(value: number): Uint8Array {
  return encodeAuthMoreData(Uint8Array.of(value));
}

function checkUser(user: string): void {
  const length = textEncoder.encode(user).length;
  if (length > USER_BYTES_MAX) {
    throw new ProtocolError(
      ErrorCode.ER_HANDSHAKE,
      `Bad handshake: a user name of ${length} bytes`,
    );
  }
}

function checkZstdLevel(level: number | undefined): void {
  if (level === undefined || isZstdLevel(level)) return;
  throw new ProtocolError(
    ErrorCode.ER_WRONG_COMPRESSION_LEVEL_CLIENT,
    `Invalid compression level '${level}' of zstd: only 1 to 22 are allowed`,
  );
}
