/**
 * What happens at one call of a database:
 * - `error-before`: it fails, and has done nothing;
 * - `error-after`: it fails, and has been done all the same;
 * - `stop-before`, `stop-after`: the process is gone there: neither this call
 *   nor any later one comes back, and none after it does anything.
 */
export type KvFault =
  | "error-before"
  | "error-after"
  | "stop-before"
  | "stop-after";

/** All of them. */
export const KV_FAULTS: readonly KvFault[] = [
  "error-before",
  "error-after",
  "stop-before",
  "stop-after",
];

/** What the calls that a {@linkcode KvFaultPlan} makes fail throw. */
class MadeToFail extends Error {
  override readonly name = "MadeToFail";
}

/** Which call of a database fails or stops, counted over all its handles. */
export class KvFaultPlan {
  readonly #at: number;
  readonly #fault: KvFault;
  readonly #stopped = Promise.withResolvers<void>();
  #isStopped = false;
  /** How many calls there were. */
  calls = 0;

  /** @param at number of the call, from 1 */
  constructor(at: number, fault: KvFault) {
    this.#at = at;
    this.#fault = fault;
  }

  /** Resolves when the process is gone. */
  get stopped(): Promise<void> {
    return this.#stopped.promise;
  }

  /** Does a call, or what is planned for it. */
  async call<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isStopped) return await never();
    if (++this.calls !== this.#at) {
      const result = await work();
      return this.#isStopped ? await never() : result;
    }
    if (this.#fault === "stop-before") return await this.#stop();
    if (this.#fault === "error-before") throw new MadeToFail("made to fail");
    await work();
    if (this.#fault === "stop-after") return await this.#stop();
    throw new MadeToFail("made to fail after it was done");
  }

  #stop(): Promise<never> {
    this.#isStopped = true;
    this.#stopped.resolve();
    return never();
  }
}

/** A promise of a process that is gone. */
function never(): Promise<never> {
  return new Promise(() => {});
}

/**
 * A handle of `kv` whose calls go by a plan: every `get`, `getMany`, `set` and
 * `delete`, every `commit` of an atomic operation, and every `list` as a whole.
 * Closing it leaves `kv` open.
 */
export function faultyKv(kv: Deno.Kv, plan: KvFaultPlan): Deno.Kv {
  return new Proxy(kv, {
    get(target, name): unknown {
      if (name === "close") return () => {};
      if (name === "list") {
        return (...args: Parameters<Deno.Kv["list"]>) =>
          plannedList(target, plan, args);
      }
      if (name === "atomic") return () => plannedAtomic(target.atomic(), plan);
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...args: unknown[]) =>
        plan.call(async () => await Reflect.apply(member, target, args));
    },
  });
}

async function* plannedList(
  kv: Deno.Kv,
  plan: KvFaultPlan,
  args: Parameters<Deno.Kv["list"]>,
): AsyncGenerator<Deno.KvEntry<unknown>> {
  yield* await plan.call(() => Array.fromAsync(kv.list(...args)));
}

function plannedAtomic(
  atomic: Deno.AtomicOperation,
  plan: KvFaultPlan,
): Deno.AtomicOperation {
  const planned: Deno.AtomicOperation = new Proxy(atomic, {
    get(target, name): unknown {
      if (name === "commit") return () => plan.call(() => target.commit());
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => {
        Reflect.apply(member, target, args);
        return planned;
      };
    },
  });
  return planned;
}
