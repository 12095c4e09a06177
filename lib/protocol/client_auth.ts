import {
  AuthPlugin,
  cachingSha2Token,
  encryptPasswordRsa,
  nativePasswordToken,
} from "./auth.ts";
import {
  AuthPacket,
  CachingSha2Signal,
  decodeAuthMoreData,
  decodeAuthSwitch,
  SHA256_REQUEST_PUBLIC_KEY,
} from "./auth_packet.ts";
import { Capability } from "./capability.ts";
import { CharacterSet } from "./character_set.ts";
import { type Compression, compressionCapabilities } from "./compression.ts";
import { ErrorCode } from "./error_code.ts";
import {
  encodeHandshakeResponse,
  encodeSslRequest,
  type HandshakeV10,
  SCRAMBLE_BYTES,
} from "./handshake.ts";
import { ProtocolError } from "./protocol_error.ts";
import { decodeErr, ResponseHeader } from "./response.ts";

/** Who logs in, and over what. */
export interface ClientAuthOptions {
  readonly user: string;
  readonly password: string;
  /** Default schema; none when absent. */
  readonly database?: string | undefined;
  /** Connection attributes such as `program_name`. */
  readonly attributes?: ReadonlyMap<string, string> | undefined;
  /** How the connection is to be compressed, if the server offers it. */
  readonly compression?: Compression | undefined;
  /** True over TLS: the clear password may be sent. */
  readonly secure: boolean;
  /**
   * RSA public key of the server as PEM. When absent it is asked for; whoever
   * can alter the connection could then answer with a key of their own.
   */
  readonly serverPublicKeyPem?: string | undefined;
}

/**
 * What to do next: write this payload with the next sequence id, read another
 * payload, or go on to commands.
 */
export type ClientAuthStep =
  | { readonly send: Uint8Array }
  | { readonly read: true }
  | { readonly done: true };

/** What we ask for whether the server announced it or not. */
const ALWAYS = Capability.LONG_PASSWORD | Capability.PROTOCOL_41 |
  Capability.SECURE_CONNECTION;
/** What we ask for if the server announced it. */
const WHERE_KNOWN = Capability.LONG_FLAG | Capability.TRANSACTIONS |
  Capability.PLUGIN_AUTH | Capability.PLUGIN_AUTH_LENENC_CLIENT_DATA |
  Capability.CONNECT_ATTRS;
/** As the server's own clients: the largest `max_allowed_packet`. */
const MAX_PACKET_BYTES = 1024 * 1024 * 1024;

const READ: ClientAuthStep = { read: true };
const DONE: ClientAuthStep = { done: true };

/**
 * The connecting side's part of the login.
 *
 * ```text
 * login    = greeting, response, verdict
 * verdict  = OK | ERR
 *          | switch(plugin, scramble), token | password, verdict
 *          | more(fast success), OK
 *          | more(full authentication), password, verdict
 * password = clear text (over TLS)
 *          | [key request, more(public key)], encrypted
 * ```
 *
 * Knows `mysql_native_password` and `caching_sha2_password`, and
 * `sha256_password` where a server switches to it. A server that asks for
 * anything else, the clear-text plugin included, is refused. MySQL internals:
 * Connection Phase.
 */
export class ClientAuth {
  #phase: "new" | "verdict" | "public-key" | "done" = "new";
  #options: ClientAuthOptions | undefined;
  #plugin = "";
  #scramble: Uint8Array = new Uint8Array(0);
  #switched = false;
  #capabilities = 0;

  /** Common capabilities of the connection, once it has started. */
  get capabilities(): number {
    return this.#capabilities;
  }

  /**
   * The payload that asks a server to go on over TLS, which has to have
   * announced it; `start` then comes over TLS.
   */
  requestTls(handshake: HandshakeV10, options: ClientAuthOptions): Uint8Array {
    return encodeSslRequest({
      capabilities: capabilitiesFor(handshake, options),
      maxPacketBytes: MAX_PACKET_BYTES,
      charset: CharacterSet.UTF8MB4_GENERAL_CI,
    });
  }

  /**
   * Answers the greeting: the payload of the handshake response. Throws a
   * `RangeError` for a user or database name with a NUL.
   */
  start(handshake: HandshakeV10, options: ClientAuthOptions): Uint8Array {
    if (this.#phase !== "new") throw new TypeError("Cannot log in twice");
    this.#options = options;
    this.#scramble = handshake.scramble;
    this.#capabilities = capabilitiesFor(handshake, options);
    const named = handshake.authPlugin || AuthPlugin.NATIVE;
    const known = named === AuthPlugin.NATIVE ||
      named === AuthPlugin.CACHING_SHA2;
    this.#plugin = known ? named : AuthPlugin.CACHING_SHA2;
    this.#phase = "verdict";
    return encodeHandshakeResponse({
      capabilities: this.#capabilities,
      maxPacketBytes: MAX_PACKET_BYTES,
      charset: CharacterSet.UTF8MB4_GENERAL_CI,
      user: options.user,
      // For a plugin we lack, say nothing and let the server switch.
      authResponse: known ? this.#token(options.password) : new Uint8Array(0),
      database: options.database,
      authPlugin: this.#plugin,
      attributes: options.attributes ?? new Map(),
      zstdLevel: options.compression?.level,
    });
  }

  /**
   * Takes the server's next payload. Throws the `ServerError` it refuses us
   * with, or a `ProtocolError` if the login cannot go on.
   */
  next(payload: Uint8Array): ClientAuthStep {
    if (this.#phase === "new" || this.#phase === "done") {
      throw new TypeError("Cannot take a payload outside of a login");
    }
    switch (payload[0]) {
      case ResponseHeader.OK:
        this.#phase = "done";
        return DONE;
      case ResponseHeader.ERR:
        this.#phase = "done";
        throw decodeErr(payload);
      case AuthPacket.SWITCH:
        return this.#switchPlugin(payload);
      case AuthPacket.MORE_DATA:
        return this.#moreData(decodeAuthMoreData(payload));
    }
    throw handshakeError(
      payload.length === 0
        ? "the server sent an empty packet during the login"
        : `the server sent an unknown packet (0x${
          payload[0]!.toString(16)
        }) during the login`,
    );
  }

  #switchPlugin(payload: Uint8Array): ClientAuthStep {
    const { plugin, scramble } = decodeAuthSwitch(payload);
    if (this.#switched) {
      throw handshakeError("the server switched the login method twice");
    }
    if (!isKnown(plugin)) {
      throw handshakeError(
        `the server wants the login method ${
          JSON.stringify(plugin)
        }, which is not supported`,
      );
    }
    if (scramble.length !== SCRAMBLE_BYTES) {
      throw handshakeError(
        `the server sent a scramble of ${scramble.length} bytes`,
      );
    }
    this.#switched = true;
    this.#plugin = plugin;
    this.#scramble = scramble;
    this.#phase = "verdict";
    return this.#answerSwitch();
  }

  #answerSwitch(): ClientAuthStep {
    const { password } = this.#required();
    if (this.#plugin === AuthPlugin.NATIVE) {
      return { send: this.#token(password) };
    }
    // Both SHA-2 plugins write an empty password as its NUL.
    if (password === "") return { send: new Uint8Array(1) };
    return this.#plugin === AuthPlugin.CACHING_SHA2
      ? { send: this.#token(password) }
      : this.#sendPassword(SHA256_REQUEST_PUBLIC_KEY);
  }

  #moreData(data: Uint8Array): ClientAuthStep {
    if (this.#phase === "public-key") {
      this.#phase = "verdict";
      return this.#sendEncrypted(new TextDecoder().decode(data));
    }
    const sign = this.#plugin === AuthPlugin.CACHING_SHA2 && data.length === 1
      ? data[0]
      : undefined;
    switch (sign) {
      case CachingSha2Signal.FAST_AUTH_SUCCESS:
        return READ;
      case CachingSha2Signal.FULL_AUTHENTICATION:
        return this.#sendPassword(CachingSha2Signal.REQUEST_PUBLIC_KEY);
    }
    throw handshakeError(`the server sent unknown data for ${this.#plugin}`);
  }

  /** Gives the password in the safest way there is, or asks for the key first. */
  #sendPassword(keyRequest: number): ClientAuthStep {
    const { secure, password, serverPublicKeyPem } = this.#required();
    if (secure) return { send: new TextEncoder().encode(`${password}\0`) };
    if (serverPublicKeyPem !== undefined) {
      return this.#sendEncrypted(serverPublicKeyPem);
    }
    this.#phase = "public-key";
    return { send: Uint8Array.of(keyRequest) };
  }

  #sendEncrypted(publicKeyPem: string): ClientAuthStep {
    const { password } = this.#required();
    return { send: encryptPasswordRsa(password, this.#scramble, publicKeyPem) };
  }

  #token(password: string): Uint8Array {
    return this.#plugin === AuthPlugin.NATIVE
      ? nativePasswordToken(password, this.#scramble)
      : cachingSha2Token(password, this.#scramble);
  }

  #required(): ClientAuthOptions {
    if (this.#options === undefined) throw new TypeError("Login not started");
    return this.#options;
  }
}

function capabilitiesFor(
  handshake: HandshakeV10,
  options: ClientAuthOptions,
): number {
  let wanted: number = WHERE_KNOWN;
  if (options.database !== undefined) wanted |= Capability.CONNECT_WITH_DB;
  if (options.secure) wanted |= Capability.SSL;
  if (options.compression !== undefined) {
    wanted |= compressionCapabilities([options.compression.algorithm]);
  }
  return (ALWAYS | (wanted & handshake.capabilities)) >>> 0;
}

function isKnown(plugin: string): boolean {
  return plugin === AuthPlugin.NATIVE || plugin === AuthPlugin.CACHING_SHA2 ||
    plugin === AuthPlugin.SHA256;
}

function handshakeError(detail: string): ProtocolError {
  return new ProtocolError(ErrorCode.ER_HANDSHAKE, `Cannot log in: ${detail}`);
}
