import { assertEquals, assertThrows } from "@std/assert";
import {
  decodeAuthMoreData,
  decodeAuthSwitch,
  encodeAuthMoreData,
  encodeAuthSwitch,
} from "../../../lib/protocol/auth_packet.ts";
import { ProtocolError } from "../../../lib/protocol/protocol_error.ts";
import { byteTable } from "../../support/byte_table.ts";
import { SCRAMBLE } from "../../support/captured_login.ts";

const SWITCH = byteTable(`
  fe
  "mysql_native_password" 00
  0102030405060708090a0b0c0d0e0f1011121314 00
`);

Deno.test("decodeAuthSwitch() reads plugin and scramble", () => {
  assertEquals(decodeAuthSwitch(SWITCH), {
    plugin: "mysql_native_password",
    scramble: SCRAMBLE,
  });
});

Deno.test("decodeAuthSwitch() takes a scramble without its NUL", () => {
  assertEquals(decodeAuthSwitch(SWITCH.subarray(0, -1)).scramble, SCRAMBLE);
});

Deno.test("decodeAuthSwitch() reads the switch to the oldest method", () => {
  assertEquals(decodeAuthSwitch(byteTable("fe")).plugin, "mysql_old_password");
});

Deno.test("decodeAuthSwitch() refuses a name without its NUL", () => {
  for (let length = 2; length < 1 + "mysql_native_password".length; length++) {
    assertThrows(
      () => decodeAuthSwitch(SWITCH.subarray(0, length)),
      ProtocolError,
    );
  }
});

Deno.test("encodeAuthSwitch() writes what replicas follow", () => {
  const bytes = encodeAuthSwitch({
    plugin: "mysql_native_password",
    scramble: SCRAMBLE,
  });
  assertEquals(bytes, SWITCH);
});

Deno.test("encodeAuthMoreData() and decodeAuthMoreData() frame plugin data", () => {
  assertEquals(encodeAuthMoreData(byteTable("03")), byteTable("01 03"));
  assertEquals(decodeAuthMoreData(byteTable("01 03")), byteTable("03"));
  assertEquals(decodeAuthMoreData(byteTable("01")).length, 0);
});
