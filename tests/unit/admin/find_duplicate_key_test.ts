import { assertEquals } from "@std/assert";
import { findDuplicateKey } from "../../../lib/admin/find_duplicate_key.ts";

Deno.test("findDuplicateKey() finds a key that one object has twice", () => {
  const cases: [string, string | undefined][] = [
    ["{}", undefined],
    ['{"a":1,"b":2}', undefined],
    ['{"a":1,"a":2}', "a"],
    ['{ "a" : 1 , "b":{"a":1}, "a":2}', "a"],
    ['{"a":{"a":{"a":1}}}', undefined],
    ['{"a":[{"b":1},{"b":2}]}', undefined],
    ['{"a":[{"b":1,"b":2}]}', "b"],
    ['{"a":["b","b"],"c":"a"}', undefined],
    ['{"a":"a","b":"a"}', undefined],
    ['{"\\u0061":1,"a":2}', "a"],
    ['{"a\\"":1,"a":2}', undefined],
    ['{"{\\"a\\":":1,"a":"}","b":",\\"a\\":"}', undefined],
    ['{"":1,"":2}', ""],
    ['{"__proto__":1,"constructor":2}', undefined],
  ];
  for (const [json, key] of cases) {
    assertEquals(findDuplicateKey(json), key, json);
  }
});
