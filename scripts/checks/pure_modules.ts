import { libPath } from "./lib_path.ts";

const PURE_AREAS = ["binlog", "gtid", "protocol"];

/** Globals that reach out of the program, whatever is done with them. */
const IMPURE_GLOBALS = [
  "Deno",
  "console",
  "crypto",
  "fetch",
  "performance",
  "process",
  "queueMicrotask",
  "setInterval",
  "setTimeout",
];

/** Members of otherwise pure globals and modules that are not. */
const IMPURE_MEMBERS = ["Date.now", "Math.random"];

const RANDOM_FUNCTIONS = [
  "generateKeyPairSync",
  "getRandomValues",
  "randomBytes",
  "randomFillSync",
  "randomInt",
  "randomUUID",
];

/**
 * The pure folders of `lib/` compute: no Deno, no waiting, no clock, no
 * randomness. What they need of those is passed to them.
 */
export const pureModules: Deno.lint.Rule = {
  create(context) {
    const area = libPath(context.filename)?.area ?? "";
    if (!PURE_AREAS.includes(area)) return {};
    const report = (node: Deno.lint.Node, what: string): void =>
      context.report({
        node,
        message: `lib/${area} is pure and may not use ${what}`,
      });
    const checkAsync = (
      node:
        | Deno.lint.FunctionDeclaration
        | Deno.lint.FunctionExpression
        | Deno.lint.ArrowFunctionExpression,
    ): void => {
      if (node.async) report(node, "async functions");
    };
    return {
      AwaitExpression: (node) => report(node, "await"),
      ForOfStatement(node) {
        if (node.await) report(node, "for await");
      },
      FunctionDeclaration: checkAsync,
      FunctionExpression: checkAsync,
      ArrowFunctionExpression: checkAsync,
      MemberExpression(node) {
        const text = context.sourceCode.getText(node);
        const { object } = node;
        if (object.type !== "Identifier") return;
        if (
          IMPURE_MEMBERS.includes(text) || IMPURE_GLOBALS.includes(object.name)
        ) {
          report(node, text);
        }
      },
      CallExpression({ callee }) {
        if (callee.type !== "Identifier") return;
        if (IMPURE_GLOBALS.includes(callee.name)) report(callee, callee.name);
      },
      NewExpression(node) {
        const { callee } = node;
        const now = callee.type === "Identifier" && callee.name === "Date" &&
          node.arguments.length === 0;
        if (now) report(node, "new Date()");
      },
      TSQualifiedName(node) {
        const text = context.sourceCode.getText(node);
        if (text.startsWith("Deno.")) report(node, text);
      },
      ImportSpecifier({ imported }) {
        const name = imported.type === "Identifier" ? imported.name : "";
        if (RANDOM_FUNCTIONS.includes(name)) report(imported, name);
      },
    };
  },
};
