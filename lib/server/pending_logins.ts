/** A connection that is not logged in. */
export interface PendingLogin {
  /** Address of the client without its port. */
  readonly host: string;
}

/**
 * The connections that are not logged in yet. There is room for so many; where
 * one more comes, the oldest from the address with the most of them has to go.
 * So whoever opens connections and says nothing, or says it slowly, takes the
 * room from himself, and a client that logs in as clients do is in long before
 * its turn to go has come: nobody is locked out, wherever the others come from.
 */
export class PendingLogins<Login extends PendingLogin> {
  /** By address, each in the order they came. */
  readonly #byHost = new Map<string, Set<Login>>();
  #count = 0;

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /** Adds a new one. */
  add(login: Login): void {
    let ofHost = this.#byHost.get(login.host);
    if (ofHost === undefined) {
      ofHost = new Set();
      this.#byHost.set(login.host, ofHost);
    }
    ofHost.add(login);
    this.#count += 1;
  }

  /** Forgets one that is logged in or gone; nothing the second time. */
  delete(login: Login): void {
    const ofHost = this.#byHost.get(login.host);
    if (ofHost === undefined || !ofHost.delete(login)) return;
    this.#count -= 1;
    if (ofHost.size === 0) this.#byHost.delete(login.host);
  }

  /** Takes out the one that has to make room; undefined if there is none. */
  evict(): Login | undefined {
    let crowd: Set<Login> | undefined;
    for (const ofHost of this.#byHost.values()) {
      if (ofHost.size > (crowd?.size ?? 0)) crowd = ofHost;
    }
    const [oldest] = crowd ?? [];
    if (oldest !== undefined) this.delete(oldest);
    return oldest;
  }
}
