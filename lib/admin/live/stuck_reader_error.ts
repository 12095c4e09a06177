/** Somebody asked for the stream and does not read it. */
export class StuckReaderError extends Error {
  override readonly name = "StuckReaderError";
  /** How long it took nothing. */
  readonly stuckMs: number;

  constructor(stuckMs: number) {
    super(
      `A reader of the status stream took nothing for ${stuckMs} ms, so it is cut off`,
    );
    this.stuckMs = stuckMs;
  }
}
