/**
 * Version of kingbus: what `kingbus version`, the status answers and the
 * `version_comment` towards replicas say. A test holds it equal to deno.json's.
 */
export const VERSION = "0.1.0";
