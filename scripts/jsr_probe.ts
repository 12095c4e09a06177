/**
 * Imports what deno.json takes from JSR, and does nothing: Deno can load this
 * module exactly when it can load those packages (see import_flags.ts).
 *
 * @module
 */

import "@std/assert";
import "@std/cli";
import "@std/cli/unstable-progress-bar";
import "@std/log";
import "@std/yaml";
