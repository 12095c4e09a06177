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

/** All clashes in a configuration. */
export function findClashes(tree: ConfigTree): Clash[] {
  return [
    ...listenClashes(tree),
    ...userClashes(tree),
    ...semiSyncClashes(tree),
    ...tlsClashes(tree),
    ...sourceClashes(tree),
    ...retentionClashes(tree),
    ...adminClashes(tree),
  ];
}

function* listenClashes({ admin, server }: ConfigTree): Generator<Clash> {
  if (!listensOn(server.listen, admin.listen)) return;
  yield {
    path: ["admin", "listen"],
    reason: "is the address of server.listen too: they need two ports",
  };
}

function* adminClashes({ admin }: ConfigTree): Generator<Clash> {
  for (const kind of ["read", "admin"] as const) {
    if (
      admin[`${kind}-token-file`] !== undefined &&
      admin[`${kind}-token-env`] !== undefined
    ) {
      yield {
        path: ["admin", `${kind}-token-env`],
        reason: `is given besides ${kind}-token-file: give only one of them`,
      };
    }
  }
  yield* pairClashes(admin.tls, ["admin", "tls"]);
}

function* userClashes({ server }: ConfigTree): Generator<Clash> {
  const seen = new Set<string>();
  for (const [index, { name }] of server.users.entries()) {
    if (seen.has(name)) {
      yield {
        path: ["server", "users", index, "name"],
        reason: `there are two users named "${name}"`,
      };
    }
    seen.add(name);
  }
}

function* semiSyncClashes({ server, source }: ConfigTree): Generator<Clash> {
  const count = server["wait-for-replicas"];
  if (count === 0) return;
  const path = ["server", "wait-for-replicas"];
  if (!server["semi-sync"]) {
    yield {
      path,
      reason:
        `is ${count}, but without server.semi-sync no replica acknowledges anything`,
    };
  }
  if (source !== undefined && !source["semi-sync"]) {
    yield {
      path,
      reason:
        `is ${count}, but without source.semi-sync the source waits for no acknowledgement`,
    };
  }
}

function* tlsClashes({ server, source }: ConfigTree): Generator<Clash> {
  const { tls, users } = server;
  const path = ["server", "tls"];
  if (tls["client-certificate"] !== "ignored" && tls.ca === undefined) {
    yield {
      path: [...path, "client-certificate"],
      reason: `is ${
        tls["client-certificate"]
      }, but without server.tls.ca no client's certificate is trusted`,
    };
  }
  for (const [index, user] of users.entries()) {
    if (tls.mode !== "disabled" || !user["require-tls"]) continue;
    yield {
      path: ["server", "users", index, "require-tls"],
      reason: "is true, but with server.tls.mode disabled nobody has TLS",
    };
  }
  yield* pairClashes(tls, path);
  yield* sourceTlsClashes(source?.tls);
}

function* sourceTlsClashes(
  tls: NonNullable<ConfigTree["source"]>["tls"] | undefined,
): Generator<Clash> {
  if (tls === undefined) return;
  const path = ["source", "tls"];
  if (tls.mode.startsWith("verify-") && tls.ca === undefined) {
    yield {
      path: [...path, "mode"],
      reason:
        `is ${tls.mode}, but without source.tls.ca nobody is trusted: give the file of the authority that signed the source's certificate`,
    };
  }
  yield* pairClashes(tls, path);
}

/** A certificate is of no use without its key, nor the other way round. */
function* pairClashes(
  tls: { certificate?: string | undefined; key?: string | undefined },
  path: readonly string[],
): Generator<Clash> {
  for (
    const [one, other] of [["certificate", "key"], [
      "key",
      "certificate",
    ]] as const
  ) {
    if (tls[one] === undefined || tls[other] !== undefined) continue;
    yield {
      path: [...path, one],
      reason: `is given without ${path.join(".")}.${other}: they go together`,
    };
  }
}

function* sourceClashes(tree: ConfigTree): Generator<Clash> {
  const { source, server, admin } = tree;
  if (source === undefined) return;
  for (
    const [listen, key] of [
      [server.listen, "server.listen"],
      [admin.listen, "admin.listen"],
    ] as const
  ) {
    const reason = `is kingbus's own ${key}: it would follow itself`;
    if (reaches(source.address, listen)) {
      yield { path: ["source", "address"], reason };
    }
    for (const [index, one] of source.candidates.entries()) {
      if (!reaches(one, listen)) continue;
      yield { path: ["source", "candidates", index], reason };
    }
  }
  const serverId = source["server-id"];
  if (serverId !== undefined && serverId === server["server-id"]) {
    yield {
      path: ["source", "server-id"],
      reason:
        `is ${serverId} as server.server-id is: source and replicas need two different ids`,
    };
  }
  if (source["read-timeout"] <= source.heartbeat) {
    const heartbeat = formatDuration(source.heartbeat);
    yield {
      path: ["source", "read-timeout"],
      reason:
        `must be above source.heartbeat (${heartbeat}), or an idle source counts as lost`,
    };
  }
}

function* retentionClashes({ retention }: ConfigTree): Generator<Clash> {
  const seen = new Set<string>();
  for (const [index, { uuid }] of retention.replicas.entries()) {
    if (seen.has(uuid.toLowerCase())) {
      yield {
        path: ["retention", "replicas", index, "uuid"],
        reason: `there are two replicas with the uuid ${uuid}`,
      };
    }
    seen.add(uuid.toLowerCase());
  }
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
