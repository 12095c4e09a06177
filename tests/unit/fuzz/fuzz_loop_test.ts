import { assert, assertEquals, assertRejects } from "@std/assert";
import { fuzz, FuzzFind, shrink } from "../../fuzz/fuzz_loop.ts";
import { type FuzzTarget, outcomeOf, require } from "../../fuzz/fuzz_target.ts";
import { mutate } from "../../fuzz/mutate.ts";
import { SeededRandom } from "../../support/seeded_random.ts";
import { ProtocolError } from "../../../lib/protocol/protocol_error.ts";

/** Ten bytes: a length, and so many bytes as it says. */
const SAMPLE = Uint8Array.of(9, 1, 2, 3, 4, 5, 6, 7, 8, 9);

function targetOf(
  run: FuzzTarget["run"],
  corpus: readonly Uint8Array[] = [SAMPLE],
): FuzzTarget {
  return { name: "canary", corpus, run };
}

async function findOf(target: FuzzTarget, inputs = 20_000): Promise<FuzzFind> {
  return await assertRejects(
    () => fuzz(target, { seed: 1, inputs, inputMsMax: 60 }),
    FuzzFind,
  );
}

Deno.test("fuzz() finds an error that is not expected", async () => {
  const find = await findOf(targetOf((input) =>
    outcomeOf(() => {
      const length = input[0] ?? 0;
      if (length > 200) throw new TypeError("Cannot read past the end");
    }, ProtocolError)
  ));
  assert((find.input[0] ?? 0) > 200);
  assert(find.message.includes("Cannot read past the end"), find.message);
});

Deno.test("fuzz() finds what a promise is rejected with", async () => {
  const find = await findOf(targetOf(async (input) => {
    await Promise.resolve();
    require(input.length < 12, "it is short");
    return "";
  }));
  assert(find.input.length >= 12);
});

Deno.test("fuzz() finds memory that a length in the input asks for", async () => {
  const find = await findOf(targetOf((input) => {
    new Uint8Array(1_000_000 * (input[0] ?? 0) / 255);
    return "";
  }));
  assert(find.message.includes("at once"), find.message);
});

Deno.test("fuzz() finds an input that takes long", async () => {
  const find = await findOf(targetOf((input) => {
    const until = performance.now() + (input.length > 150 ? 80 : 0);
    while (performance.now() < until);
    return "";
  }));
  assert(find.message.includes("ms for"), find.message);
  assert(find.input.length > 150);
});

Deno.test("fuzz() finds memory that is not given back", async () => {
  const kept: string[][] = [];
  const find = await findOf(
    targetOf(() => {
      kept.push(new Array(100).fill("x"));
      return "";
    }),
    60_000,
  );
  assert(find.message.includes("memory grew"), find.message);
  assert(kept.length >= 60_000);
});

Deno.test("fuzz() goes deeper from inputs with new answers", async () => {
  // two bytes in a row have to be right: one step at a time
  const secret = Uint8Array.of(0x13, 0x37);
  const find = await findOf(
    targetOf((input) => {
      let right = 0;
      while (right < 2 && input[right] === secret[right]) right += 1;
      require(right < 2, "nobody knows");
      return `${right}`;
    }),
    300_000,
  );
  assertEquals(find.input.subarray(0, 2), secret);
});

Deno.test("fuzz() tries the same inputs with the same seed", async () => {
  const run = async (seed: number): Promise<string[]> => {
    const tried: string[] = [];
    await fuzz(
      targetOf((input) => {
        tried.push(input.join());
        return `${input.length % 7}`;
      }),
      { seed, inputs: 500 },
    );
    return tried;
  };
  assertEquals(await run(5), await run(5));
  assert((await run(5)).join() !== (await run(6)).join());
});

Deno.test("shrink() leaves out what a find does not need", async () => {
  const target = targetOf((input) => {
    require(!input.includes(77), "no 77");
    return "";
  });
  const input = new Uint8Array(1000);
  input[567] = 77;
  assertEquals(await shrink(target, input), Uint8Array.of(77));
});

Deno.test("mutate() changes a copy, and keeps it within bounds", () => {
  const random = new SeededRandom(1);
  const material = { pool: [SAMPLE], dictionary: [Uint8Array.of(1)] };
  const before = SAMPLE.slice();
  let input: Uint8Array = SAMPLE;
  for (let n = 0; n < 5000; n++) {
    input = mutate(input, random, material);
    assert(input.length <= 96 * 1024);
  }
  assertEquals(SAMPLE, before);
});
