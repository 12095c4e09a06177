import * as z from "zod";
import type { AdminRoute } from "../admin_route.ts";
import { AssetServer, type PageAsset } from "../asset_server.ts";
import { failure } from "../envelope.ts";

const PARAMS = z.strictObject({
  file: z.string().describe("Such as `swagger-ui.css`."),
});

/**
 * The description of the API, and a page to try its calls. Nothing of it is
 * loaded or made before it is asked for.
 *
 * @param routes all others
 * @param version of kingbus
 */
export function apiRoutes(
  routes: readonly AdminRoute[],
  version: string,
): AdminRoute[] {
  const assets = new AssetServer();
  let description: Promise<PageAsset> | undefined;
  const own: AdminRoute[] = [
    {
      method: "GET",
      path: "/openapi.json",
      subject: "description",
      summary: "This API as an OpenAPI 3.1 document.",
      access: "open",
      answer: {
        mediaType: "application/json",
        about: "the document",
        hasTag: true,
      },
      errors: [],
      handle: async ({ request }) => {
        description ??= describe([...routes, ...own], version);
        return await assets.serve(request, await description);
      },
    },
    {
      method: "GET",
      path: "/api",
      subject: "description",
      summary: "A page to read it and to try calls.",
      access: "open",
      answer: { mediaType: "text/html", about: "the page", hasTag: true },
      errors: [],
      handle: async ({ request }) => {
        const { API_PAGE } = await import("../openapi/api_assets.ts");
        return await assets.serve(request, API_PAGE);
      },
    },
    {
      method: "GET",
      path: "/api/{file}",
      subject: "description",
      summary: "A file that page loads.",
      access: "open",
      params: PARAMS,
      answer: {
        mediaType: "*/*",
        about: "the file: JavaScript or CSS",
        hasTag: true,
      },
      errors: [{ status: 404, when: "that page has no such file" }],
      handle: async ({ request, params: { file = "" } }) => {
        const { API_ASSETS } = await import("../openapi/api_assets.ts");
        const asset = API_ASSETS.get(file);
        return asset === undefined
          ? failure(404, `that page has no file ${file.slice(0, 200)}`)
          : await assets.serve(request, asset);
      },
    },
  ];
  return own;
}

async function describe(
  routes: readonly AdminRoute[],
  version: string,
): Promise<PageAsset> {
  const { openApiDocument } = await import("../openapi/openapi_document.ts");
  const text = `${JSON.stringify(openApiDocument(routes, version))}\n`;
  return { mediaType: "application/json", text };
}
