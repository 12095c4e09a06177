import { adminUrl } from "../admin/admin_url.ts";
import { isWildcard, parseAddress } from "../config/address.ts";
import type { ConfigTree } from "../config/config_schema.ts";
import { describeReadFault } from "../config/describe_read_fault.ts";
import { loadConfig } from "../config/load_config.ts";
import { readToken, type TokenKind } from "../config/admin_token.ts";
import { ConfigError } from "../config/config_error.ts";
import { ConfigOrigin } from "../config/config_origin.ts";
import { AdminClient, AdminError, type AdminPlace } from "./admin_client.ts";
import type { CommandFlag, CommandInput } from "./command.ts";
import {
  configFileFlag,
  configSources,
  someConfigFlags,
} from "./config_flags.ts";
import { ExitCode } from "./exit_code.ts";
import { printable } from "./printable.ts";
import { reachableAddress } from "./reachable_address.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage_error.ts";

/** Holds the token for the admin API. */
const ADMIN_TOKEN_VARIABLE = "KINGBUS_ADMIN_TOKEN";

const ADMIN = "admin";
const LISTEN = "admin-listen";
const TOKEN_FILE = "token-file";
const CA = "admin-ca";
const DATA_DIR = "data-dir";

/** Longest token; an answer to a mistake in the file's name. */
const TOKEN_CHARACTERS_MAX = 4096;

/** The flags with which a command finds the running node. */
export function adminFlags(): CommandFlag[] {
  return [
    configFileFlag(),
    {
      name: ADMIN,
      value: "URL|HOST:PORT",
      about:
        "The admin API of the node to ask. [that of the configuration: http://127.0.0.1:9595]",
    },
    ...someConfigFlags(LISTEN),
    {
      name: TOKEN_FILE,
      value: "FILE",
      completion: "file",
      about:
        `File that holds the token for the admin API. Without it the environment variable ${ADMIN_TOKEN_VARIABLE}, or the token files of the configuration, as far as they may be read.`,
    },
    {
      name: CA,
      value: "FILE",
      completion: "file",
      about:
        "PEM file of the authority that signed the certificate of the admin API. [those the system trusts]",
    },
  ];
}

/** As `adminFlags()`, for commands that can read the store in its place. */
export function adminOrStoreFlags(): CommandFlag[] {
  return [...adminFlags(), ...someConfigFlags(DATA_DIR)];
}

/** How a command line finds its node. */
export interface AdminAccess {
  readonly client: AdminClient;
  readonly tree: ConfigTree;
  /** True when the command line names this node and no other will do. */
  readonly named: boolean;
}

/**
 * Finds out whom to ask, and with which token.
 *
 * @throws {UsageError} when the flags can't be used
 * @throws {ConfigError} when the configuration can't be
 */
export async function openAdmin(
  input: CommandInput,
  terminal: Terminal,
): Promise<AdminAccess> {
  const { values } = input;
  const { tree } = await loadConfig(configSources(input, terminal));
  const given = values.get(ADMIN);
  if (given !== undefined && values.has(LISTEN)) {
    throw new UsageError(
      `--${ADMIN} and --${LISTEN} both name the node: give one`,
    );
  }
  const url = given === undefined
    ? adminUrl(reachableAddress(tree.admin.listen), tree.admin.tls)
    : readUrl(given);
  const token = await givenToken(values.get(TOKEN_FILE), terminal);
  // What the configuration names is for its own node, and for no other one.
  const isOwn = given === undefined;
  const own = isOwn && token === undefined
    ? await configuredTokens(tree, terminal)
    : undefined;
  const ca = await readCa(values.get(CA), terminal) ??
    (isOwn ? await ownCertificate(tree, terminal) : undefined);
  const place = {
    url,
    ca,
    ...own ?? { tokens: { read: token, change: token } },
  };
  return {
    client: new AdminClient(place, terminal),
    tree,
    named: given !== undefined,
  };
}

/**
 * Says why a node could not be asked, and gives the exit code.
 *
 * @throws what is no `AdminError`
 */
export function tellAdminError(error: unknown, terminal: Terminal): number {
  if (!(error instanceof AdminError)) throw error;
  terminal.err(`kingbus: ${printable(error.message)}\n`);
  return error.kind === "denied" ? ExitCode.DENIED : ExitCode.FAILED;
}

function readUrl(text: string): string {
  if (!text.includes("://")) {
    try {
      const address = parseAddress(text);
      if (address.port === 0) throw new SyntaxError("0 is the port of nobody");
      return adminUrl(reachableAddress(address));
    } catch (cause) {
      if (!(cause instanceof SyntaxError)) throw cause;
      throw new UsageError(`--${ADMIN}: ${cause.message}`, { cause });
    }
  }
  const url = URL.parse(text);
  const isRoot = url !== null && url.pathname === "/" && url.search === "" &&
    url.hash === "" && url.username === "" && url.password === "";
  const isHttp = url?.protocol === "http:" || url?.protocol === "https:";
  if (isRoot && isHttp && !isWildcard(url.hostname)) return url.origin;
  throw new UsageError(
    `--${ADMIN} takes host:port, or a URL such as https://kingbus1:9595 without path, user and password`,
  );
}

async function readCa(
  path: string | undefined,
  terminal: Terminal,
): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const text = await readGiven(CA, path, terminal);
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw new UsageError(`--${CA}: ${path} holds no certificate in PEM`);
}

/** The node's certificate: where nobody else has signed it, it is trusted. */
async function ownCertificate(
  { admin }: ConfigTree,
  { readTextFile }: Terminal,
): Promise<string | undefined> {
  const { certificate } = admin.tls;
  if (certificate === undefined) return undefined;
  // Who must not read it may do without.
  return await readTextFile(certificate).catch(() => undefined);
}

/** The tokens that the configuration names, as far as they may be read. */
async function configuredTokens(
  tree: ConfigTree,
  terminal: Terminal,
): Promise<Pick<AdminPlace, "tokens" | "tokenFault">> {
  const origin = new ConfigOrigin(undefined, new Map());
  const faults: string[] = [];
  const read = async (kind: TokenKind): Promise<string | undefined> => {
    try {
      return (await readToken(kind, tree, origin, terminal))?.text;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      faults.push(error.message);
      return undefined;
    }
  };
  const [admin, reading] = [await read("admin"), await read("read")];
  return {
    tokens: { read: reading ?? admin, change: admin },
    tokenFault: faults.length === 0 ? undefined : faults.join("; "),
  };
}

async function givenToken(
  path: string | undefined,
  terminal: Terminal,
): Promise<string | undefined> {
  if (path !== undefined) {
    const text = await readGiven(TOKEN_FILE, path, terminal);
    return checkToken(text.trim(), `--${TOKEN_FILE}: ${path}`);
  }
  const text = terminal.env(ADMIN_TOKEN_VARIABLE);
  return text ? checkToken(text.trim(), ADMIN_TOKEN_VARIABLE) : undefined;
}

async function readGiven(
  flag: string,
  path: string,
  terminal: Terminal,
): Promise<string> {
  try {
    return await terminal.readTextFile(path);
  } catch (cause) {
    throw new UsageError(`--${flag}: ${path} ${describeReadFault(cause)}`, {
      cause,
    });
  }
}

/** What can't be sent in a header is no token; it is never quoted. */
function checkToken(token: string, from: string): string {
  const isToken = /^[\x21-\x7e]+$/.test(token);
  if (isToken && token.length <= TOKEN_CHARACTERS_MAX) return token;
  throw new UsageError(
    `${from} holds no token: it must be one line of printable ASCII characters`,
  );
}
