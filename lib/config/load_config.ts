import {
  type Compression,
  type CompressionAlgorithm,
  ZLIB_LEVEL,
  ZSTD_LEVEL_DEFAULT,
} from "../protocol/compression.ts";
import { isIP } from "node:net";
import { parse as parseYaml } from "@std/yaml";
import type { z } from "zod";
import {
  type CredentialFiles,
  CredentialsError,
  readCredentials,
} from "../tls/credentials.ts";
import { describeError } from "../log/describe_error.ts";
import { ConfigError } from "./config_error.ts";
import { knownNames, listConfigKeys } from "./config_key.ts";
import {
  type ConfigFile,
  type ConfigFlags,
  ConfigOrigin,
} from "./config_origin.ts";
import {
  CONFIG_SCHEMA,
  type ConfigTree,
  FOLLOW_SCHEMA,
} from "./config_schema.ts";
import { describeIssue } from "./describe_issue.ts";
import { describeReadFault } from "./describe_read_fault.ts";
import { findClash } from "./find_clash.ts";
import type { KeyPath } from "./key_line.ts";
import { isLoopback, isWildcard } from "./address.ts";
import { readToken, TOKEN_ADVICE } from "./admin_token.ts";
import type {
  Account,
  AdminOptions,
  Options,
  RetentionSettings,
  ServerSettings,
  ServerTlsSettings,
  SourceSettings,
  SourceTlsSettings,
} from "./options.ts";
import {
  checkPasswordKeys,
  type ConfigSurroundings,
  PASSWORD_KEYS,
  readPassword,
} from "./read_password.ts";

/** Names the configuration file when no flag does. */
export const CONFIG_FILE_VARIABLE = "KINGBUS_CONFIG";

/** Where a configuration comes from. */
export interface ConfigSources extends ConfigSurroundings {
  /** The configuration file; undefined: what KINGBUS_CONFIG says, or none. */
  readonly file?: string | undefined;
  /** Flags, which win over the file; names without dashes (`data-dir`). */
  readonly flags: ConfigFlags;
}

/** A validated configuration whose secrets have not been read. */
export interface Config {
  readonly tree: ConfigTree;
  readonly origin: ConfigOrigin;
}

/** A configuration file has some lines; what is beyond this is another file. */
const FILE_CHARACTERS_MAX = 1_000_000;

/**
 * Reads and validates the configuration: the file if there is one, the flags
 * over it, defaults for the rest, and every secret from where it is kept.
 *
 * @throws {ConfigError} which says in one line what is wrong and where.
 */
export async function loadOptions(sources: ConfigSources): Promise<Options> {
  const { tree, origin } = await loadConfig(sources);
  return await readOptions(tree, origin, sources);
}

/**
 * As `loadOptions()`, but no secret is read: for commands that need none and
 * may run as a user who must not read them.
 *
 * @throws {ConfigError} which says in one line what is wrong and where.
 */
export async function loadConfig(sources: ConfigSources): Promise<Config> {
  const { raw, origin } = await readRawConfig(sources);
  return { tree: checkConfig(raw, origin), origin };
}

/** A configuration that was read and not validated. */
export interface RawConfig {
  /** What the file says. */
  readonly file: Record<string, unknown>;
  /** With the flags over it. */
  readonly raw: Record<string, unknown>;
  readonly origin: ConfigOrigin;
}

/**
 * Reads the configuration, and validates nothing but that it can be read.
 *
 * @throws {ConfigError} when the file can't be read, or is no YAML
 */
export async function readRawConfig(
  sources: ConfigSources,
): Promise<RawConfig> {
  const path = sources.file ?? (sources.env(CONFIG_FILE_VARIABLE) || undefined);
  const text = path === undefined ? undefined : await readFile(path, sources);
  const origin = new ConfigOrigin(text, sources.flags);
  const file = text === undefined ? {} : parseFile(text);
  return { file, raw: applyFlags(file, sources), origin };
}

async function readFile(
  path: string,
  surroundings: ConfigSurroundings,
): Promise<ConfigFile> {
  let text: string;
  try {
    text = await surroundings.readTextFile(path);
  } catch (error) {
    throw new ConfigError(describeReadFault(error), { file: path }, error);
  }
  if (text.length > FILE_CHARACTERS_MAX) {
    throw new ConfigError("is too large for a configuration", { file: path });
  }
  return { path, text };
}

function parseFile(file: ConfigFile): Record<string, unknown> {
  const raw = parseText(file);
  if (raw === null || raw === undefined) return {};
  if (!isSection(raw)) {
    const reason = "is no configuration: it must have keys with values";
    throw new ConfigError(reason, { file: file.path });
  }
  // A section whose keys are all commented out is not there.
  return Object.fromEntries(
    Object.entries(raw).filter(([key, value]) =>
      value !== null || !SECTION_NAMES.has(key)
    ),
  );
}

const SECTION_NAMES: ReadonlySet<string> = new Set(
  listConfigKeys().filter(({ path }) => path.length > 1).map(({ path }) =>
    path[0]!
  ),
);

function parseText(file: ConfigFile): unknown {
  try {
    return parseYaml(file.text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const [message] = describeError(error).split(/ at line \d/);
    const line = /line (\d+)/.exec(describeError(error))?.[1];
    throw new ConfigError(
      `is no valid YAML: ${message!.replace(/[:.]\s*$/, "")}`,
      { file: file.path, line: line === undefined ? undefined : Number(line) },
      error,
    );
  }
}

/** The tree with each flag's text in the place of the file's value. */
function applyFlags(
  file: Record<string, unknown>,
  { flags }: ConfigSources,
): Record<string, unknown> {
  const root = { ...file };
  for (const { path, flag } of listConfigKeys()) {
    const value = flag === undefined ? undefined : flags.get(flag);
    if (value === undefined) continue;
    const key = path.at(-1)!;
    const section = path.slice(0, -1).reduce<
      Record<string, unknown> | undefined
    >((parent, name) => parent && openSection(parent, name), root);
    // What is no section is left for the validator to refuse.
    if (section === undefined) continue;
    if ((PASSWORD_KEYS as readonly string[]).includes(key)) {
      dropFileSecrets(section, path[0]!, flags);
    }
    section[key] = value;
  }
  return root;
}

function openSection(
  root: Record<string, unknown>,
  name: string,
): Record<string, unknown> | undefined {
  const section = root[name] ?? {};
  if (!isSection(section)) return undefined;
  const copy = { ...section };
  root[name] = copy;
  return copy;
}

/** A password given by flag replaces the file's, whichever key that used. */
function dropFileSecrets(
  section: Record<string, unknown>,
  name: string,
  flags: ConfigFlags,
): void {
  for (const key of PASSWORD_KEYS) {
    if (!flags.has(`${name}-${key}`)) delete section[key];
  }
}

function checkConfig(raw: unknown, origin: ConfigOrigin): ConfigTree {
  const result = CONFIG_SCHEMA.safeParse(raw);
  if (!result.success) throw issueFault(result.error.issues, raw, origin);
  const tree = result.data;
  for (const [index, user] of tree.server.users.entries()) {
    checkPasswordKeys(user, ["server", "users", index], origin);
  }
  if (tree.source !== undefined) {
    checkPasswordKeys(tree.source, ["source"], origin);
  }
  const clash = findClash(tree);
  if (clash !== undefined) throw origin.fault(clash.path, clash.reason);
  return tree;
}

/**
 * The error that says what is wrong, of the issues of a failed validation.
 *
 * @param raw what was validated
 */
export function issueFault(
  issues: readonly z.core.$ZodIssue[],
  raw: unknown,
  origin: ConfigOrigin,
): ConfigError {
  const { path, reason } = describeIssue(issues, knownNames);
  const flag = listConfigKeys().find((key) => key.path.join() === path.join())
    ?.flag;
  const isMissing = flag !== undefined && valueAt(raw, path) === undefined;
  return origin.fault(path, isMissing ? `${reason} (flag: --${flag})` : reason);
}

/** The value at a place of something that was not validated. */
export function valueAt(raw: unknown, path: KeyPath): unknown {
  let value = raw;
  for (const segment of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[segment];
  }
  return value;
}

function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

async function readOptions(
  tree: ConfigTree,
  origin: ConfigOrigin,
  surroundings: ConfigSurroundings,
): Promise<Options> {
  const { log, store } = tree;
  const follow = tree.source ?? FOLLOW_SCHEMA.parse({});
  return {
    name: tree.name,
    dataDir: tree["data-dir"],
    admin: await readAdmin(tree, origin, surroundings),
    server: await readServer(tree, origin, surroundings),
    source: await readSource(tree, origin, surroundings),
    follow: {
      heartbeatMs: follow.heartbeat,
      readTimeoutMs: follow["read-timeout"],
      connectTimeoutMs: follow["connect-timeout"],
      switchAfterMs: follow["switch-after"],
      tls: await readSourceTls(follow.tls, origin, surroundings),
      compression: sourceCompression(follow.compression),
    },
    log: {
      level: log.level,
      format: log.format,
      directory: log.directory,
      fileBytesMax: log["file-size"],
      oldFilesMax: log["old-files"],
    },
    store: {
      tailMemoryBytes: store["tail-memory"],
      cacheMemoryBytes: store["cache-memory"],
    },
    retention: retentionSettings(tree),
  };
}

/** Of zstd the default level: `SOURCE_ZSTD_COMPRESSION_LEVEL` has it, too. */
function sourceCompression(
  algorithm: "none" | CompressionAlgorithm,
): Compression | undefined {
  if (algorithm === "none") return undefined;
  const level = algorithm === "zlib" ? ZLIB_LEVEL : ZSTD_LEVEL_DEFAULT;
  return { algorithm, level };
}

/** The settings of `retention:`, which hold no secrets. */
export function retentionSettings(
  { retention }: ConfigTree,
): RetentionSettings {
  return {
    bytesMax: retention.size,
    ageMaxMs: retention.age,
    filesMax: retention.files,
    freeDiskBytesMin: retention["free-disk"],
    checkIntervalMs: retention["check-interval"],
    replicas: retention.replicas.map(({ uuid, name }) => ({
      uuid: uuid.toLowerCase(),
      name: name ?? uuid.toLowerCase(),
    })),
  };
}

/**
 * The settings of `admin:`, its tokens read.
 *
 * @throws {ConfigError} when they can't be, or would leave it unguarded
 */
export async function readAdmin(
  tree: ConfigTree,
  origin: ConfigOrigin,
  surroundings: ConfigSurroundings,
): Promise<AdminOptions> {
  const { listen, hosts, tls } = tree.admin;
  const adminToken = await readToken("admin", tree, origin, surroundings);
  const readOnlyToken = await readToken("read", tree, origin, surroundings);
  const { hostname } = listen;
  // Where a name leads to shows when it is listened on.
  const isReachable = isWildcard(hostname) ||
    isIP(hostname) !== 0 && !isLoopback(hostname);
  if (isReachable && adminToken === undefined && readOnlyToken === undefined) {
    throw origin.fault(
      ["admin", "listen"],
      `is ${hostname}, which others reach, and there is no token: ${TOKEN_ADVICE}`,
    );
  }
  if (adminToken !== undefined && adminToken.text === readOnlyToken?.text) {
    throw origin.fault(
      ["admin"],
      "has the same token twice: whoever may see could change, too",
    );
  }
  if (tls.certificate !== undefined) {
    await checkCredentials(tls, ["admin", "tls"], origin, surroundings);
  }
  return {
    listen,
    adminToken,
    readToken: readOnlyToken,
    hosts,
    tls: tls.certificate === undefined ? undefined : tls,
  };
}

async function readServer(
  { server }: ConfigTree,
  origin: ConfigOrigin,
  surroundings: ConfigSurroundings,
): Promise<ServerSettings> {
  const users: Account[] = [];
  for (const [index, keys] of server.users.entries()) {
    const path = ["server", "users", index];
    const password = await readPassword(keys, path, origin, surroundings);
    if (password === "") throw origin.fault(path, "has an empty password");
    users.push({
      name: keys.name,
      password,
      rights: keys.rights,
      requireTls: keys["require-tls"],
    });
  }
  return {
    listen: server.listen,
    identity: server.identity,
    version: server.version,
    serverId: server["server-id"],
    users,
    semiSync: server["semi-sync"],
    tls: await readServerTls(server.tls, origin, surroundings),
    compression: server.compression,
    waitForReplicas: server["wait-for-replicas"],
    waitTimeoutMs: server["wait-timeout"],
    connectionsMax: server["connections-max"],
    loginTimeoutMs: server["login-timeout"],
  };
}

async function readServerTls(
  { mode, certificate, key, ca, ...keys }: ConfigTree["server"]["tls"],
  origin: ConfigOrigin,
  surroundings: ConfigSurroundings,
): Promise<ServerTlsSettings> {
  const files = { certificate, key, ca };
  const clientCertificate = keys["client-certificate"];
  if (mode !== "disabled") {
    await checkCredentials(files, ["server", "tls"], origin, surroundings);
  }
  return { mode, files, clientCertificate };
}

async function readSourceTls(
  { mode, ...files }: z.output<typeof FOLLOW_SCHEMA>["tls"],
  origin: ConfigOrigin,
  surroundings: ConfigSurroundings,
): Promise<SourceTlsSettings> {
  if (mode !== "disabled") {
    await checkCredentials(files, ["source", "tls"], origin, surroundings);
  }
  return { mode, files };
}

/**
 * Reads certificate files once, to say at the start what is wrong with them.
 *
 * @throws {ConfigError}
 */
export async function checkCredentials(
  files: CredentialFiles,
  path: readonly string[],
  origin: ConfigOrigin,
  { readTextFile }: ConfigSurroundings,
): Promise<void> {
  try {
    await readCredentials(files, readTextFile);
  } catch (error) {
    if (!(error instanceof CredentialsError)) throw error;
    throw origin.fault([...path, error.part], error.message, error);
  }
}

async function readSource(
  { source }: ConfigTree,
  origin: ConfigOrigin,
  surroundings: ConfigSurroundings,
): Promise<SourceSettings | undefined> {
  if (source === undefined) return undefined;
  return {
    address: source.address,
    user: source.user,
    password: await readPassword(source, ["source"], origin, surroundings),
    serverId: source["server-id"],
    uuid: source.uuid?.toLowerCase(),
    start: source.start,
    semiSync: source["semi-sync"],
    candidates: source.candidates,
  };
}
