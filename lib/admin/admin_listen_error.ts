import { listenAdvice } from "../config/listen_advice.ts";

/** The admin API can't listen; `cause`, or the message, says why. */
export class AdminListenError extends Error {
  override readonly name = "AdminListenError";
  /** `host:port` it was to listen on. */
  readonly address: string;

  constructor(
    address: string,
    cause: unknown,
    { reason }: { readonly reason?: string } = {},
  ) {
    const why = reason === undefined
      ? listenAdvice(cause, "admin.listen")
      : `: ${reason}`;
    super(`the admin API can't listen on ${address}${why}`, { cause });
    this.address = address;
  }
}
