import { libPath } from "./lib_path.ts";

/** The only places in `lib/` that may use what reaches the world outside. */
const PLACES: ReadonlyMap<string, readonly string[]> = new Map([
  ["Deno.openKv", ["store/kv/"]],
  ["Deno.connect", ["connection/"]],
  ["Deno.connectTls", ["connection/"]],
  ["Deno.startTls", ["connection/"]],
  ["Deno.listen", ["server/", "cli/check_surroundings.ts"]],
  ["Deno.listenTls", ["server/"]],
  ["Deno.serve", ["admin/"]],
  ["Deno.env", ["config/", "cli/", "permission/"]],
  ["Deno.args", ["cli/"]],
  ["Deno.exit", ["cli/"]],
  ["Deno.addSignalListener", ["cli/"]],
  ["console.log", ["cli/"]],
  ["console.error", ["cli/"]],
  ["console.warn", ["cli/"]],
  ["console.info", ["cli/"]],
  ["console.debug", []],
]);

/** The network, the environment, the terminal and Deno KV have their places. */
export const apiPlaces: Deno.lint.Rule = {
  create(context) {
    const module = libPath(context.filename);
    if (module === undefined) return {};
    return {
      MemberExpression(node) {
        const name = context.sourceCode.getText(node);
        const places = PLACES.get(name);
        if (places === undefined) return;
        if (places.some((place) => module.path.startsWith(place))) return;
        const where = places.map((place) => `lib/${place}`).join(" and ");
        context.report({
          node,
          message: `${name} is used ${where ? `in ${where} only` : "nowhere"}`,
        });
      },
    };
  },
};
