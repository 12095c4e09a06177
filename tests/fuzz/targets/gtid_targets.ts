import { formatGtid, parseGtid } from "../../../lib/gtid/gtid.ts";
import { GtidSet, MalformedGtidSetError } from "../../../lib/gtid/gtid_set.ts";
import { formatUuid, parseUuid } from "../../../lib/gtid/uuid.ts";
import { FuzzInput } from "../fuzz_input.ts";
import { type FuzzTarget, outcomeOf, require } from "../fuzz_target.ts";
import { SOME_SET } from "./command_targets.ts";

const encoder = new TextEncoder();
const UUIDS = [
  "00000000-0000-0000-0000-000000000001",
  "d63952fd-e6f6-11f1-a979-02fc00000001",
];
const TAGS = ["", "a", "b9"];
const TEXTS = [
  SOME_SET,
  "",
  `${UUIDS[0]}:1-9223372036854775806`,
  `${UUIDS[0]}:1-3:5-7,\n${UUIDS[1]}:a:1-2:b:4`,
  `${UUIDS[0]!.toUpperCase()}:1-3:2-9:9`,
];

/** What has to be true of every set. */
function checkSet(set: GtidSet): void {
  require(
    GtidSet.parse(set.toString()).equals(set),
    "parse(toString(x)) is x",
  );
  require(GtidSet.decode(set.encode()).equals(set), "decode(encode(x)) is x");
  require(
    GtidSet.decode(set.encode({ tagged: true })).equals(set),
    "the tagged form holds as much",
  );
  require(set.containsSet(set) && set.equals(set.clone()), "it is itself");
  require(set.subtract(set).isEmpty, "nothing is left without itself");
  require(set.intersects(set) !== set.isEmpty, "it meets itself");
}

/** A set by its definition: which GTIDs are in it. */
type Model = Set<string>;

/** Applies what the bytes say to a set and to its model. */
function built(input: FuzzInput, steps: number): [GtidSet, Model] {
  const set = new GtidSet();
  const model: Model = new Set();
  for (let n = 0; n < steps && !input.atEnd; n++) {
    const uuid = input.pick(UUIDS);
    const tag = input.pick(TAGS);
    const first = 1 + input.byte() % 60;
    const last = first + input.byte() % 9;
    if (first === last) set.add(uuid, tag, BigInt(first));
    else set.addInterval(uuid, tag, BigInt(first), BigInt(last));
    for (let gno = first; gno <= last; gno++) {
      model.add(`${uuid}:${tag}:${gno}`);
    }
  }
  return [set, model];
}

function checkModel(set: GtidSet, model: Model, what: string): void {
  let count = 0;
  let before = "";
  for (const { uuid, tag, first, last } of set.intervals()) {
    for (let gno = first; gno <= last; gno++) {
      count += 1;
      require(
        model.has(`${uuid}:${tag}:${gno}`),
        `${what} has ${tag}:${gno} too many`,
      );
    }
    const joined = `${uuid}:${tag}:${first - 1n}`;
    require(before !== joined, `${what} has two intervals that are one`);
    before = `${uuid}:${tag}:${last}`;
  }
  require(count === model.size, `${what} has ${count}, not ${model.size}`);
  require(set.count() === BigInt(count), `${what} counts itself`);
}

/** GTIDs and their sets, as text and bytes, and the algebra. */
export const GTID_TARGETS: readonly FuzzTarget[] = [
  {
    name: "gtid-text",
    corpus: TEXTS.map((text) => encoder.encode(text)),
    dictionary: [
      ...UUIDS.map((uuid) => encoder.encode(`${uuid}:`)),
      ...[":1-5", ":", ",", "-", ":tag", " ", "9223372036854775807", "0"]
        .map((text) => encoder.encode(text)),
    ],
    run(bytes) {
      const text = new TextDecoder().decode(bytes);
      return [
        outcomeOf(() => {
          const set = GtidSet.parse(text);
          checkSet(set);
          return `${set.hasTags} ${set.isEmpty}`;
        }, SyntaxError),
        outcomeOf(() => {
          const gtid = parseGtid(text);
          require(
            formatGtid(parseGtid(formatGtid(gtid))) === formatGtid(gtid),
            "parse(format(x)) is x",
          );
        }, SyntaxError),
        outcomeOf(() => {
          const uuid = parseUuid(text);
          require(
            formatUuid(uuid).replaceAll("-", "") ===
              text.toLowerCase().replace(/[-{}]/g, ""),
            "format(parse(x)) is x",
          );
        }, SyntaxError),
      ].join(" | ");
    },
  },
  {
    name: "gtid-wire",
    corpus: TEXTS.flatMap((text) => {
      const set = GtidSet.parse(text);
      return [set.encode(), set.encode({ tagged: true })];
    }),
    run: (bytes) =>
      outcomeOf(() => {
        const set = GtidSet.decode(bytes);
        checkSet(set);
        return `${set.hasTags} ${set.isEmpty} ${set.uuids().length > 1}`;
      }, MalformedGtidSetError),
  },
  {
    name: "gtid-algebra",
    corpus: [
      Uint8Array.of(0, 0, 1, 4, 0, 1, 9, 0, 1, 2, 3, 3, 0, 0, 2, 8, 1, 1, 5, 5),
    ],
    run(bytes) {
      const input = new FuzzInput(bytes);
      const steps = 1 + input.byte() % 12;
      const [one, ones] = built(input, steps);
      const [other, others] = built(input, 12);
      checkModel(one, ones, "the one");
      checkModel(other, others, "the other");
      checkModel(one.union(other), new Set([...ones, ...others]), "the union");
      const both = [...ones].filter((gtid) => others.has(gtid));
      checkModel(one.intersect(other), new Set(both), "what both have");
      const alone = [...ones].filter((gtid) => !others.has(gtid));
      checkModel(one.subtract(other), new Set(alone), "what one has alone");
      require(
        one.containsSet(other) === [...others].every((gtid) => ones.has(gtid)),
        "containsSet() is right",
      );
      require(
        one.intersects(other) === both.length > 0,
        "intersects() is right",
      );
      checkSet(one);
      return [ones.size, others.size, both.length]
        .map((size) => 32 - Math.clz32(size)).join();
    },
  },
];
