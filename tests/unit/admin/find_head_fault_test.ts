import { assertEquals } from "@std/assert";
import {
  findHeadFault,
  type RequestHead,
} from "../../../lib/admin/find_head_fault.ts";

/** The status that a head is refused with; undefined when it is let through. */
function statusOf(head: Partial<RequestHead>, ...headers: string[]) {
  const whole = {
    httpVersion: "1.1",
    url: "/status",
    rawHeaders: ["Host", "localhost", ...headers],
    ...head,
  };
  return findHeadFault(whole)?.status;
}

/** The same of a request for some host. */
function statusOfHost(host: string): number | undefined {
  return statusOf({ rawHeaders: ["host", host] });
}

Deno.test("a head as clients send it has no fault", () => {
  assertEquals(statusOf({}), undefined);
  assertEquals(statusOf({ httpVersion: "1.0", rawHeaders: [] }), undefined);
  assertEquals(statusOf({}, "Transfer-Encoding", "Chunked"), undefined);
  for (const url of ["/", "http://localhost", "HTTP://kb1:9595/status?a@b"]) {
    assertEquals(statusOf({ url }), undefined, url);
  }
  for (const host of ["kb1", "kb_1:9595", "kb1.", "[::1]:9595", "[fe80::1]"]) {
    assertEquals(statusOfHost(host), undefined, host);
  }
});

Deno.test("a head whose host or path is none is refused", () => {
  for (const host of ["", "a b", "kb1:x", "kb1:99999", "[::1", "u@kb1"]) {
    assertEquals(statusOfHost(host), 400, host);
  }
  assertEquals(statusOf({ rawHeaders: [] }), 400);
  assertEquals(statusOf({}, "HOST", "localhost"), 400);
  for (const url of ["", "*", "x", "file:///x", "http:///x", "http://u@h/x"]) {
    assertEquals(statusOf({ url }), 400, url);
  }
});

Deno.test("a head that leaves it unclear where the request ends is refused", () => {
  const chunked = ["Transfer-Encoding", "chunked"];
  assertEquals(statusOf({}, "Transfer-Encoding", "gzip, chunked"), 501);
  assertEquals(statusOf({}, ...chunked, ...chunked), 501);
  assertEquals(statusOf({ httpVersion: "1.0" }, ...chunked), 400);
  assertEquals(statusOf({ httpVersion: "2.0" }), 505);
});
