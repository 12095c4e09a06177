import { assertEquals } from "@std/assert";
import { listConfigKeys } from "../../../lib/config/config_key.ts";
import { fileExists } from "../../../lib/tls/file_exists.ts";
import { MarkdownDocument } from "../../documents/markdown_document.ts";

const ROOT = new URL("../../../", import.meta.url);

/** Folders whose text counts as what the program knows. */
const CODE = ["lib", "scripts", "tests", ".ci", "main.ts", "mod.ts"];

/** What looks like keys: attributes of OpenTelemetry, fields of answers. */
const OTHERS = new Set([
  "server.address",
  "server.port",
  "server.slaves",
  "store.files",
]);

/** What a run makes, so it need not be there. */
const MADE = /^(tests\.xml|dist)\b/;

Deno.test("every key of the configuration that the documents name is one", async () => {
  const known = new Set<string>();
  for (const { name } of listConfigKeys()) {
    const parts = name.split(".");
    for (let end = 1; end <= parts.length; end++) {
      const prefix = parts.slice(0, end).join(".");
      known.add(prefix).add(prefix.replace(/\[\]$/, ""));
    }
  }
  const sections = [...known].filter((name) => /^[a-z]+$/.test(name));
  const pattern = new RegExp(
    `^(${sections.join("|")})\\.[a-z][a-z0-9.[\\]-]*$`,
  );
  assertEquals(
    await namesThat((text) =>
      pattern.test(text) && !known.has(text) && !OTHERS.has(text)
    ),
    [],
  );
});

Deno.test("every environment variable of kingbus that the documents name is read somewhere", async () => {
  const code = (await Promise.all(CODE.map(readAll))).join("\n");
  assertEquals(
    await namesThat((text) =>
      (text.match(/\bKINGBUS_[A-Z0-9_]+/g) ?? []).some((name) =>
        !code.includes(name)
      )
    ),
    [],
  );
});

Deno.test("every file of the project that the documents name is there", async () => {
  const faults: string[] = [];
  for (const path of await MarkdownDocument.list()) {
    for (const { text, line } of (await MarkdownDocument.read(path)).codes) {
      if (!/^(docs|lib|scripts|tests|\.ci)\/[\w./-]+$/.test(text)) continue;
      if (MADE.test(text) || await fileExists(new URL(text, ROOT))) continue;
      faults.push(`${path}:${line}: ${text}`);
    }
  }
  assertEquals(faults, []);
});

async function namesThat(
  isFault: (text: string) => boolean,
): Promise<string[]> {
  const faults: string[] = [];
  for (const path of await MarkdownDocument.list()) {
    for (const { text, line } of (await MarkdownDocument.read(path)).codes) {
      if (isFault(text)) faults.push(`${path}:${line}: ${text}`);
    }
  }
  return faults;
}

async function readAll(path: string): Promise<string> {
  const url = new URL(path, ROOT);
  if ((await Deno.stat(url)).isFile) return await Deno.readTextFile(url);
  const texts: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(url)) {
    if (isDirectory || /\.(ts|sh|json|yaml|service)$|^run$/.test(name)) {
      texts.push(await readAll(`${path}/${name}`));
    }
  }
  return texts.join("\n");
}
