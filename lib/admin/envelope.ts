import { secured } from "./secured.ts";

/** What every answer of the admin API is: the original kingbus's envelope. */
export interface Envelope {
  /** `success`, or what went wrong. */
  readonly message: string;
  /** Left out of errors, but for answers that explain themselves. */
  readonly data?: unknown;
}

/** An answer with data. */
export function success(data: unknown): Response {
  return envelope(200, { message: "success", data });
}

/** An answer that says what went wrong. */
export function failure(
  status: number,
  message: string,
  headers: Record<string, string> = {},
): Response {
  return envelope(status, { message }, headers);
}

/** Any answer; its body is one line of JSON. */
export function envelope(
  status: number,
  body: Envelope,
  headers: Record<string, string> = {},
): Response {
  const response = new Response(`${JSON.stringify(body)}\n`, {
    status,
    headers: { "content-type": "application/json", ...headers },
  });
  return secured(response);
}
