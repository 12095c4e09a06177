/** What happens now and then beside the everyday transactions. */
export type Occasion = "schema change" | "large transaction" | "new log file";

interface Plan {
  readonly occasion: Occasion;
  readonly firstMs: number;
  readonly everyMs: number;
}

/** The first ones come early, so that a demo of five seconds has each. */
const PLANS: readonly Plan[] = [
  { occasion: "schema change", firstMs: 1_000, everyMs: 3_000 },
  { occasion: "large transaction", firstMs: 2_000, everyMs: 6_000 },
  { occasion: "new log file", firstMs: 3_000, everyMs: 12_000 },
];

/** Tells when which occasion is due. */
export class Occasions {
  readonly #nextMs = new Map(
    PLANS.map(({ occasion, firstMs }) => [occasion, firstMs]),
  );

  /**
   * An occasion whose time has come; it will be due again later. What was
   * missed is not made up for.
   *
   * @param elapsedMs Time since the writing began.
   */
  next(elapsedMs: number): Occasion | undefined {
    for (const { occasion, everyMs } of PLANS) {
      const dueMs = this.#nextMs.get(occasion)!;
      if (elapsedMs < dueMs) continue;
      const missed = Math.floor((elapsedMs - dueMs) / everyMs);
      this.#nextMs.set(occasion, dueMs + (missed + 1) * everyMs);
      return occasion;
    }
    return undefined;
  }
}
