import { SeededRandom } from "../support/seeded_random.ts";

/** Every kind of fault, with how often it comes compared to the others. */
const KIND_WEIGHTS = {
  "kill-kingbus": 40,
  "kill-kingbus-starting": 12,
  "kill-source": 2,
  "kill-replica": 2,
  "kill-all": 1,
  "source-fin": 6,
  "source-rst": 6,
  "source-truncate": 8,
  "source-delay": 3,
  "source-stall": 3,
  "source-silence": 1,
  "replica-fin": 5,
  "replica-rst": 5,
  "replica-truncate": 6,
  "replica-delay": 3,
  "replica-stall": 3,
  "replica-silence": 1,
} as const;

/**
 * What is done to the system in a round:
 * - `kill-…`: a process is killed with SIGKILL and started again;
 *   `kill-kingbus-starting` kills it while it starts as well, up to twice in a
 *   row;
 * - `source-…` and `replica-…`: something happens to the connections between
 *   kingbus and that side. `fin` and `rst` end them after some number of
 *   bytes, `truncate` in the middle of a packet; `delay` holds back every piece
 *   for a while, `stall` all of them at once; `silence` passes nothing on for
 *   good, so that both ends have to notice by themselves.
 */
export type FaultKind = keyof typeof KIND_WEIGHTS;

/** All kinds, in the order of the summary. */
export const FAULT_KINDS = Object.keys(KIND_WEIGHTS) as readonly FaultKind[];

/** What the source is made to write right before the fault. */
export type RoundLoad = "usual" | "large" | "huge";

/** All that is decided about one round. */
export interface RoundPlan {
  /** From 1. */
  readonly number: number;
  readonly kind: FaultKind;
  /**
   * `large`: a transaction larger than one commit of the store; `huge`: an
   * event of more than 16 MiB; beside the load that goes on all the time.
   */
  readonly load: RoundLoad;
  /** From the begin of the round, or of that transaction, to the fault, in ms. */
  readonly delayMs: number;
  /** Bytes that still pass before connections end. */
  readonly cutAfterBytes: number;
  /** How long connections are delayed or stalled, in ms. */
  readonly holdMs: number;
  /** For how long a delay holds back each piece, in ms. */
  readonly pieceDelayMs: number;
  /** After how many ms of its start kingbus is killed again, once for each. */
  readonly startKillsMs: readonly number[];
  /** Whether kingbus is told right before the fault to purge what nobody needs. */
  readonly purges: boolean;
  /** Whether replicas that come while kingbus is down are refused at once. */
  readonly refusesWhileDown: boolean;
}

/** What fraction of the rounds has a large, and a huge, transaction. */
const LARGE_SHARE = 0.3;
const HUGE_SHARE = 0.08;

/** What fraction of the rounds has a purge. */
const PURGE_SHARE = 0.05;

/** The longest wait for the fault, in ms. */
const DELAY_MS_MAX = 400;
const DELAY_AFTER_LARGE_MS_MAX = 150;

/** From a process's creation to the end of its start, in ms, and some more. */
const START_MS = 700;

/**
 * Decides the rounds of a run, one after another. The same seed and kinds
 * decide the same.
 */
export class CrashPlanner {
  readonly #random: SeededRandom;
  readonly #kinds: readonly FaultKind[];
  #rounds = 0;

  /** @param kinds those that may come */
  constructor(seed: number, kinds: readonly FaultKind[] = FAULT_KINDS) {
    this.#random = new SeededRandom(seed);
    this.#kinds = kinds;
  }

  /** The next round. */
  next(): RoundPlan {
    // Every number is drawn whatever the kind, so that rounds stay comparable.
    const random = this.#random;
    const kind = this.#pickKind();
    const draw = random.next();
    const load = draw < HUGE_SHARE
      ? "huge"
      : draw < HUGE_SHARE + LARGE_SHARE
      ? "large"
      : "usual";
    const delayMax = load === "usual" ? DELAY_MS_MAX : DELAY_AFTER_LARGE_MS_MAX;
    const delayMs = random.integer(0, delayMax);
    // Any power of two as likely as any other: often within few packets.
    const cutAfterBytes = Math.floor(2 ** (random.next() * 21));
    const holdMs = random.integer(50, 1_000);
    const pieceDelayMs = random.integer(1, 40);
    const kills = [random.integer(0, START_MS), random.integer(0, START_MS)];
    const startKillsMs = kills.slice(random.integer(0, 1));
    const refusesWhileDown = random.chance(0.3);
    const purges = random.chance(PURGE_SHARE);
    return {
      number: ++this.#rounds,
      kind,
      load,
      delayMs,
      cutAfterBytes,
      holdMs,
      pieceDelayMs,
      startKillsMs: kind === "kill-kingbus-starting" ? startKillsMs : [],
      purges,
      refusesWhileDown,
    };
  }

  #pickKind(): FaultKind {
    const total = this.#kinds.reduce(
      (sum, kind) => sum + KIND_WEIGHTS[kind],
      0,
    );
    let draw = this.#random.next() * total;
    for (const kind of this.#kinds) {
      draw -= KIND_WEIGHTS[kind];
      if (draw < 0) return kind;
    }
    return this.#kinds.at(-1)!;
  }
}

/** A round's decisions in one line. */
export function describeRound(plan: RoundPlan): string {
  const parts = [`${plan.kind} after ${plan.delayMs} ms`];
  if (plan.purges) parts[0] = `purge, ${parts[0]}`;
  if (plan.load !== "usual") parts.push(`of a ${plan.load} transaction`);
  if (/-(fin|rst|truncate)$/.test(plan.kind)) {
    parts.push(`and ${plan.cutAfterBytes} bytes`);
  }
  if (/-(delay|stall)$/.test(plan.kind)) parts.push(`for ${plan.holdMs} ms`);
  if (plan.startKillsMs.length > 0) {
    parts.push(`again ${plan.startKillsMs.join(" and ")} ms after a start`);
  }
  return parts.join(" ");
}
