import swaggerCss from "swagger-ui-dist/swagger-ui.css" with { type: "text" };
import swagger from "swagger-ui-dist/swagger-ui-bundle.js" with {
  type: "text",
};
import type { PageAsset } from "../asset_server.ts";
import script from "./api_page.js" with { type: "text" };
import html from "./api_page.html" with { type: "text" };

/** The page to try calls. */
export const API_PAGE: PageAsset = { mediaType: "text/html", text: html };

/** What it loads, by the name below `/api/`. */
export const API_ASSETS: ReadonlyMap<string, PageAsset> = new Map([
  ["api_page.js", { mediaType: "text/javascript", text: script }],
  ["swagger-ui.js", { mediaType: "text/javascript", text: swagger }],
  ["swagger-ui.css", { mediaType: "text/css", text: swaggerCss }],
]);
