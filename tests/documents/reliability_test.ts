import { CHECKOUT } from "./document_machine.ts";
import { documentTest } from "./document_suite.ts";

await documentTest("docs/reliability.md", { folder: CHECKOUT, servers: {} });
