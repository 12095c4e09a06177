import { assertEquals, assertStringIncludes } from "@std/assert";
import { AdminListenError } from "../../../lib/admin/admin_listen_error.ts";
import { listenAdvice } from "../../../lib/config/listen_advice.ts";

Deno.test("listenAdvice() says what to do about errors of the system", () => {
  const failed = (code: string) => Object.assign(new Error(code), { code });
  assertStringIncludes(
    listenAdvice(failed("EACCES"), "server.listen"),
    "choose another server.listen, or give kingbus CAP_NET_BIND_SERVICE",
  );
  assertStringIncludes(
    listenAdvice(failed("EADDRNOTAVAIL"), "admin.listen"),
    "no address of this machine",
  );
  for (const other of [failed("EMFILE"), new Error("x"), undefined, "EACCES"]) {
    assertEquals(listenAdvice(other, "server.listen"), "");
  }
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  let fault: unknown;
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
  } catch (error) {
    fault = error;
  }
  assertStringIncludes(
    new AdminListenError(`127.0.0.1:${port}`, fault).message,
    "something else listens there: stop it, or choose another admin.listen",
  );
});
