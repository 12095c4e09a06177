/** A file of a page, as it is served. */
export interface PageAsset {
  readonly mediaType: string;
  readonly text: string;
}

/** Asked again each time, answered without the text while it is the same. */
const CACHE_CONTROL = "no-cache";

/** Nothing runs, is shown or is asked that is not the page's own. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Serves files of pages: with a tag, so that a browser loads each once. */
export class AssetServer {
  /** Hashes of the texts, so that they are the same after a start. */
  readonly #tags = new WeakMap<PageAsset, Promise<string>>();

  /** The answer for a file: 304 to a browser that has it. */
  async serve(request: Request, asset: PageAsset): Promise<Response> {
    const etag = await this.#tagOf(asset);
    const headers = {
      etag,
      "cache-control": CACHE_CONTROL,
      "content-security-policy": POLICY,
      "content-type": `${asset.mediaType}; charset=utf-8`,
    };
    return isAmong(etag, request.headers.get("if-none-match"))
      ? new Response(null, { status: 304, headers })
      : new Response(asset.text, { headers });
  }

  #tagOf(asset: PageAsset): Promise<string> {
    const known = this.#tags.get(asset);
    if (known !== undefined) return known;
    const tag = tagOf(asset.text);
    this.#tags.set(asset, tag);
    return tag;
  }
}

/** Whether `If-None-Match` has it; what has compressed it has made it weak. */
function isAmong(etag: string, header: string | null): boolean {
  if (header === null) return false;
  return header.split(",").some((tag) =>
    tag.trim().replace(/^W\//, "") === etag
  );
}

async function tagOf(text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  const hash = await crypto.subtle.digest("SHA-256", bytes);
  return `"${
    new Uint8Array(hash).toBase64({ alphabet: "base64url" }).slice(0, 22)
  }"`;
}
