// @ts-check

/** Shows the description of the API, with forms to try its calls. */
const { SwaggerUIBundle } =
  /** @type {{ SwaggerUIBundle(options: object): unknown }} */ (
    /** @type {unknown} */ (globalThis)
  );

SwaggerUIBundle({
  url: new URL("openapi.json", document.baseURI).href,
  dom_id: "#api",
  deepLinking: true,
  // Nobody else is asked whether the document is valid.
  validatorUrl: null,
  // A token typed here is gone with the tab.
  persistAuthorization: false,
});
