import { BaseHandler, type BaseHandlerOptions, type LevelName } from "@std/log";

/** Hands each formatted record to a function as one line. */
export class LineHandler extends BaseHandler {
  readonly #write: (line: string) => void;

  /** `write` gets the line with its line end. */
  constructor(
    levelName: LevelName,
    options: BaseHandlerOptions & { write: (line: string) => void },
  ) {
    super(levelName, options);
    this.#write = options.write;
  }

  override log(message: string): void {
    this.#write(`${message}\n`);
  }
}
