import GithubSlugger from "github-slugger";
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { gfm } from "micromark-extension-gfm";

const ROOT = new URL("../../", import.meta.url);

/** A fenced block of a document. */
export interface Block {
  /** What stands behind the fence; empty if nothing does. */
  readonly language: string;
  readonly text: string;
  /** Line of the document at which the block's text begins. */
  readonly line: number;
  /** The heading it stands under; empty before the first one. */
  readonly heading: string;
}

/** A piece of a document's text, and its line. */
export interface Piece {
  readonly text: string;
  readonly line: number;
}

/** What is looked at of a node of the syntax tree. */
interface Node {
  readonly type: string;
  readonly value?: string;
  readonly lang?: string | null | undefined;
  readonly url?: string;
  readonly children?: readonly Node[];
  readonly position?: { readonly start: { readonly line: number } } | undefined;
}

/** One of the project's documents, taken apart. */
export class MarkdownDocument {
  /** Its path in the project: `docs/sql.md`. */
  readonly path: string;
  readonly blocks: readonly Block[];
  /** `code` in paragraphs, lists and tables. */
  readonly codes: readonly Piece[];
  /** Where its links lead to. */
  readonly links: readonly Piece[];
  /** What a link into it may name behind a `#`. */
  readonly anchors: ReadonlySet<string>;

  /**
   * @param path Its path in the project, for errors.
   * @param text All of it.
   */
  constructor(path: string, text: string) {
    const blocks: Block[] = [];
    const codes: Piece[] = [];
    const links: Piece[] = [];
    const slugger = new GithubSlugger();
    const anchors = new Set<string>();
    let heading = "";
    const visit = (node: Node): void => {
      const line = node.position?.start.line ?? 0;
      const value = node.value ?? "";
      if (node.type === "heading") {
        heading = textOf(node);
        anchors.add(slugger.slug(heading));
      } else if (node.type === "code") {
        const language = node.lang ?? "";
        blocks.push({ language, text: value, line: line + 1, heading });
      } else if (node.type === "inlineCode") {
        codes.push({ text: value, line });
      } else if (node.type === "link" || node.type === "image") {
        links.push({ text: node.url ?? "", line });
      } else if (node.type === "html") {
        for (const [, id = ""] of value.matchAll(/\b(?:id|name)="([^"]+)"/g)) {
          anchors.add(id);
        }
      }
      for (const child of node.children ?? []) visit(child);
    };
    visit(fromMarkdown(text, {
      extensions: [gfm()],
      mdastExtensions: [gfmFromMarkdown()],
    }));
    this.path = path;
    this.blocks = blocks;
    this.codes = codes;
    this.links = links;
    this.anchors = anchors;
  }

  /** Reads one by its path in the project. */
  static async read(path: string): Promise<MarkdownDocument> {
    return new MarkdownDocument(
      path,
      await Deno.readTextFile(new URL(path, ROOT)),
    );
  }

  /** Paths of all documents that users read. */
  static async list(): Promise<string[]> {
    const paths = ["README.md", "ARCHITECTURE.md"];
    for await (const { name } of Deno.readDir(new URL("docs/", ROOT))) {
      if (name.endsWith(".md")) paths.push(`docs/${name}`);
    }
    return paths.sort();
  }
}

function textOf(node: Node): string {
  return node.value ?? (node.children ?? []).map(textOf).join("");
}
