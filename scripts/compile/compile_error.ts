/** An executable can't be made: what is wrong, and what to do. */
export class CompileError extends Error {
  override readonly name = "CompileError";
}
