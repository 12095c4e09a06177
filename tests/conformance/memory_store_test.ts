import { MemoryTestDisk } from "../support/test_disk.ts";
import { storeConformance } from "./store_conformance.ts";

storeConformance("memory store", () => new MemoryTestDisk());
