import { RequestError } from "./request_error.ts";

/** Bytes a request's body may have: the longest ones hold a GTID set. */
export const BODY_BYTES_MAX = 256 * 1024;

/**
 * The body of a request as text; reads no more than it may have.
 *
 * @throws {RequestError} 413 when it has more, 400 when the client goes away.
 */
export async function readText(request: Request): Promise<string> {
  const declared = Number(request.headers.get("content-length") ?? 0);
  if (declared > BODY_BYTES_MAX) throw tooLarge();
  if (request.body === null) return "";
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  try {
    for await (const chunk of request.body) {
      bytes += chunk.length;
      if (bytes > BODY_BYTES_MAX) throw tooLarge();
      text += decoder.decode(chunk, { stream: true });
    }
  } catch (error) {
    if (error instanceof RequestError) throw error;
    const message = "the body broke off";
    throw new RequestError(400, message, { cause: error });
  }
  return text + decoder.decode();
}

function tooLarge(): RequestError {
  return new RequestError(413, "the body is too large");
}
