/**
 * The rules of the project that `deno lint` checks beside its own.
 *
 * @module
 */

import { apiPlaces } from "./api_places.ts";
import { exportedDocs } from "./exported_docs.ts";
import { importDirection } from "./import_direction.ts";
import { namespaceImports } from "./namespace_imports.ts";
import { pureModules } from "./pure_modules.ts";

const plugin: Deno.lint.Plugin = {
  name: "kingbus",
  rules: {
    "api-places": apiPlaces,
    "exported-docs": exportedDocs,
    "import-direction": importDirection,
    "namespace-imports": namespaceImports,
    "pure-modules": pureModules,
  },
};

export default plugin;
