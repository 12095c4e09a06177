import * as z from "zod";
import type { AdminRoute } from "../admin_route.ts";
import { AssetServer } from "../asset_server.ts";
import { failure } from "../envelope.ts";

const PARAMS = z.strictObject({
  file: z.string().describe("Such as `status.css`."),
});

/**
 * The status page and what it loads. There are no data in it: those it asks the
 * other routes for. The files are loaded with the first request.
 */
export function pageRoutes(): AdminRoute[] {
  const assets = new AssetServer();
  return [
    {
      method: "GET",
      path: "/",
      subject: "page",
      summary: "The status page.",
      access: "open",
      answer: {
        mediaType: "text/html",
        about: "the status page",
        hasTag: true,
      },
      errors: [],
      handle: async ({ request }) => {
        const { PAGE_HTML } = await import("../page/page_assets.ts");
        return await assets.serve(request, PAGE_HTML);
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
        mediaType: "*/*",
        about: "the file: JavaScript, CSS or SVG",
        hasTag: true,
      },
      errors: [{ status: 404, when: "the page has no such file" }],
      handle: async ({ request, params: { file = "" } }) => {
        const { PAGE_ASSETS } = await import("../page/page_assets.ts");
        const asset = PAGE_ASSETS.get(file);
        if (asset === undefined) {
          return failure(404, `the page has no file ${file.slice(0, 200)}`);
        }
        return await assets.serve(request, asset);
      },
    },
  ];
}
