// The documentation: links, anchors and file names exist, and no paragraph or table cell is too long.

import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const pages = globSync(['*.md', 'docs/*.md', 'examples/*.md', 'models/*/README.md'], {
  cwd: root,
}).sort();
const textOf = (page: string) => readFileSync(join(root, page), 'utf8');
const withoutCode = (text: string) => text.replace(/^```.*?^```$/gms, '');

/** GitHub's anchors of a page's headings. */
function anchorsOf(page: string): string[] {
  const headings = [...withoutCode(textOf(page)).matchAll(/^#+ (.*)$/gm)];
  return headings.map(([, title]) =>
    title!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\-_ ]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Links to other pages and files that lead nowhere. */
function brokenLinks(page: string): string[] {
  const links = [...textOf(page).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(([, link]) => link!);
  return links.filter((link) => {
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? page : join(dirname(page), path);
    if (!existsSync(join(root, target))) return true;
    return anchor !== undefined && !anchorsOf(target).includes(anchor);
  });
}

/** Paths of this repository, such as `src/errors.ts`, that do not exist. */
function missingFiles(page: string): string[] {
  const path = /`((?:bench|bin|config|data|docs|examples|models|src|test|tools)\/[\w./-]+)`/g;
  const named = [...textOf(page).matchAll(path)].map(([, file]) => file!);
  return named.filter((file) => !existsSync(join(root, file)));
}

/** Paragraphs, list items and table cells of more than 500 characters, by their beginning. */
function longTexts(page: string): string[] {
  const lines = withoutCode(textOf(page)).split('\n');
  const texts = lines.flatMap((line) => (line.startsWith('|') ? line.split(/(?<!\\)\|/) : [line]));
  return texts.filter((text) => text.length > 500).map((text) => text.slice(0, 60));
}

describe.each(pages)('%s', (page) => {
  it('links to pages and headings that exist', () => expect(brokenLinks(page)).toEqual([]));
  it('names files that exist', () => expect(missingFiles(page)).toEqual([]));
  it('has no text of more than 500 characters', () => expect(longTexts(page)).toEqual([]));
});
