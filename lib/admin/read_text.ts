import { RequestError } from "./request_error.ts";

/** Bytes a request's body may have: the longest ones hold a GTID set. */
export const BODY_BYTES_MAX = 256 * 1024;
/** How long it may take to come. */
const BODY_TIMEOUT_MS = 10_000;

/**
 * What a body may be called. JSON is what it has to be: `curl -d` calls it a
 * form, and is not asked to do better. A page's form can't reach what takes a
 * body, since only scripts can send such requests.
 */
const MEDIA_TYPES = [
  "application/json",
  "application/x-www-form-urlencoded",
  "text/plain",
];

/**
 * The body of a request as text; reads no more than it may have, and no longer
 * than it may take.
 *
 * @throws {RequestError} 413 when it has more, 408 when it takes longer, 415
 * when it is called something else than JSON, 400 when the client goes away or
 * what came is no UTF-8.
 */
export async function readText(
  request: Request,
  timeoutMs = BODY_TIMEOUT_MS,
): Promise<string> {
  const declared = Number(request.headers.get("content-length") ?? 0);
  if (declared > BODY_BYTES_MAX) throw tooLarge();
  if (request.body === null) return "";
  checkMediaType(request.headers);
  const reader = request.body.getReader();
  const timer = setTimeout(() => {
    reader.cancel(new RequestError(408, "")).catch(() => {});
    late.reject(
      new RequestError(
        408,
        `the body did not come within ${timeoutMs / 1000} s`,
      ),
    );
  }, timeoutMs);
  const late = Promise.withResolvers<never>();
  // Nobody may be waiting any more.
  late.promise.catch(() => {});
  try {
    return await Promise.race([readAll(reader), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

async function readAll(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  let bytes = 0;
  for (;;) {
    const value = await readChunk(reader);
    bytes += value?.length ?? 0;
    if (bytes > BODY_BYTES_MAX) {
      reader.cancel().catch(() => {});
      throw tooLarge();
    }
    text += decode(decoder, value);
    if (value === undefined) return text;
  }
}

async function readChunk(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<Uint8Array | undefined> {
  try {
    return (await reader.read()).value;
  } catch (cause) {
    throw new RequestError(400, "the body broke off", { cause });
  }
}

/** Decodes a chunk, or what is left after the last one. */
function decode(decoder: TextDecoder, chunk: Uint8Array | undefined): string {
  try {
    return chunk === undefined
      ? decoder.decode()
      : decoder.decode(chunk, { stream: true });
  } catch (cause) {
    throw new RequestError(400, "the body is no valid UTF-8", { cause });
  }
}

function checkMediaType(headers: Headers): void {
  const encoding = headers.get("content-encoding") ?? "identity";
  const [type = "", ...parameters] = (headers.get("content-type") ?? "")
    .toLowerCase().split(";").map((part) => part.trim());
  const charset = parameters.find((part) => part.startsWith("charset="));
  const isTaken = type === "" || MEDIA_TYPES.includes(type);
  const isUtf8 = charset === undefined ||
    /^charset="?(utf-8|us-ascii)"?$/.test(charset);
  if (isTaken && isUtf8 && encoding.toLowerCase() === "identity") return;
  throw new RequestError(
    415,
    "the body must be application/json, in UTF-8 and not compressed",
  );
}

function tooLarge(): RequestError {
  return new RequestError(413, "the body is too large");
}
