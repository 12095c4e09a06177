import { assert, assertEquals } from "@std/assert";
import { GtidSet, MalformedGtidSetError } from "../../../lib/gtid/gtid_set.ts";
import { SeededRandom } from "../../support/seeded_random.ts";

const UUIDS = [
  "00000000-0000-0000-0000-000000000001",
  "d63952fd-e6f6-11f1-a979-02fc00000001",
  "ffffffff-ffff-ffff-ffff-ffffffffffff",
];
const TAGS = ["", "_", "a", "b9"];
/** The naive model: every GTID as text. */
type Model = Set<string>;

// Numbers are small, so that intervals meet, or around 2^53, where plain
// numbers stop being exact.
const BASES = [0n, 0n, 0n, 2n ** 53n - 20n];

function randomAdds(random: SeededRandom, set: GtidSet, model: Model): void {
  const uuid = random.pick(UUIDS);
  const tag = random.chance(0.6) ? "" : random.pick(TAGS);
  const first = random.pick(BASES) + BigInt(random.integer(1, 40));
  const length = random.chance(0.5) ? 1 : random.integer(1, 12);
  if (length === 1) set.add(uuid, tag, first);
  else set.addInterval(uuid, tag, first, first + BigInt(length - 1));
  for (let i = 0; i < length; i++) {
    model.add(`${uuid}:${tag}:${first + BigInt(i)}`);
  }
}

function randomSet(random: SeededRandom): [GtidSet, Model] {
  const set = new GtidSet();
  const model: Model = new Set();
  for (let i = random.integer(0, 25); i > 0; i--) {
    randomAdds(random, set, model);
  }
  return [set, model];
}

function expand(set: GtidSet): Model {
  const model: Model = new Set();
  for (const { uuid, tag, first, last } of set.intervals()) {
    for (let gno = first; gno <= last; gno++) {
      model.add(`${uuid}:${tag}:${gno}`);
    }
  }
  return model;
}

/** Intervals are sorted, apart, and not empty; the members are those of the model. */
function check(set: GtidSet, model: Model, what: string): void {
  let previous = "";
  let previousLast = 0n;
  for (const { uuid, tag, first, last } of set.intervals()) {
    const key = `${uuid}:${tag}`;
    if (key === previous) assert(first > previousLast + 1n, what);
    assert(first <= last, what);
    previous = key;
    previousLast = last;
  }
  assertEquals([...expand(set)].sort(), [...model].sort(), what);
  assertEquals(set.count(), BigInt(model.size), what);
  assertEquals(set.isEmpty, model.size === 0, what);
  assertEquals(
    set.hasTags,
    [...model].some((gtid) => gtid.split(":")[1] !== ""),
    what,
  );
}

Deno.test("GtidSet does the algebra of a plain set of GTIDs", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const what = `seed ${seed}`;
    const random = new SeededRandom(seed);
    const [a, modelA] = randomSet(random);
    const [b, modelB] = randomSet(random);
    check(a, modelA, what);

    const union = a.union(b);
    const less = a.subtract(b);
    const common = a.intersect(b);
    check(union, new Set([...modelA, ...modelB]), what);
    check(less, new Set([...modelA].filter((gtid) => !modelB.has(gtid))), what);
    check(
      common,
      new Set([...modelA].filter((gtid) => modelB.has(gtid))),
      what,
    );
    // None of these changes its operands.
    check(a, modelA, what);
    check(b, modelB, what);

    assertEquals(a.intersects(b), !common.isEmpty, what);
    assertEquals(a.containsSet(b), b.subtract(a).isEmpty, what);
    assert(union.containsSet(a) && union.containsSet(b), what);
    assert(a.containsSet(less) && a.containsSet(common), what);
    assert(!less.intersects(b), what);
    assert(less.union(common).equals(a), what);
    assertEquals(a.equals(b), a.toString() === b.toString(), what);
    for (const uuid of UUIDS) {
      check(
        a.restrictedTo(uuid),
        new Set([...modelA].filter((gtid) => gtid.startsWith(uuid))),
        what,
      );
    }
    for (const gtid of [...modelA, ...modelB]) {
      const [uuid, tag, gno] = gtid.split(":") as [string, string, string];
      assertEquals(a.has(uuid, tag, BigInt(gno)), modelA.has(gtid), what);
    }

    // Growing and shrinking go on after any of them.
    less.addSet(common);
    less.removeSet(a);
    assert(less.isEmpty, what);
    const grown: Model = new Set();
    for (let i = 0; i < 5; i++) randomAdds(random, less, grown);
    check(less, grown, what);
  }
});

Deno.test("GtidSet survives text and wire forms", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const what = `seed ${seed}`;
    const [set, model] = randomSet(new SeededRandom(seed));
    const parsed = GtidSet.parse(set.toString());
    check(parsed, model, what);
    assert(parsed.equals(set), what);
    const bytes = set.encode();
    const decoded = GtidSet.decode(bytes);
    check(decoded, model, what);
    assertEquals(decoded.encode(), bytes, what);
    assert(GtidSet.decode(set.encode({ tagged: true })).equals(set), what);
    assert(set.clone().equals(set), what);
  }
});

Deno.test("GtidSet.decode() answers damaged bytes with a set or MalformedGtidSetError", () => {
  for (let seed = 1; seed <= 2000; seed++) {
    const random = new SeededRandom(seed);
    const [set] = randomSet(random);
    let bytes = set.encode({ tagged: set.hasTags || random.chance(0.5) });
    for (let i = random.integer(1, 4); i > 0; i--) {
      bytes[random.integer(0, bytes.length - 1)] = random.integer(0, 255);
    }
    if (random.chance(0.3)) {
      bytes = bytes.subarray(0, random.integer(0, bytes.length));
    }
    try {
      const decoded = GtidSet.decode(bytes);
      assert(GtidSet.decode(decoded.encode()).equals(decoded), `seed ${seed}`);
    } catch (error) {
      assert(error instanceof MalformedGtidSetError, `seed ${seed}: ${error}`);
    }
  }
});
