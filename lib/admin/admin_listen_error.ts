/** The admin API can't listen; `cause` says why. */
export class AdminListenError extends Error {
  override readonly name = "AdminListenError";
  /** `host:port` it was to listen on. */
  readonly address: string;

  constructor(address: string, cause: unknown) {
    super(`the admin API can't listen on ${address}`, { cause });
    this.address = address;
  }
}
