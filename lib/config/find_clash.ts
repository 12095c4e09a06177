import { type Address, isLoopback, isWildcard } from "./address.ts";
import type { ConfigTree } from "./config_schema.ts";
import { formatDuration } from "./duration.ts";
import type { KeyPath } from "./key_line.ts";

/** Two values that are right alone and wrong together. */
export interface Clash {
  /** The key to name. */
  readonly path: KeyPath;
  readonly reason: string;
}

/** The first clash in a configuration; undefined if there is none. */
export function findClash(tree: ConfigTree): Clash | undefined {
  return findClashes(tree)[0];
}

/** The clashes in a configuration, the first one of each kind. */
export function findClashes(tree: ConfigTree): Clash[] {
  return [
    findListenClash(tree),
    findUserClash(tree),
    findSemiSyncClash(tree),
    findTlsClash(tree),
    findSourceClash(tree),
    findRetentionClash(tree),
    findAdminClash(tree),
  ].filter((clash) => clash !== undefined);
}

function findListenClash({ admin, server }: ConfigTree): Clash | undefined {
  if (!listensOn(server.listen, admin.listen)) return undefined;
  return {
    path: ["admin", "listen"],
    reason: "is the address of server.listen too: they need two ports",
  };
}

function findAdminClash({ admin }: ConfigTree): Clash | undefined {
  for (const kind of ["read", "admin"] as const) {
    if (
      admin[`${kind}-token-file`] !== undefined &&
      admin[`${kind}-token-env`] !== undefined
    ) {
      return {
        path: ["admin", `${kind}-token-env`],
        reason: `is given besides ${kind}-token-file: give only one of them`,
      };
    }
  }
  return findPairClash(admin.tls, ["admin", "tls"]);
}

function findUserClash({ server }: ConfigTree): Clash | undefined {
  const seen = new Set<string>();
  for (const [index, { name }] of server.users.entries()) {
    if (seen.has(name)) {
      return {
        path: ["server", "users", index, "name"],
        reason: `there are two users named "${name}"`,
      };
    }
    seen.add(name);
  }
  return undefined;
}

function findSemiSyncClash({ server, source }: ConfigTree): Clash | undefined {
  const count = server["wait-for-replicas"];
  if (count === 0) return undefined;
  const path = ["server", "wait-for-replicas"];
  if (!server["semi-sync"]) {
    return {
      path,
      reason:
        `is ${count}, but without server.semi-sync no replica acknowledges anything`,
    };
  }
  if (source !== undefined && !source["semi-sync"]) {
    return {
      path,
      reason:
        `is ${count}, but without source.semi-sync the source waits for no acknowledgement`,
    };
  }
  return undefined;
}

function findTlsClash({ server, source }: ConfigTree): Clash | undefined {
  const { tls, users } = server;
  const path = ["server", "tls"];
  if (tls["client-certificate"] !== "ignored" && tls.ca === undefined) {
    return {
      path: [...path, "client-certificate"],
      reason: `is ${
        tls["client-certificate"]
      }, but without server.tls.ca no client's certificate is trusted`,
    };
  }
  const index = users.findIndex((user) => user["require-tls"]);
  if (tls.mode === "disabled" && index >= 0) {
    return {
      path: ["server", "users", index, "require-tls"],
      reason: "is true, but with server.tls.mode disabled nobody has TLS",
    };
  }
  return findPairClash(tls, path) ?? findSourceTlsClash(source?.tls);
}

function findSourceTlsClash(
  tls: NonNullable<ConfigTree["source"]>["tls"] | undefined,
): Clash | undefined {
  if (tls === undefined) return undefined;
  const path = ["source", "tls"];
  if (tls.mode.startsWith("verify-") && tls.ca === undefined) {
    return {
      path: [...path, "mode"],
      reason:
        `is ${tls.mode}, but without source.tls.ca nobody is trusted: give the file of the authority that signed the source's certificate`,
    };
  }
  return findPairClash(tls, path);
}

/** A certificate is of no use without its key, nor the other way round. */
function findPairClash(
  tls: { certificate?: string | undefined; key?: string | undefined },
  path: readonly string[],
): Clash | undefined {
  for (
    const [one, other] of [["certificate", "key"], [
      "key",
      "certificate",
    ]] as const
  ) {
    if (tls[one] === undefined || tls[other] !== undefined) continue;
    return {
      path: [...path, one],
      reason: `is given without ${path.join(".")}.${other}: they go together`,
    };
  }
  return undefined;
}

function findSourceClash(tree: ConfigTree): Clash | undefined {
  const { source, server, admin } = tree;
  if (source === undefined) return undefined;
  for (
    const [listen, key] of [
      [server.listen, "server.listen"],
      [admin.listen, "admin.listen"],
    ] as const
  ) {
    const reason = `is kingbus's own ${key}: it would follow itself`;
    if (reaches(source.address, listen)) {
      return { path: ["source", "address"], reason };
    }
    const index = source.candidates.findIndex((one) => reaches(one, listen));
    if (index >= 0) return { path: ["source", "candidates", index], reason };
  }
  const serverId = source["server-id"];
  if (serverId !== undefined && serverId === server["server-id"]) {
    return {
      path: ["source", "server-id"],
      reason:
        `is ${serverId} as server.server-id is: source and replicas need two different ids`,
    };
  }
  if (source["read-timeout"] <= source.heartbeat) {
    const heartbeat = formatDuration(source.heartbeat);
    return {
      path: ["source", "read-timeout"],
      reason:
        `must be above source.heartbeat (${heartbeat}), or an idle source counts as lost`,
    };
  }
  return undefined;
}

function findRetentionClash({ retention }: ConfigTree): Clash | undefined {
  const seen = new Set<string>();
  for (const [index, { uuid }] of retention.replicas.entries()) {
    if (seen.has(uuid.toLowerCase())) {
      return {
        path: ["retention", "replicas", index, "uuid"],
        reason: `there are two replicas with the uuid ${uuid}`,
      };
    }
    seen.add(uuid.toLowerCase());
  }
  return undefined;
}

/** True when both cannot listen at once. */
function listensOn(a: Address, b: Address): boolean {
  if (a.port !== b.port || a.port === 0) return false;
  return sameHost(a.hostname, b.hostname) || isWildcard(a.hostname) ||
    isWildcard(b.hostname);
}

/** True when who connects to `target` surely comes out at `listen`. */
export function reaches(target: Address, listen: Address): boolean {
  if (target.port !== listen.port) return false;
  if (sameHost(target.hostname, listen.hostname)) return true;
  if (isWildcard(listen.hostname)) {
    return isLoopback(target.hostname) || isWildcard(target.hostname);
  }
  return isWildcard(target.hostname) && isLoopback(listen.hostname);
}

/** `localhost` is taken for each loopback address, as most systems have it. */
function sameHost(a: string, b: string): boolean {
  if (a.toLowerCase() === b.toLowerCase()) return true;
  const [one, other] = [a, b].map((hostname) => hostname.toLowerCase());
  return (one === "localhost" && isLoopback(other!)) ||
    (other === "localhost" && isLoopback(one!));
}
