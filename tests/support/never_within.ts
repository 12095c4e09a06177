/**
 * Looks again and again for a while whether something happens that must not.
 *
 * @param what What must not happen, for the error.
 * @throws {TypeError} As soon as it has happened.
 */
export async function neverWithin(
  durationMs: number,
  what: string,
  happened: () => boolean | Promise<boolean>,
): Promise<void> {
  const endMs = performance.now() + durationMs;
  while (performance.now() < endMs) {
    if (await happened()) throw new TypeError(`It happened that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
