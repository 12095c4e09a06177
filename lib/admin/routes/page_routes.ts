import { z } from "zod";
import type { AdminRoute } from "../admin_route.ts";
import { failure } from "../envelope.ts";
import type { PageAsset } from "../page/page_assets.ts";

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

const PARAMS = z.strictObject({
  file: z.string().describe("Such as `status.css`."),
});

/**
 * The status page and what it loads. There are no data in it: those it asks the
 * other routes for. The files are loaded with the first request.
 */
export function pageRoutes(): AdminRoute[] {
  const tags = new EntityTags();
  return [
    {
      method: "GET",
      path: "/",
      subject: "page",
      summary: "The status page.",
      access: "open",
      answer: { mediaType: "text/html", about: "the status page" },
      errors: [],
      handle: async ({ request }) => {
        const { PAGE_HTML } = await import("../page/page_assets.ts");
        return await serve(request, PAGE_HTML, tags);
      },
    },
    {
      method: "GET",
      path: "/page/{file}",
      subject: "page",
      summary: "A file that the status page loads.",
      access: "open",
      params: PARAMS,
      answer: {
        mediaType: "text/javascript, text/css or image/svg+xml",
        about: "the file",
      },
      errors: [{ status: 404, when: "the page has no such file" }],
      handle: async ({ request, params: { file = "" } }) => {
        const { PAGE_ASSETS } = await import("../page/page_assets.ts");
        const asset = PAGE_ASSETS.get(file);
        if (asset === undefined) {
          return failure(404, `the page has no file ${file.slice(0, 200)}`);
        }
        return await serve(request, asset, tags);
      },
    },
  ];
}

async function serve(
  request: Request,
  asset: PageAsset,
  tags: EntityTags,
): Promise<Response> {
  const etag = await tags.of(asset);
  const headers = {
    etag,
    "cache-control": CACHE_CONTROL,
    "content-security-policy": POLICY,
    "content-type": `${asset.mediaType}; charset=utf-8`,
    "x-content-type-options": "nosniff",
  };
  return isAmong(etag, request.headers.get("if-none-match"))
    ? new Response(null, { status: 304, headers })
    : new Response(asset.text, { headers });
}

/** Whether `If-None-Match` has it; what has compressed it has made it weak. */
function isAmong(etag: string, header: string | null): boolean {
  if (header === null) return false;
  return header.split(",").some((tag) =>
    tag.trim().replace(/^W\//, "") === etag
  );
}

/** The entity tags of texts: hashes, so that they are the same after a start. */
class EntityTags {
  readonly #tags = new WeakMap<PageAsset, Promise<string>>();

  of(asset: PageAsset): Promise<string> {
    const known = this.#tags.get(asset);
    if (known !== undefined) return known;
    const tag = tagOf(asset.text);
    this.#tags.set(asset, tag);
    return tag;
  }
}

async function tagOf(text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  const hash = await crypto.subtle.digest("SHA-256", bytes);
  return `"${
    new Uint8Array(hash).toBase64({ alphabet: "base64url" }).slice(0, 22)
  }"`;
}
