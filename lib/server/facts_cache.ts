import type { ChecksumAlgorithm } from "../binlog/checksum.ts";
import { decodeFormatDescription } from "../binlog/format_description.ts";
import type { ServerFacts } from "./server_facts.ts";
import {
  type FactSources,
  loadSourceIdentity,
  serverFactsOf,
} from "./server_identity.ts";
import type { ServerStore } from "./server_store.ts";

/** What stays the same while the server runs. */
export type FixedFacts = Omit<
  FactSources,
  "source" | "newestChecksum" | "logVersion"
>;

/**
 * Who the server says it is, which every login and statement asks: made anew
 * only when something that it depends on has changed.
 */
export class FactsCache {
  readonly #store: ServerStore;
  readonly #fixed: FixedFacts;
  #known: {
    readonly metaVersion: number;
    readonly checksum: ChecksumAlgorithm | undefined;
    readonly facts: Promise<ServerFacts>;
  } | undefined;

  constructor(store: ServerStore, fixed: FixedFacts) {
    this.#store = store;
    this.#fixed = fixed;
  }

  /**
   * As of now.
   *
   * @throws {StoreError} when the store can't be read; whoever asks next tries again
   */
  now(): Promise<ServerFacts> {
    const { metaVersion } = this.#store;
    const checksum = this.#store.files.at(-1)?.checksumAlgorithm;
    const known = this.#known;
    if (known?.metaVersion === metaVersion && known.checksum === checksum) {
      return known.facts;
    }
    const facts = this.#load(checksum);
    this.#known = { metaVersion, checksum, facts };
    facts.catch(() => {
      if (this.#known?.facts === facts) this.#known = undefined;
    });
    return facts;
  }

  async #load(
    newestChecksum: ChecksumAlgorithm | undefined,
  ): Promise<ServerFacts> {
    // a log has one flavour: whichever file tells it
    const format = this.#store.files.at(-1)?.formatDescription;
    const logVersion = format && decodeFormatDescription(format).serverVersion;
    const source = await loadSourceIdentity(this.#store);
    return serverFactsOf({
      ...this.#fixed,
      source,
      newestChecksum,
      logVersion,
    });
  }
}
