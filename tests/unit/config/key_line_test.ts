import { assertEquals } from "@std/assert";
import { findKeyLine, type KeyPath } from "../../../lib/config/key_line.ts";

const TEXT = `# a comment: name: x
name: kingbus   # name

"data-dir": ./data
server:
  listen: 127.0.0.1:3390
  users:
    - name: a
      password: x

    - { name: b,
        password: y }
    -
      name: c
      password: |
        name: not this one
        password: nor this
  connections-max: 5
source: { address: "h:1", 'user': u,
  start: oldest
}
log:
  level: info
list:
- name: d
- - name: e
  - name: f
`;

Deno.test("findKeyLine() finds keys in block mappings and lists", () => {
  const cases: [KeyPath, number][] = [
    [["name"], 2],
    [["data-dir"], 4],
    [["server"], 5],
    [["server", "listen"], 6],
    [["server", "users"], 7],
    [["server", "users", 0], 8],
    [["server", "users", 0, "name"], 8],
    [["server", "users", 0, "password"], 9],
    [["server", "users", 1], 11],
    [["server", "users", 2, "name"], 14],
    [["server", "users", 2, "password"], 15],
    [["server", "connections-max"], 18],
    [["log", "level"], 23],
    [["list", 0, "name"], 25],
    [["list", 1, 0, "name"], 26],
    [["list", 1, 1, "name"], 27],
  ];
  for (const [path, line] of cases) {
    assertEquals(findKeyLine(TEXT, path), line, path.join("."));
  }
});

Deno.test("findKeyLine() finds keys in flow values", () => {
  const cases: [KeyPath, number][] = [
    [["server", "users", 1, "name"], 11],
    [["server", "users", 1, "password"], 12],
    [["source", "address"], 19],
    [["source", "user"], 19],
    [["source", "start"], 20],
  ];
  for (const [path, line] of cases) {
    assertEquals(findKeyLine(TEXT, path), line, path.join("."));
  }
});

Deno.test("findKeyLine() gives the section's line for a key that is not there", () => {
  assertEquals(findKeyLine(TEXT, ["server", "version"]), 5);
  assertEquals(findKeyLine(TEXT, ["server", "users", 0, "password-env"]), 8);
  assertEquals(findKeyLine(TEXT, ["source", "password"]), 19);
  assertEquals(findKeyLine(TEXT, ["log", "name"]), 22);
  assertEquals(findKeyLine(TEXT, ["store", "name"]), undefined);
  assertEquals(findKeyLine("", ["name"]), undefined);
});

Deno.test("findKeyLine() counts lines whatever ends them", () => {
  assertEquals(findKeyLine("a: 1\r\nb: 2\r\n", ["b"]), 2);
});
