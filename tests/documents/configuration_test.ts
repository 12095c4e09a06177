import { documentTest } from "./document_suite.ts";

await documentTest("docs/configuration.md", { servers: {} });
