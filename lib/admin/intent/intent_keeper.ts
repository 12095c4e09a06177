import * as z from "zod";
import { chooseIntent, type ConfiguredIntent, type Intent } from "./intent.ts";
import type { MetaStore } from "./meta_store.ts";

/** What `IntentKeeper.open()` gives. */
export interface OpenIntent<Target> {
  readonly keeper: IntentKeeper<Target>;
  /** What was asked for before, when the configuration took its place. */
  readonly replaced: Intent<Target> | undefined;
}

/** Keeps one part's intent in the store, and has it at hand. */
export class IntentKeeper<Target> {
  readonly #store: MetaStore;
  readonly #name: string;
  #intent: Intent<Target>;
  readonly #fingerprint: string;

  private constructor(
    store: MetaStore,
    name: string,
    intent: Intent<Target>,
    fingerprint: string,
  ) {
    this.#store = store;
    this.#name = name;
    this.#intent = intent;
    this.#fingerprint = fingerprint;
  }

  /**
   * Chooses at a start between the kept intent and the configuration. A kept
   * value this version can't read counts as none.
   *
   * @param name under which the store keeps it: `intent/syncer`
   */
  static async open<Target>(
    store: MetaStore,
    name: string,
    targetSchema: z.ZodType<Target>,
    configured: ConfiguredIntent<Target>,
  ): Promise<OpenIntent<Target>> {
    const stored = z.object({
      run: z.boolean(),
      target: targetSchema.optional(),
      configured: z.string(),
    }).safeParse(await store.getMeta(name)).data;
    const kept = stored && { ...stored, target: stored.target };
    const { intent, replaced } = chooseIntent<Target>(kept, configured);
    const keeper = new IntentKeeper<Target>(
      store,
      name,
      intent,
      configured.fingerprint,
    );
    if (intent !== kept) await keeper.#save();
    return { keeper, replaced };
  }

  get run(): boolean {
    return this.#intent.run;
  }

  get target(): Target | undefined {
    return this.#intent.target;
  }

  /** Notes what it is meant to do; durable when it resolves. */
  async note(run: boolean, target: Target | undefined): Promise<void> {
    const before = this.#intent;
    this.#intent = { run, target, configured: this.#fingerprint };
    try {
      await this.#save();
    } catch (error) {
      this.#intent = before;
      throw error;
    }
  }

  async #save(): Promise<void> {
    await this.#store.setMeta(this.#name, { ...this.#intent });
  }
}
