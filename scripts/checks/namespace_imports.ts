import { libPath } from "./lib_path.ts";

/** Packages that have all they export as one value, too. */
const PACKAGES: readonly string[] = ["zod"];

/**
 * `import * as z from "zod"`, not `import { z }`: of a namespace the bundle of
 * an executable has what is used, of a value all of it, most of which is for
 * nothing and is read at every start.
 */
export const namespaceImports: Deno.lint.Rule = {
  create(context) {
    if (libPath(context.filename) === undefined) return {};
    return {
      ImportDeclaration(node) {
        const name = String(node.source.value);
        if (!PACKAGES.includes(name) || node.importKind === "type") return;
        for (const specifier of node.specifiers) {
          if (specifier.type === "ImportNamespaceSpecifier") continue;
          context.report({
            node,
            message:
              `Import ${name} as a namespace (import * as z from "${name}"): an executable then leaves out what is not used`,
          });
        }
      },
    };
  },
};
