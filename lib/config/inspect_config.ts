import { readToken } from "./admin_token.ts";
import { ConfigError } from "./config_error.ts";
import type { ConfigOrigin } from "./config_origin.ts";
import type { CredentialFiles } from "../tls/credentials.ts";
import {
  CONFIG_SCHEMA,
  type ConfigTree,
  type PasswordKeys,
} from "./config_schema.ts";
import { findClashes } from "./find_clash.ts";
import type { KeyPath } from "./key_line.ts";
import {
  checkCredentials,
  type ConfigSources,
  issueFault,
  readAdmin,
  readRawConfig,
} from "./load_config.ts";
import {
  checkPasswordKeys,
  type ConfigSurroundings,
  readPassword,
} from "./read_password.ts";

/** What a configuration says, and all that is wrong with it. */
export interface ConfigInspection {
  /** In the order of the file's sections; none when it can be used. */
  readonly problems: readonly ConfigError[];
  /** Undefined when the values themselves are wrong. */
  readonly tree: ConfigTree | undefined;
  /** What the file says, unvalidated; undefined when it can't be read. */
  readonly file: Readonly<Record<string, unknown>> | undefined;
  readonly origin: ConfigOrigin | undefined;
}

/**
 * Reads a configuration as a start of kingbus does, secrets and certificates
 * too, and goes on after a fault, to say all of them at once.
 */
export async function inspectConfig(
  sources: ConfigSources,
): Promise<ConfigInspection> {
  const problems: ConfigError[] = [];
  const note = catcher(problems);
  const read = await note(() => readRawConfig(sources));
  if (read === undefined) {
    return { problems, tree: undefined, file: undefined, origin: undefined };
  }
  const { file, raw, origin } = read;
  const result = CONFIG_SCHEMA.safeParse(raw);
  if (!result.success) {
    for (const issue of result.error.issues) {
      const single = issue.code === "unrecognized_keys"
        ? issue.keys.map((key) => ({ ...issue, keys: [key] }))
        : [issue];
      for (const one of single) problems.push(issueFault([one], raw, origin));
    }
    return { problems, tree: undefined, file, origin };
  }
  const tree = result.data;
  for (const { path, reason } of findClashes(tree)) {
    problems.push(origin.fault(path, reason));
  }
  for (const [keys, path] of passwordsOf(tree)) {
    await note(() => checkPassword(keys, path, origin, sources));
  }
  for (const [files, path] of certificatesOf(tree)) {
    await note(() => checkCredentials(files, path, origin, sources));
  }
  const before = problems.length;
  for (const kind of ["admin", "read"] as const) {
    await note(() => readToken(kind, tree, origin, sources));
  }
  // It stops at the first fault, and those of the tokens are told by now.
  if (problems.length === before) {
    await note(() => readAdmin(tree, origin, sources));
  }
  return { problems, tree, file, origin };
}

/** Runs something; what it throws of a configuration is one problem more. */
function catcher(
  problems: ConfigError[],
): <Value>(work: () => Promise<Value>) => Promise<Value | undefined> {
  return async (work) => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(error);
      return undefined;
    }
  };
}

function passwordsOf(
  { server, source }: ConfigTree,
): [PasswordKeys, KeyPath][] {
  const users = server.users.map((
    user,
    index,
  ): [PasswordKeys, KeyPath] => [user, ["server", "users", index]]);
  return source === undefined ? users : [...users, [source, ["source"]]];
}

async function checkPassword(
  keys: PasswordKeys,
  path: KeyPath,
  origin: ConfigOrigin,
  surroundings: ConfigSurroundings,
): Promise<void> {
  checkPasswordKeys(keys, path, origin);
  const password = await readPassword(keys, path, origin, surroundings);
  const isOurs = path[0] === "server";
  if (isOurs && password === "") {
    throw origin.fault(path, "has an empty password");
  }
}

function certificatesOf(
  { server, source }: ConfigTree,
): [CredentialFiles, string[]][] {
  const found: [CredentialFiles, string[]][] = [];
  const { mode, ...serverFiles } = server.tls;
  if (mode !== "disabled") {
    found.push([filesOf(serverFiles), ["server", "tls"]]);
  }
  if (source !== undefined && source.tls.mode !== "disabled") {
    found.push([filesOf(source.tls), ["source", "tls"]]);
  }
  return found;
}

function filesOf({ certificate, key, ca }: CredentialFiles): CredentialFiles {
  return { certificate, key, ca };
}
