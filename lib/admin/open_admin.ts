import { type Address, isLoopback, isWildcard } from "../config/address.ts";
import type { AdminOptions } from "../config/options.ts";
import type { Log } from "../log/log.ts";
import { CredentialsKeeper } from "../tls/credentials_keeper.ts";
import { Admission } from "./access/admission.ts";
import { AdminTokens } from "./access/admin_tokens.ts";
import { AdminApi } from "./admin_api.ts";
import type { AdminRoute } from "./admin_route.ts";
import type { AdminRefusalObserver } from "./connection_refusals.ts";
import type { AdminRequestObserver } from "./request_observer.ts";

/** A listening admin API. */
export interface OpenAdmin extends AsyncDisposable {
  /** Where it listens, with the port that was chosen. */
  readonly address: Address;
  /** How many requests came with a wrong token. */
  readonly refusedTokens: number;
  /** Reads its tokens and its certificate again. Never throws. */
  reload(): Promise<void>;
}

/**
 * Has the admin API listen as the configuration says.
 *
 * @throws {AdminListenError} also when others reach the address and there is no
 * token.
 * @throws {CredentialsError} when the certificate can't be used.
 */
export async function openAdmin(parts: {
  readonly options: AdminOptions;
  readonly routes: readonly AdminRoute[];
  /** This machine's host name, under which it may be asked. */
  readonly machineName: string;
  /** Told of each request once its answer begins. */
  readonly onRequest?: AdminRequestObserver | undefined;
  /** Told of each connection that could ask for nothing. */
  readonly onRefused?: AdminRefusalObserver | undefined;
  readonly log: Log;
}): Promise<OpenAdmin> {
  const { options, routes, machineName, onRequest, onRefused, log } = parts;
  await using opened = new AsyncDisposableStack();
  const { listen, readToken, adminToken, hosts = [] } = options;
  const api = opened.use(
    new AdminApi({
      routes,
      onRequest,
      onRefused,
      admission: new Admission({
        tokens: new AdminTokens({ readToken, adminToken, log }),
        proxies: hosts,
        hosts: [
          machineName,
          ...isWildcard(listen.hostname) ? [] : [listen.hostname],
        ],
        isExposed: !isLoopback(listen.hostname),
        log,
      }),
      log,
    }),
  );
  const keeper = options.tls && opened.use(
    await CredentialsKeeper.open({
      files: options.tls,
      log: log.child({ part: "admin" }),
      onChange: (credentials) => api.useCertificate(credentials),
    }),
  );
  const address = await api.listen(listen, {
    tls: keeper?.current,
    isGuarded: readToken !== undefined || adminToken !== undefined,
  });
  if (!isLoopback(listen.hostname) && keeper === undefined) {
    log.warn(
      "others reach the admin API, and without admin.tls their tokens come unencrypted: let only a trusted network or a proxy with TLS reach it",
      { admin: listen.hostname },
    );
  }
  const closing = opened.move();
  return {
    address,
    get refusedTokens() {
      return api.refusedTokens;
    },
    async reload() {
      await api.reloadTokens();
      await keeper?.reload();
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}
