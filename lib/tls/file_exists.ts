/**
 * Whether there is anything of that name; a link counts that leads nowhere.
 *
 * @throws what `Deno.lstat` does when that can't be told
 */
export async function fileExists(path: string | URL): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
