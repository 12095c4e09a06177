import { assertEquals, assertInstanceOf } from "@std/assert";
import { ErrorCode } from "../../lib/protocol/error_code.ts";
import { ProtocolError } from "../../lib/protocol/protocol_error.ts";

/**
 * Decodes every proper prefix of a packet, each a view into the whole so that
 * reading past its end would find bytes, and checks that it is refused as
 * malformed. `complete` names the lengths at which a shorter packet is one.
 */
export function assertTruncationsRefused(
  decode: (bytes: Uint8Array) => unknown,
  bytes: Uint8Array,
  complete: readonly number[] = [],
): void {
  for (let length = 0; length < bytes.length; length++) {
    const cause = failureOf(() => decode(bytes.subarray(0, length)));
    if (complete.includes(length)) {
      assertEquals(cause, undefined, `${length} bytes`);
    } else {
      assertInstanceOf(cause, ProtocolError, `${length} bytes`);
      assertEquals(cause.code, ErrorCode.ER_MALFORMED_PACKET);
    }
  }
}

function failureOf(work: () => unknown): unknown {
  try {
    work();
    return undefined;
  } catch (cause) {
    return cause;
  }
}
