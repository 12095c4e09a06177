/** A request that can't be served, with the HTTP status that says so. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly status: number;
  /** Headers of the answer that belong to the status. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    message: string,
    options: ErrorOptions & {
      readonly headers?: Readonly<Record<string, string>>;
    } = {},
  ) {
    super(message, options);
    this.status = status;
    this.headers = options.headers ?? {};
  }
}
