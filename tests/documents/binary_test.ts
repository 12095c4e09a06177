import { CHECKOUT } from "./document_machine.ts";
import { documentTest } from "./document_suite.ts";

await documentTest("docs/binary.md", { folder: CHECKOUT, servers: {} });
