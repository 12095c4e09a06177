import type { AdminRoute, RouteError } from "../admin_route.ts";

/** What any request may end in, whatever it asks for. */
export const ERRORS_OF_ALL: readonly RouteError[] = [
  {
    status: 400,
    when:
      "it is no HTTP, its `Host` names no host, or its path is not encoded as it should",
  },
  { status: 404, when: "there is no such path" },
  {
    status: 405,
    when: "the path does not take that method; `Allow` has those",
  },
  { status: 408, when: "it took too long to come" },
  {
    status: 421,
    when: "its `Host` is no name of this kingbus; see `admin.hosts`",
  },
  { status: 431, when: "its path and headers have more than 16 KiB" },
  { status: 500, when: "a fault in kingbus itself; its log has more" },
  {
    status: 501,
    when: "its `Transfer-Encoding` is another one than `chunked`",
  },
  { status: 503, when: "kingbus stops, or has too many connections" },
  { status: 505, when: "it is of another version than HTTP/1.0 and HTTP/1.1" },
];

/** Those of routes that show something. */
export const READ_ERRORS: readonly RouteError[] = [
  { status: 401, when: "a token is needed and is missing or wrong" },
  { status: 429, when: "too many wrong tokens came from that address" },
];

/** Those of routes that change something. */
export const ADMIN_ERRORS: readonly RouteError[] = [
  { status: 401, when: "the admin token is needed and is missing or wrong" },
  {
    status: 403,
    when:
      "the token is the read token, a page of another site asks, or a browser asks and there is no admin token",
  },
  { status: 429, when: "too many wrong tokens came from that address" },
];

/** Those of routes with a body. */
export const BODY_ERRORS: readonly RouteError[] = [
  { status: 400, when: "the body is no JSON object, or a key is wrong in it" },
  { status: 408, when: "the body did not come within 10 s" },
  { status: 413, when: "the body has more than 256 KiB" },
  { status: 415, when: "the body is called something else than JSON" },
];

/** Those of routes with parts in the path, or a query. */
export const INPUT_ERRORS: readonly RouteError[] = [
  { status: 400, when: "a part of the path or the query is wrong" },
];

/** Every way in which a request of a route can fail, by status. */
export function errorsOf(route: AdminRoute): RouteError[] {
  const hasInput = route.params !== undefined || route.query !== undefined;
  const access = { open: [], read: READ_ERRORS, admin: ADMIN_ERRORS };
  // Whoever gets an answer of the route has found its path and method.
  const common = ERRORS_OF_ALL.filter(({ status }) =>
    status !== 404 && status !== 405
  );
  return [
    ...route.errors,
    ...access[route.access],
    ...route.body === undefined ? [] : BODY_ERRORS,
    ...hasInput ? INPUT_ERRORS : [],
    ...common,
  ].toSorted((a, b) => a.status - b.status);
}
