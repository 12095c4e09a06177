import { TestServerError } from "./test_server_error.ts";

/**
 * Registers a test that can't run here since something is missing: it is
 * skipped, and a line on standard error says so; where an environment variable
 * says that nothing may be missing, it fails instead.
 *
 * @param name of the test
 * @param reason what is missing, in words
 * @param variable name of the environment variable
 */
export function registerUnmetTest(
  name: string,
  reason: string,
  variable: string,
): void {
  if (Deno.env.get(variable)) {
    Deno.test(name, () => {
      throw new TestServerError(`${variable} is set, but ${reason}`);
    });
    return;
  }
  console.error(`SKIPPED ${JSON.stringify(name)}: ${reason}`);
  Deno.test({ name, ignore: true, fn: () => {} });
}
