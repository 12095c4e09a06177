// @ts-check
/// <reference lib="dom" />

/** Shows the description of the API, with forms to try its calls. */
const { SwaggerUIBundle } =
  /** @type {{ SwaggerUIBundle(options: object): unknown }} */ (
    /** @type {unknown} */ (globalThis)
  );

// The style sheet knows dark colours, and leaves it to the page when.
const dark = globalThis.matchMedia("(prefers-color-scheme: dark)");
const showMode = () => {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
};
dark.addEventListener("change", showMode);
showMode();

SwaggerUIBundle({
  url: new URL("openapi.json", document.baseURI).href,
  dom_id: "#api",
  deepLinking: true,
  // Nobody else is asked whether the document is valid.
  validatorUrl: null,
  // A token typed here is gone with the tab.
  persistAuthorization: false,
});
