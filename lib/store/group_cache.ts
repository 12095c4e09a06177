/**
 * Values of consecutive numbers, read together. Whoever uses them holds the
 * group meanwhile: they are freed when the cache has let go of it too.
 */
export class Group<T> {
  /** Number of the first value. */
  readonly first: number;
  /** What `GroupCache.generation` was when they were read. */
  readonly generation: number;
  readonly #free: (value: T) => void;
  #values: readonly (T | undefined)[];
  #holds: number;

  /**
   * Has `values`, undefined in place of those that do not exist.
   *
   * @param holds how many hold it from the start
   * @param free called with each value when nobody holds the group any more
   */
  constructor(
    first: number,
    values: readonly (T | undefined)[],
    generation: number,
    holds = 1,
    free: (value: T) => void = () => {},
  ) {
    this.first = first;
    this.generation = generation;
    this.#values = values;
    this.#holds = holds;
    this.#free = free;
  }

  /** The value of that number; undefined if it is not in the group. */
  at(number: number): T | undefined {
    return this.#values[number - this.first];
  }

  /** Keeps the values until `release` is called once more. */
  hold(): void {
    this.#holds++;
  }

  /** Ends a hold; whoever ended its own must not use the values any more. */
  release(): void {
    if (--this.#holds > 0) return;
    for (const value of this.#values) {
      if (value !== undefined) this.#free(value);
    }
    this.#values = [];
  }
}

/** What was read for a group. */
export interface LoadedGroup<T> {
  /** Values in order, undefined in place of those that do not exist. */
  readonly values: readonly (T | undefined)[];
  /** What keeping them costs, in bytes. */
  readonly bytes: number;
}

/** What a `GroupCache` is made of. */
export interface GroupCacheOptions<T> {
  /** How many values are read together. */
  readonly groupSize: number;
  /** How many bytes of groups are kept; two groups are kept in any case. */
  readonly bytesMax: number;
  /** Reads `count` values from number `first` on. */
  readonly load: (first: number, count: number) => Promise<LoadedGroup<T>>;
  /** Told of each value that is not used any more; nothing when absent. */
  readonly free?: (value: T) => void;
}

/** A group on its way. */
class LoadingGroup<T> {
  /** Resolves with the group, held for each who waits. */
  readonly group: Promise<Group<T>>;
  /** How many wait for it. */
  waiters = 0;

  constructor(read: (self: LoadingGroup<T>) => Promise<Group<T>>) {
    this.group = read(this);
  }
}

/**
 * Numbered values on disk, read in groups and shared by all who ask: many
 * readers at about the same place cost one read. The least recently used
 * groups go first; whoever still uses one keeps it alive by holding it.
 */
export class GroupCache<T> {
  readonly #options: GroupCacheOptions<T>;
  readonly #kept = new Map<number, { group: Group<T>; bytes: number }>();
  #keptBytes = 0;
  readonly #loading = new Map<number, LoadingGroup<T>>();
  // Groups fetched ahead that nobody has asked for yet.
  readonly #ahead = new Set<number>();
  #generation = 0;

  /** An empty cache. */
  constructor(options: GroupCacheOptions<T>) {
    this.#options = options;
  }

  /** Counts the calls of `dropFrom`: a group of an earlier one is out of date. */
  get generation(): number {
    return this.#generation;
  }

  /**
   * The kept group that has the value `number`; undefined if none has. Hold it
   * before anything is awaited.
   */
  get(number: number): Group<T> | undefined {
    const index = this.#indexOf(number);
    const kept = this.#kept.get(index);
    if (kept?.group.at(number) === undefined) return undefined;
    this.#ahead.delete(index);
    this.#kept.delete(index);
    this.#kept.set(index, kept);
    return kept.group;
  }

  /**
   * Reads the group of `number`; it is held for the caller, who has to release
   * it. It lacks the value if there is none on disk, and may be out of date if
   * `dropFrom` was called meanwhile.
   */
  async load(number: number): Promise<Group<T>> {
    const index = this.#indexOf(number);
    this.#ahead.delete(index);
    for (;;) {
      const joined = this.#loading.get(index);
      const loading = joined ?? this.#start(index);
      loading.waiters++;
      const group = await loading.group;
      // One that was under way may have been too early for this value.
      if (joined === undefined || group.at(number) !== undefined) return group;
      group.release();
    }
  }

  /**
   * Starts reading the group of `number` unless it is there, or too much was
   * fetched ahead already that nobody has asked for yet.
   */
  prefetch(number: number): void {
    const index = this.#indexOf(number);
    if (this.#kept.has(index) || this.#loading.has(index)) return;
    if (2 * this.#ahead.size >= this.#groupsMax) return;
    this.#ahead.add(index);
    // Whoever needs the group sees the fault; a prefetch has nobody to tell.
    this.#start(index).group.catch(() => this.#ahead.delete(index));
  }

  /** Forgets values from `number` on, those on their way included. */
  dropFrom(number: number): void {
    this.#generation++;
    this.#loading.clear();
    this.#ahead.clear();
    for (const index of [...this.#kept.keys()]) {
      if ((index + 1) * this.#options.groupSize > number) this.#drop(index);
    }
  }

  /** About how many groups are kept when the cache is full. */
  get #groupsMax(): number {
    const { bytesMax } = this.#options;
    return Math.max(2, bytesMax * this.#kept.size / this.#keptBytes || 2);
  }

  #indexOf(number: number): number {
    return Math.floor(number / this.#options.groupSize);
  }

  #start(index: number): LoadingGroup<T> {
    const loading = new LoadingGroup<T>((self) => this.#read(index, self));
    this.#loading.set(index, loading);
    return loading;
  }

  async #read(index: number, loading: LoadingGroup<T>): Promise<Group<T>> {
    const generation = this.#generation;
    const { groupSize, load, free } = this.#options;
    const first = index * groupSize;
    let loaded: LoadedGroup<T>;
    try {
      loaded = await load(first, groupSize);
    } finally {
      if (this.#loading.get(index) === loading) this.#loading.delete(index);
    }
    // Held once more until the cache lets go of it, or right away.
    const holds = loading.waiters + 1;
    const group = new Group(first, loaded.values, generation, holds, free);
    if (generation === this.#generation) this.#keep(index, group, loaded.bytes);
    else group.release();
    return group;
  }

  #keep(index: number, group: Group<T>, bytes: number): void {
    this.#drop(index);
    this.#kept.set(index, { group, bytes });
    this.#keptBytes += bytes;
    const { bytesMax } = this.#options;
    for (const oldest of this.#kept.keys()) {
      if (this.#keptBytes <= bytesMax || this.#kept.size <= 2) break;
      this.#ahead.delete(oldest);
      this.#drop(oldest);
    }
  }

  #drop(index: number): void {
    const kept = this.#kept.get(index);
    if (kept === undefined) return;
    this.#keptBytes -= kept.bytes;
    this.#kept.delete(index);
    kept.group.release();
  }
}
