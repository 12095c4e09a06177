import { assertEquals, assertThrows } from "@std/assert";
import {
  formatAddress,
  isLoopback,
  parseAddress,
} from "../../../lib/config/address.ts";

Deno.test("parseAddress() takes names, IPv4 and bracketed IPv6 addresses", () => {
  const cases: [string, string, number][] = [
    ["db1:3306", "db1", 3306],
    ["db-1.example.com:1", "db-1.example.com", 1],
    ["my_db:65535", "my_db", 65535],
    ["10.0.0.1:0", "10.0.0.1", 0],
    ["[::1]:3306", "::1", 3306],
    ["[2001:db8::8a2e:370:7334]:9595", "2001:db8::8a2e:370:7334", 9595],
    ["[fe80::1%eth0]:3306", "fe80::1%eth0", 3306],
  ];
  for (const [text, hostname, port] of cases) {
    const address = parseAddress(text);
    assertEquals(address, { hostname, port });
    assertEquals(formatAddress(address), text);
  }
});

Deno.test("parseAddress() throws SyntaxError on anything else", () => {
  const cases = [
    "",
    "db1",
    "db1:",
    "db1:x",
    "db1:65536",
    "db1:3306:3306",
    "db1:-1",
    "db1: 3306",
    " db1:3306",
    "-db:1",
    "a..b:1",
    "1.2.3:1",
    "1.2.3.4.5:1",
    "999.1.1.1:1",
    "[::1]",
    "[::g]:1",
    "[1.2.3.4]:1",
    "[]:1",
    "user@db:1",
    "http://db:1",
    `${"a".repeat(64)}:1`,
    `${"a.".repeat(200)}a:1`,
  ];
  for (const text of cases) {
    assertThrows(() => parseAddress(text), SyntaxError, undefined, text);
  }
});

Deno.test("parseAddress() says what to write where a host or brackets lack", () => {
  assertThrows(() => parseAddress(":3306"), SyntaxError, "0.0.0.0:3306");
  assertThrows(() => parseAddress("::1:3306"), SyntaxError, "brackets");
  assertThrows(() => parseAddress("::1"), SyntaxError, "brackets");
});

Deno.test("isLoopback() knows names and addresses", () => {
  for (const host of ["localhost", "127.0.0.1", "127.9.9.9", "::1"]) {
    assertEquals(isLoopback(host), true, host);
  }
  for (const host of ["127.example.com", "0.0.0.0", "::", "10.0.0.1"]) {
    assertEquals(isLoopback(host), false, host);
  }
});
