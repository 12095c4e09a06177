import * as std from "@std/assert";
import * as adapter from "../../../../scripts/npm_imports/assert.ts";

/** The calls both modules take; where JSR is reached, they are two modules. */
type Assertions = Pick<typeof std & typeof adapter, keyof typeof adapter>;

const MODULES: [name: string, module: Assertions][] = [
  ["@std/assert", std as unknown as Assertions],
  ["assert adapter", adapter as unknown as Assertions],
];

class Counter {
  #count: number;
  constructor(count: number) {
    this.#count = count;
  }
  get count(): number {
    return this.#count;
  }
}

class Opaque {
  readonly #hidden: number;
  constructor(hidden: number) {
    this.#hidden = hidden;
  }
  reveal(): number {
    return this.#hidden;
  }
}

const circle: unknown[] = [];
circle.push(circle);

const EQUAL: [what: string, a: unknown, b: unknown][] = [
  ["numbers", 1, 1],
  ["NaN", NaN, NaN],
  ["0 and -0", 0, -0],
  ["bigints", 10n, 10n],
  ["bytes", new Uint8Array([1, 2]), new Uint8Array([1, 2])],
  ["buffers", new Uint8Array([1]).buffer, new Uint8Array([1]).buffer],
  ["dates", new Date(5), new Date(5)],
  ["patterns", /a/g, /a/g],
  ["nested objects", { a: [{ b: 1 }] }, { a: [{ b: 1 }] }],
  ["keys in another order", { a: 1, b: 2 }, { b: 2, a: 1 }],
  [
    "maps in another order",
    new Map([[1, "a"], [2, "b"]]),
    new Map([[2, "b"], [1, "a"]]),
  ],
  [
    "sets of objects",
    new Set([{ a: 1 }, { b: 1 }]),
    new Set([{ b: 1 }, { a: 1 }]),
  ],
  ["null prototype", Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
  ["instances", new Counter(1), new Counter(1)],
  ["hidden fields", new Opaque(1), new Opaque(2)],
  ["circles", circle, circle],
  ["symbols as keys", { [Symbol.iterator]: 1 }, { [Symbol.iterator]: 1 }],
];

const UNEQUAL: [what: string, a: unknown, b: unknown][] = [
  ["numbers", 1, 2],
  ["number and string", 1, "1"],
  ["number and bigint", 1, 1n],
  ["null and undefined", null, undefined],
  ["bytes", new Uint8Array([1, 2]), new Uint8Array([1, 3])],
  ["lengths of bytes", new Uint8Array([1]), new Uint8Array([1, 0])],
  ["widths of bytes", new Uint8Array([1]), new Uint16Array([1])],
  ["dates", new Date(5), new Date(6)],
  ["patterns", /a/g, /a/i],
  ["a missing key", { a: 1, b: undefined }, { a: 1 }],
  ["another key", { a: undefined }, { b: undefined }],
  ["order of an array", [1, 2], [2, 1]],
  ["maps", new Map([[1, "a"]]), new Map([[1, "b"]])],
  ["sets", new Set([1]), new Set([2])],
  ["classes", new Counter(1), new Opaque(1)],
  ["accessors", new Counter(1), new Counter(2)],
  ["object and array", {}, []],
  ["words of errors", new TypeError("a"), new TypeError("b")],
];

/** Runs a call; true if it threw what the module calls a failed assertion. */
function fails(module: Assertions, call: () => unknown): boolean {
  try {
    call();
    return false;
  } catch (error) {
    if (error instanceof module.AssertionError) return true;
    throw error;
  }
}

/** As {@linkcode fails}, for a promise. */
async function failsLater(
  module: Assertions,
  call: () => Promise<unknown>,
): Promise<boolean> {
  try {
    await call();
    return false;
  } catch (error) {
    if (error instanceof module.AssertionError) return true;
    throw error;
  }
}

/** Not one of the assertions under test: those can't vouch for themselves. */
function expect(found: unknown, wanted: unknown, what: string): void {
  if (found !== wanted) throw new Error(`${what}: ${found}, not ${wanted}`);
}

for (const [name, module] of MODULES) {
  Deno.test(`${name}: assertEquals() passes for equals only`, () => {
    for (const [what, a, b] of EQUAL) {
      expect(module.equal(a, b), true, what);
      expect(fails(module, () => module.assertEquals(a, b)), false, what);
      expect(fails(module, () => module.assertNotEquals(a, b)), true, what);
    }
    for (const [what, a, b] of UNEQUAL) {
      expect(module.equal(a, b), false, what);
      expect(fails(module, () => module.assertEquals(a, b)), true, what);
      expect(fails(module, () => module.assertNotEquals(a, b)), false, what);
    }
  });

  Deno.test(`${name}: assertEquals() says what differs`, () => {
    try {
      module.assertEquals({ a: 1, b: "x" }, { a: 1, b: "y" }, "after a step");
    } catch (error) {
      const { message } = error as Error;
      for (const words of ["after a step", "x", "y"]) {
        expect(message.includes(words), true, `${words} in ${message}`);
      }
      return;
    }
    throw new Error("assertEquals() did not throw");
  });

  Deno.test(`${name}: simple assertions pass and fail alike`, () => {
    const m: Assertions = module;
    const cases: [what: string, good: () => unknown, bad: () => unknown][] = [
      ["assert", () => m.assert(1), () => m.assert(0)],
      ["assertFalse", () => m.assertFalse(""), () => m.assertFalse("x")],
      ["fail", () => {}, () => m.fail("no")],
      ["unreachable", () => {}, () => m.unreachable()],
      [
        "assertStrictEquals",
        () => m.assertStrictEquals(circle, circle),
        () => m.assertStrictEquals({}, {}),
      ],
      [
        "assertNotStrictEquals",
        () => m.assertNotStrictEquals({}, {}),
        () => m.assertNotStrictEquals(circle, circle),
      ],
      ["assertExists", () => m.assertExists(0), () => m.assertExists(null)],
      [
        "assertInstanceOf",
        () => m.assertInstanceOf(new Counter(1), Counter),
        () => m.assertInstanceOf({}, Counter),
      ],
      [
        "assertNotInstanceOf",
        () => m.assertNotInstanceOf({}, Counter),
        () => m.assertNotInstanceOf(new Counter(1), Counter),
      ],
      [
        "assertStringIncludes",
        () => m.assertStringIncludes("abc", "bc"),
        () => m.assertStringIncludes("abc", "cb"),
      ],
      [
        "assertArrayIncludes",
        () => m.assertArrayIncludes([1, { a: 1 }], [{ a: 1 }]),
        () => m.assertArrayIncludes([1, { a: 1 }], [{ a: 2 }]),
      ],
      [
        "assertMatch",
        () => m.assertMatch("abc", /^a/),
        () => m.assertMatch("abc", /^b/),
      ],
      [
        "assertNotMatch",
        () => m.assertNotMatch("abc", /^b/),
        () => m.assertNotMatch("abc", /^a/),
      ],
      [
        "assertAlmostEquals",
        () => m.assertAlmostEquals(0.1 + 0.2, 0.3),
        () => m.assertAlmostEquals(0.1, 0.2),
      ],
      [
        "assertAlmostEquals with a tolerance",
        () => m.assertAlmostEquals(10, 11, 1),
        () => m.assertAlmostEquals(10, 11.5, 1),
      ],
      [
        "assertGreater",
        () => m.assertGreater(2n, 1n),
        () => m.assertGreater(1, 1),
      ],
      [
        "assertGreaterOrEqual",
        () => m.assertGreaterOrEqual(1, 1),
        () => m.assertGreaterOrEqual(0, 1),
      ],
      ["assertLess", () => m.assertLess(1, 2), () => m.assertLess(2, 2)],
      [
        "assertLessOrEqual",
        () => m.assertLessOrEqual(2, 2),
        () => m.assertLessOrEqual(3, 2),
      ],
      [
        "assertObjectMatch",
        () => m.assertObjectMatch({ a: 1, b: { c: 1, d: 2 } }, { b: { c: 1 } }),
        () => m.assertObjectMatch({ a: 1, b: { c: 1, d: 2 } }, { b: { c: 2 } }),
      ],
      [
        "assertIsError",
        () => m.assertIsError(new TypeError("abc"), TypeError, "bc"),
        () => m.assertIsError(new TypeError("abc"), RangeError),
      ],
    ];
    for (const [what, good, bad] of cases) {
      expect(fails(module, good), false, `${what}, the good case`);
      expect(fails(module, bad), true, `${what}, the bad case`);
    }
  });

  Deno.test(`${name}: assertThrows() returns the error wanted`, () => {
    const wrong = new TypeError("bad shape");
    const throwing = (): never => {
      throw wrong;
    };
    expect(module.assertThrows(throwing), wrong, "any error");
    expect(module.assertThrows(throwing, TypeError), wrong, "its class");
    expect(module.assertThrows(throwing, Error, "shape"), wrong, "its words");
    const refused: (() => unknown)[] = [
      () => module.assertThrows(() => {}),
      () => module.assertThrows(throwing, RangeError),
      () => module.assertThrows(throwing, TypeError, "size"),
      () =>
        module.assertThrows(() => {
          // deno-lint-ignore no-throw-literal -- what is to be refused
          throw "not an error";
        }, Error),
    ];
    for (const call of refused) {
      expect(fails(module, call), true, call.toString());
    }
  });

  Deno.test(`${name}: assertRejects() resolves to the error wanted`, async () => {
    const wrong = new TypeError("bad shape");
    const rejecting = (): Promise<never> => Promise.reject(wrong);
    expect(await module.assertRejects(rejecting), wrong, "any error");
    expect(
      await module.assertRejects(rejecting, TypeError),
      wrong,
      "its class",
    );
    expect(
      await module.assertRejects(rejecting, Error, "shape"),
      wrong,
      "its words",
    );
    const refused: (() => Promise<unknown>)[] = [
      () => module.assertRejects(() => Promise.resolve()),
      () => module.assertRejects(rejecting, RangeError),
      () => module.assertRejects(rejecting, TypeError, "size"),
      () =>
        module.assertRejects(() => {
          throw wrong;
        }),
    ];
    for (const call of refused) {
      expect(await failsLater(module, call), true, call.toString());
    }
  });
}
