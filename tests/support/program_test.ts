/** Whether a program of that name is on the PATH. */
async function isInstalled(program: string): Promise<boolean> {
  const { success } = await new Deno.Command("sh", {
    args: ["-c", 'command -v "$0" >/dev/null', program],
  }).output();
  return success;
}

/**
 * Registers a test that needs programs of the machine. Where one is missing, or
 * something else that is needed, the test is skipped, and a line on standard
 * error says so.
 *
 * @param needs Programs that have to be on the PATH.
 * @param obstacle Says what else keeps it from running; undefined for nothing.
 */
export async function programTest(
  name: string,
  needs: readonly string[],
  body: () => Promise<void>,
  obstacle: () => string | undefined = () => undefined,
): Promise<void> {
  const missing: string[] = [];
  if (Deno.build.os !== "linux") missing.push("this is not Linux");
  for (const program of needs) {
    if (!await isInstalled(program)) missing.push(`no ${program} on the PATH`);
  }
  const other = missing.length === 0 ? obstacle() : undefined;
  if (other !== undefined) missing.push(other);
  if (missing.length === 0) {
    Deno.test(name, body);
    return;
  }
  console.error(`SKIPPED ${JSON.stringify(name)}: ${missing.join("; ")}`);
  Deno.test({ name, ignore: true, fn: () => {} });
}
