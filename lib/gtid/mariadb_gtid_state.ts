import { MalformedGtidSetError } from "./gtid_set.ts";
import {
  formatMariadbGtid,
  type MariadbGtid,
  parseMariadbGtid,
} from "./mariadb_gtid.ts";

/** Bytes of a GTID in a state: domain 4, server 4, sequence 8, little-endian. */
const ENTRY_BYTES = 16;

/** The sequences of one domain. */
interface Domain {
  /** Last sequence by server, in the order in which the servers came. */
  readonly sequences: Map<number, bigint>;
  /** Who wrote last. */
  last: number;
}

/**
 * The state of a MariaDB binary log at one place (`rpl_binlog_state` in
 * MariaDB's `sql/rpl_gtid.cc`, `@@gtid_binlog_state`): for each domain the last
 * sequence number of every server that wrote in it, and which of them wrote
 * last. It is what a Gtid_list event at the beginning of a file says of
 * everything before the file.
 *
 * Unlike a set it says nothing of what lies below: sequence numbers may have
 * gaps, and without `gtid_strict_mode` they may even go back.
 *
 * Mutable; copy it with {@linkcode clone}.
 *
 * @example
 * ```ts
 * const state = MariadbGtidState.parse("0-1-7,0-2-9");
 * state.has({ domain: 0, server: 1, sequence: 6n }); // true
 * state.position(); // [0-2-9]
 * ```
 */
export class MariadbGtidState {
  // By domain id, in the order in which the domains came.
  readonly #domains = new Map<number, Domain>();
  // The domain of the newest GTID: mostly of the next one, too.
  #newestId = -1;
  #newest: Domain | undefined;

  /**
   * Reads the text of `@@gtid_binlog_state`.
   *
   * @param text GTIDs separated by commas; of the same domain, the last one is
   *   of the server that wrote last.
   * @returns The state.
   * @throws {SyntaxError} If the text is anything else.
   */
  static parse(text: string): MariadbGtidState {
    const state = new MariadbGtidState();
    if (text.trim() === "") return state;
    for (const part of text.split(",")) state.add(parseMariadbGtid(part));
    return state;
  }

  /**
   * Reads the entries of a Gtid_list event, 16 bytes each.
   *
   * @param bytes All of them and nothing else.
   * @returns The state.
   * @throws {MalformedGtidSetError} If an entry is cut short.
   */
  static decode(bytes: Uint8Array): MariadbGtidState {
    if (bytes.length % ENTRY_BYTES !== 0) {
      throw new MalformedGtidSetError(
        `Cannot decode MariaDB GTID state: ${bytes.length} bytes are not a multiple of ${ENTRY_BYTES}`,
        bytes.length - bytes.length % ENTRY_BYTES,
      );
    }
    const view = new DataView(
      bytes.buffer,
      bytes.byteOffset,
      bytes.byteLength,
    );
    const state = new MariadbGtidState();
    for (let at = 0; at < bytes.length; at += ENTRY_BYTES) {
      state.addParts(
        view.getUint32(at, true),
        view.getUint32(at + 4, true),
        view.getBigUint64(at + 8, true),
      );
    }
    return state;
  }

  /** The state after all of these, written one after the other. */
  static of(gtids: Iterable<MariadbGtid>): MariadbGtidState {
    const state = new MariadbGtidState();
    for (const gtid of gtids) state.add(gtid);
    return state;
  }

  /** True when nothing was ever written. */
  get isEmpty(): boolean {
    return this.#domains.size === 0;
  }

  /** How many GTIDs {@linkcode entries} has. */
  get size(): number {
    let size = 0;
    for (const { sequences } of this.#domains.values()) size += sequences.size;
    return size;
  }

  /**
   * Takes the next transaction of the log, whatever its sequence number: a
   * lower one than before replaces that, as in MariaDB.
   */
  add(gtid: MariadbGtid): void {
    this.addParts(gtid.domain, gtid.server, gtid.sequence);
  }

  /** As {@linkcode add}, without an object. */
  addParts(domainId: number, server: number, sequence: bigint): void {
    let domain = this.#newest;
    if (domain === undefined || domainId !== this.#newestId) {
      domain = this.#domains.get(domainId);
      if (domain === undefined) {
        domain = { sequences: new Map(), last: server };
        this.#domains.set(domainId, domain);
      }
      this.#newest = domain;
      this.#newestId = domainId;
    }
    domain.sequences.set(server, sequence);
    domain.last = server;
  }

  /** Takes everything that `later` has, which was written after this. */
  addState(later: MariadbGtidState): void {
    for (const gtid of later.#each()) this.add(gtid);
  }

  /**
   * Whether the log has that transaction, as far as a state can tell: its
   * server has written it, or a higher sequence number, in its domain.
   */
  has(gtid: MariadbGtid): boolean {
    const sequence = this.sequenceOf(gtid.domain, gtid.server);
    return sequence !== undefined && sequence >= gtid.sequence;
  }

  /** The last sequence number of a server in a domain; undefined if there is none. */
  sequenceOf(domain: number, server: number): bigint | undefined {
    return this.#domains.get(domain)?.sequences.get(server);
  }

  /** The newest GTID of a domain; undefined if nothing was written in it. */
  lastOf(domain: number): MariadbGtid | undefined {
    const found = this.#domains.get(domain);
    return found === undefined ? undefined : lastIn(domain, found);
  }

  /** The ids of the domains, ascending. */
  domains(): number[] {
    return [...this.#domains.keys()].sort((a, b) => a - b);
  }

  /** The newest GTID of each domain, domains ascending: `@@gtid_binlog_pos`. */
  position(): MariadbGtid[] {
    return this.domains().map((id) => lastIn(id, this.#domains.get(id)!));
  }

  /**
   * All GTIDs in an order that makes this state when they are added one after
   * the other: the newest of each domain comes last of its domain.
   */
  entries(): MariadbGtid[] {
    return [...this.#each()];
  }

  /** Whether every GTID of `other` is one that {@linkcode has} is true of. */
  contains(other: MariadbGtidState): boolean {
    for (const gtid of other.#each()) if (!this.has(gtid)) return false;
    return true;
  }

  /** The GTIDs of `other` that {@linkcode has} is false of. */
  missing(other: MariadbGtidState): MariadbGtid[] {
    return other.entries().filter((gtid) => !this.has(gtid));
  }

  /**
   * Whether everything that a replica at `position` still needs was written
   * after this: then a file that begins with this state is early enough for it.
   * By the rules of MariaDB (`contains_all_slave_gtid` in its
   * `sql/sql_repl.cc`): a domain that the position does not have is needed from
   * its begin; a GTID of the position may be the newest here of its domain, but
   * no older one.
   *
   * @param position one GTID for each domain
   */
  isBefore(position: readonly MariadbGtid[]): boolean {
    for (const [id, { sequences, last }] of this.#domains) {
      const at = position.find(({ domain }) => domain === id);
      if (at === undefined) return false;
      const known = sequences.get(at.server);
      if (known === undefined || known < at.sequence) continue;
      if (known > at.sequence || last !== at.server) return false;
    }
    return true;
  }

  /** Whether both say the same of every domain and server. */
  equals(other: MariadbGtidState): boolean {
    if (this.#domains.size !== other.#domains.size) return false;
    for (const [id, { sequences, last }] of this.#domains) {
      const theirs = other.#domains.get(id);
      if (
        theirs === undefined || theirs.last !== last ||
        theirs.sequences.size !== sequences.size
      ) return false;
      for (const [server, sequence] of sequences) {
        if (theirs.sequences.get(server) !== sequence) return false;
      }
    }
    return true;
  }

  /** A copy that changes by itself. */
  clone(): MariadbGtidState {
    const copy = new MariadbGtidState();
    for (const [id, { sequences, last }] of this.#domains) {
      copy.#domains.set(id, { sequences: new Map(sequences), last });
    }
    return copy;
  }

  /** The entries of a Gtid_list event, in the order of {@linkcode entries}. */
  encode(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.size * ENTRY_BYTES);
    const view = new DataView(bytes.buffer);
    let at = 0;
    for (const { domain, server, sequence } of this.#each()) {
      view.setUint32(at, domain, true);
      view.setUint32(at + 4, server, true);
      view.setBigUint64(at + 8, sequence, true);
      at += ENTRY_BYTES;
    }
    return bytes;
  }

  /** The text of `@@gtid_binlog_state`: domains ascending, the newest of each last. */
  toString(): string {
    const texts: string[] = [];
    for (const id of this.domains()) {
      for (const gtid of eachIn(id, this.#domains.get(id)!)) {
        texts.push(formatMariadbGtid(gtid));
      }
    }
    return texts.join(",");
  }

  *#each(): Generator<MariadbGtid> {
    for (const [id, domain] of this.#domains) yield* eachIn(id, domain);
  }
}

function* eachIn(id: number, domain: Domain): Generator<MariadbGtid> {
  for (const [server, sequence] of domain.sequences) {
    if (server !== domain.last) yield { domain: id, server, sequence };
  }
  yield lastIn(id, domain);
}

function lastIn(id: number, { sequences, last }: Domain): MariadbGtid {
  return { domain: id, server: last, sequence: sequences.get(last)! };
}
