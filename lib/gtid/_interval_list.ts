/**
 * The transaction numbers of one (uuid, tag), as disjoint intervals.
 *
 * Invariants: `#firsts` and `#lasts` have the same length, both ends are
 * inclusive, and `#lasts[i] + 1 < #firsts[i + 1]` (intervals that touch are one).
 */
export class IntervalList {
  #firsts: bigint[];
  #lasts: bigint[];

  /**
   * The last number of the last interval as a plain number, or NaN if there is
   * none or it is beyond 2^53. It lets {@linkcode add} see that a number
   * follows the last one without bigint arithmetic, which allocates.
   */
  #tail: number;

  constructor(firsts: bigint[] = [], lasts: bigint[] = []) {
    this.#firsts = firsts;
    this.#lasts = lasts;
    this.#tail = Number.NaN;
    this.#updateTail();
  }

  /** Number of intervals. */
  get length(): number {
    return this.#firsts.length;
  }

  /** First number of the interval with this index, which must exist. */
  firstAt(index: number): bigint {
    return this.#firsts[index]!;
  }

  /** Last number of the interval with this index, which must exist. */
  lastAt(index: number): bigint {
    return this.#lasts[index]!;
  }

  clone(): IntervalList {
    return new IntervalList(this.#firsts.slice(), this.#lasts.slice());
  }

  count(): bigint {
    let sum = 0n;
    for (let i = 0; i < this.#firsts.length; i++) {
      sum += this.#lasts[i]! - this.#firsts[i]! + 1n;
    }
    return sum;
  }

  has(gno: bigint): boolean {
    const index = this.#indexUpTo(gno);
    return index >= 0 && gno <= this.#lasts[index]!;
  }

  /** Adds one number; nothing is allocated when it follows the last one. */
  add(gno: bigint): void {
    const next = Number(gno);
    if (next === this.#tail + 1 && next <= Number.MAX_SAFE_INTEGER) {
      this.#lasts[this.#lasts.length - 1] = gno;
      this.#tail = next;
      return;
    }
    this.addInterval(gno, gno);
  }

  addInterval(first: bigint, last: bigint): void {
    // The intervals from `from` up to, not including, `to` overlap or touch the new one.
    let from = this.#indexUpTo(first - 1n);
    if (from < 0 || this.#lasts[from]! < first - 1n) from++;
    const to = this.#indexUpTo(last + 1n) + 1;
    if (from < to) {
      const firstMerged = this.#firsts[from]!;
      const lastMerged = this.#lasts[to - 1]!;
      if (firstMerged < first) first = firstMerged;
      if (lastMerged > last) last = lastMerged;
    }
    if (to - from === 1) {
      this.#firsts[from] = first;
      this.#lasts[from] = last;
    } else {
      this.#firsts.splice(from, to - from, first);
      this.#lasts.splice(from, to - from, last);
    }
    this.#updateTail();
  }

  addList(other: IntervalList): void {
    // A few intervals are inserted one by one; many are merged in one pass, so
    // that adding n to m never costs n times m.
    if (other.length <= 4) {
      for (let i = 0; i < other.length; i++) {
        this.addInterval(other.firstAt(i), other.lastAt(i));
      }
      return;
    }
    const firsts: bigint[] = [];
    const lasts: bigint[] = [];
    let mine = 0;
    let theirs = 0;
    while (mine < this.length || theirs < other.length) {
      const takeMine = theirs >= other.length ||
        (mine < this.length && this.firstAt(mine) <= other.firstAt(theirs));
      const first = takeMine ? this.firstAt(mine) : other.firstAt(theirs);
      const last = takeMine ? this.lastAt(mine++) : other.lastAt(theirs++);
      const end = lasts.length - 1;
      if (end >= 0 && first <= lasts[end]! + 1n) {
        if (last > lasts[end]!) lasts[end] = last;
      } else {
        firsts.push(first);
        lasts.push(last);
      }
    }
    this.#firsts = firsts;
    this.#lasts = lasts;
    this.#updateTail();
  }

  removeList(other: IntervalList): void {
    const firsts: bigint[] = [];
    const lasts: bigint[] = [];
    let theirs = 0;
    for (let mine = 0; mine < this.length; mine++) {
      let first = this.firstAt(mine);
      const last = this.lastAt(mine);
      while (theirs < other.length && other.lastAt(theirs) < first) theirs++;
      // An interval of theirs may reach into the next of mine: `theirs` stays on it.
      while (theirs < other.length && other.firstAt(theirs) <= last) {
        if (other.firstAt(theirs) > first) {
          firsts.push(first);
          lasts.push(other.firstAt(theirs) - 1n);
        }
        first = other.lastAt(theirs) + 1n;
        if (first > last) break;
        theirs++;
      }
      if (first <= last) {
        firsts.push(first);
        lasts.push(last);
      }
    }
    this.#firsts = firsts;
    this.#lasts = lasts;
    this.#updateTail();
  }

  intersect(other: IntervalList): IntervalList {
    const firsts: bigint[] = [];
    const lasts: bigint[] = [];
    let mine = 0;
    let theirs = 0;
    while (mine < this.length && theirs < other.length) {
      const first = this.firstAt(mine) > other.firstAt(theirs)
        ? this.firstAt(mine)
        : other.firstAt(theirs);
      const mineEndsFirst = this.lastAt(mine) < other.lastAt(theirs);
      const last = mineEndsFirst ? this.lastAt(mine) : other.lastAt(theirs);
      if (first <= last) {
        firsts.push(first);
        lasts.push(last);
      }
      if (mineEndsFirst) mine++;
      else theirs++;
    }
    return new IntervalList(firsts, lasts);
  }

  containsList(other: IntervalList): boolean {
    for (let i = 0; i < other.length; i++) {
      const index = this.#indexUpTo(other.firstAt(i));
      if (index < 0 || this.lastAt(index) < other.lastAt(i)) return false;
    }
    return true;
  }

  intersects(other: IntervalList): boolean {
    // Few numbers are usually asked about against many: search the longer list.
    if (other.length > this.length) return other.intersects(this);
    for (let i = 0; i < other.length; i++) {
      const index = this.#indexUpTo(other.lastAt(i));
      if (index >= 0 && this.lastAt(index) >= other.firstAt(i)) return true;
    }
    return false;
  }

  equals(other: IntervalList): boolean {
    if (this.length !== other.length) return false;
    for (let i = 0; i < this.length; i++) {
      if (
        this.firstAt(i) !== other.firstAt(i) ||
        this.lastAt(i) !== other.lastAt(i)
      ) return false;
    }
    return true;
  }

  /** Index of the last interval that begins at or before the number, or -1. */
  #indexUpTo(gno: bigint): number {
    const firsts = this.#firsts;
    let low = 0;
    let high = firsts.length;
    // Most questions are about the newest numbers, so look at the end first.
    if (high > 0 && firsts[high - 1]! <= gno) return high - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (firsts[middle]! <= gno) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #updateTail(): void {
    const length = this.#lasts.length;
    const tail = length === 0 ? Number.NaN : Number(this.#lasts[length - 1]!);
    this.#tail = tail <= Number.MAX_SAFE_INTEGER ? tail : Number.NaN;
  }
}
