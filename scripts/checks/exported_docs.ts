import { libPath } from "./lib_path.ts";

/** Whether a JSDoc comment stands before a node, comments between them apart. */
function hasDoc(code: Deno.lint.SourceCode, node: Deno.lint.Node): boolean {
  const docs = code.getCommentsBefore(node).filter((comment) =>
    comment.type === "Block" && comment.value.startsWith("*")
  );
  const last = docs.at(-1);
  if (last === undefined) return false;
  const between = code.text.slice(last.range[1], node.range[0]);
  return between.replace(/\/\/.*/g, "").trim() === "";
}

/** The name a declaration exports, for messages. */
function exportedName(declaration: Deno.lint.Node): string {
  if (declaration.type === "VariableDeclaration") {
    const [first] = declaration.declarations;
    return first?.id.type === "Identifier" ? first.id.name : "a pattern";
  }
  const { id } = declaration as { id?: Deno.lint.Node | null };
  return id?.type === "Identifier" ? id.name : "it";
}

/** Every symbol that a module of `lib/` exports says what it is for. */
export const exportedDocs: Deno.lint.Rule = {
  create(context) {
    if (libPath(context.filename) === undefined) return {};
    // the implementation of an overloaded function is documented by its overloads
    const documented = new Set<string>();
    return {
      ExportNamedDeclaration(node) {
        const { declaration } = node;
        if (!declaration) return;
        const name = exportedName(declaration);
        if (hasDoc(context.sourceCode, node)) documented.add(name);
        if (documented.has(name)) return;
        context.report({
          node,
          message: `"${name}" is exported without a JSDoc comment`,
        });
      },
      ExportDefaultDeclaration(node) {
        if (hasDoc(context.sourceCode, node)) return;
        context.report({
          node,
          message: "The default export has no JSDoc comment",
        });
      },
    };
  },
};
