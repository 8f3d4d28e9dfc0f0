// Markdown building blocks of the pages: sections, tables, findings as lists.

import type { Finding } from '../diagnosis/findings.ts';

/** A level-two heading and its body; a section with an empty body is left out. */
export interface Section {
  title: string;
  body: string;
}

/** A page of sections. */
export function renderPage(title: string, sections: readonly Section[]): string {
  const blocks = sections
    .filter(({ body }) => body !== '')
    .map((section) => `## ${section.title}\n\n${section.body}`);
  return `${[`# ${title}`, ...blocks].join('\n\n')}\n`;
}

/** A table; bars in cells are escaped. */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** YAML in a fence. */
export function yamlBlock(yaml: string): string {
  return `\`\`\`yaml\n${yaml}\n\`\`\``;
}

/** Lines as a list. */
export function bulletList(lines: readonly string[]): string {
  return lines.map((line) => `- ${line}`).join('\n');
}

/** Why the bits may differ from the same run elsewhere; empty if nothing differs. */
export function conditionsSection({
  conditions = [],
}: {
  conditions?: readonly string[];
}): Section {
  const caution =
    'The same bits are promised only in the same environment (docs/determinism.md). What differed:';
  const body = conditions.length > 0 ? `${caution}\n\n${bulletList(conditions)}` : '';
  return { title: 'Environment', body };
}

/** Findings as a numbered list: title and first detail on one line, the rest below. */
export function numbered(findings: readonly Finding[]): string {
  return findings
    .map(({ title, details: [first, ...rest] }, i) =>
      [`${i + 1}. **${title}**: ${first}`, ...rest.map((line) => `   - ${line}`)].join('\n'),
    )
    .join('\n\n');
}

/** Findings as level-three headings with their details as a list. */
export function headed(findings: readonly Finding[]): string {
  return findings
    .map(({ title, details }, i) => `### ${i + 1}. **${title}**\n\n${bulletList(details)}`)
    .join('\n\n');
}

/** Critical findings, the first marked as the most critical. */
export function critical(findings: readonly Finding[]): string {
  return headed(findings).replace(/\*\*$/m, findings.length > 1 ? '** (Most Critical)' : '**');
}
