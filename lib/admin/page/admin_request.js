// @ts-check
/// <reference lib="dom" />

/** @import { AdminToken } from "./admin_token.js" */

/** How long kingbus may take for what a user asked for. */
const REQUEST_MS_MAX = 60_000;

/** kingbus refused a request, or could not be reached (status 0). */
export class AdminRequestError extends Error {
  /**
   * @param {number} status of HTTP; 0 when there was no answer
   * @param {string} message of the envelope
   */
  constructor(status, message) {
    super(message);
    this.name = "AdminRequestError";
    /** @readonly */
    this.status = status;
  }

  /**
   * Whether another token may help.
   *
   * @param {AdminToken} shown what was sent with it
   */
  wantsOther(shown) {
    return this.status === 401 || this.status === 403 && shown.given;
  }
}

/**
 * Asks the admin API for something.
 *
 * @template Data
 * @param {AdminToken} token
 * @param {string} method
 * @param {string} path relative to the page
 * @param {unknown} [body]
 * @returns {Promise<Data>} `data` of the envelope
 * @throws {AdminRequestError}
 */
export async function askAdmin(token, method, path, body) {
  /** @type {Response} */
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: token.headers(
        body === undefined ? {} : { "content-type": "application/json" },
      ),
      signal: AbortSignal.timeout(REQUEST_MS_MAX),
      cache: "no-store",
      redirect: "error",
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch {
    throw new AdminRequestError(
      0,
      "kingbus did not answer: look whether it runs, and try again",
    );
  }
  const envelope = await readEnvelope(response);
  if (response.ok) return /** @type {Data} */ (envelope.data);
  throw new AdminRequestError(
    response.status,
    envelope.message ?? `kingbus answered ${response.status}`,
  );
}

/**
 * The envelope of an answer; empty if it has none, as that of a proxy.
 *
 * @param {Response} response
 * @returns {Promise<{ message?: string, data?: unknown }>}
 */
export async function readEnvelope(response) {
  try {
    const envelope = await response.json();
    if (typeof envelope !== "object" || envelope === null) return {};
    const { message, data } = envelope;
    return { data, ...(typeof message === "string" ? { message } : {}) };
  } catch {
    return {};
  }
}
