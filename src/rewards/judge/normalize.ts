// Normalises a program before a judge sees it, so that the judge sees what it does and not how it
// is written. Comments, names and layout bias every judge of code that was tested (arXiv
// 2505.16222), and a program could address its judge in strings and comments.

import type { Comment, Node, ObjectExpression, ObjectPattern, Program } from 'acorn';
import { full } from 'acorn-walk';
import * as acornPlugin from 'prettier/plugins/acorn';
import * as estreePlugin from 'prettier/plugins/estree';
import { format } from 'prettier/standalone';
import type { JudgeConfig } from '../../config/schema/rewards/judge.ts';
import type { Prompt } from '../../records/prompts.ts';
import { type LocalIdentifier, localNames } from '../programs/normal-form/javascript.ts';
import { parseWithin, type ReadingLimits, UnreadableProgram } from '../programs/parse.ts';
import { readPythonTexts } from '../programs/python.ts';
import { withoutTypes } from '../programs/typescript.ts';

export type Normalization = Pick<JudgeConfig, 'comments' | 'names' | 'max_string_length'>;

/** Tighter than a reviewer's: printing takes time that grows with the cube of the depth. */
const printingLimits: ReadingLimits = { characters: 32_768, levels: 200 };

/** A program within the limits that the printer failed at, which is not the program's fault. */
class UnprintableProgram extends Error {
  override readonly name = 'UnprintableProgram';
}

/** A program as the judge sees it, or the result of one that no judge is asked about. */
export type Shown = string | { value: 0 | null; note: string };

/** Replaces a range of a program's text. */
interface Edit {
  start: number;
  end: number;
  text: string;
}

/**
 * The program as the judge sees it; null if it is empty or does not parse. The prompt's entry keeps
 * its name. Types of TypeScript are removed, because they can contain prose too.
 * @throws UnreadableProgram; UnprintableProgram
 */
export async function normalizeProgram(
  source: string,
  { entry, language }: Pick<Prompt, 'entry' | 'language'>,
  how: Normalization,
): Promise<string | null> {
  if (language === 'python') {
    const { comments, names, max_string_length } = how;
    const args = [source, comments, names, max_string_length, entry];
    return (await readPythonTexts('printed', [args]))[0]!;
  }
  const script = (await withoutTypes([{ language }], [source]))[0]!;
  const edits = editsOf(script, entry, how);
  if (edits === null) return null;
  const text = await print(applyEdits(script, edits));
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.length > 0 ? lines.join('\n') : null;
}

/** As `normalizeProgram`, with the result of a program that cannot be shown. */
export async function showProgram(...program: Parameters<typeof normalizeProgram>): Promise<Shown> {
  try {
    return (await normalizeProgram(...program)) ?? { value: 0, note: 'not a program' };
  } catch (error) {
    if (error instanceof UnreadableProgram)
      return { value: 0, note: `cannot be shown to a judge: ${error.message}` };
    if (error instanceof UnprintableProgram)
      return { value: null, note: `no verdict: ${error.message}` };
    throw error;
  }
}

/** @throws UnprintableProgram */
async function print(script: string): Promise<string> {
  const options = { objectWrap: 'collapse', printWidth: 100 } as const;
  const plugins = [acornPlugin, estreePlugin];
  return format(script, { ...options, parser: 'acorn', plugins }).catch((error: Error) => {
    throw new UnprintableProgram(`cannot be printed: ${error.message.split('\n')[0]}`);
  });
}

function editsOf(source: string, entry: string, how: Normalization): Edit[] | null {
  const comments: Comment[] = [];
  try {
    const ast = parseWithin(source, { ranges: true, onComment: comments }, printingLimits);
    if (ast.body.length === 0) return null;
    return [
      ...(how.comments === 'strip' ? comments.map(remove) : []),
      ...(how.names === 'rename' ? renames(ast, entry) : []),
      ...cutStrings(ast, how.max_string_length),
    ];
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** Leaves a line break or a space, so that the tokens around a comment stay separate. */
function remove({ start, end, type, value }: Comment): Edit {
  return { start, end, text: type === 'Line' ? '' : value.includes('\n') ? '\n' : ' ' };
}

function renames(ast: Program, entry: string): Edit[] {
  const shorthands = new Set<number>();
  full(ast, (node) => {
    if (node.type !== 'ObjectExpression' && node.type !== 'ObjectPattern') return;
    for (const property of (node as ObjectExpression | ObjectPattern).properties)
      if (property.type === 'Property' && property.shorthand) shorthands.add(property.start);
  });
  const identifiers = [...localNames(ast)] as [LocalIdentifier, number][];
  return identifiers
    .filter(([{ name }]) => name !== entry)
    .map(
      ([
        {
          name,
          range: [start, end],
        },
        number,
      ]) => ({
        start,
        end,
        text: `${shorthands.has(start) ? `${name}: ` : ''}v${number}`,
      }),
    );
}

function cutStrings(ast: Node, limit: number): Edit[] {
  const edits: Edit[] = [];
  full(ast, (node) => {
    if (node.type === 'Literal') {
      const { value } = node as Node & { value: unknown };
      if (typeof value === 'string' && value.length > limit)
        edits.push({ start: node.start, end: node.end, text: cut(value, limit, JSON.stringify) });
    }
    if (node.type === 'TemplateElement') {
      const { raw } = (node as Node & { value: { raw: string } }).value;
      if (raw.length > limit)
        edits.push({ start: node.start, end: node.end, text: cut(raw, limit, escapeTemplate) });
    }
  });
  return edits;
}

const cut = (text: string, limit: number, quote: (text: string) => string) =>
  quote(`${text.slice(0, limit)}… (${text.length} characters)`);

const escapeTemplate = (text: string) => text.replace(/\\|`|\$/g, (found) => `\\${found}`);

function applyEdits(source: string, edits: readonly Edit[]): string {
  let text = source;
  for (const { start, end, text: by } of edits.toSorted((a, b) => b.start - a.start))
    text = text.slice(0, start) + by + text.slice(end);
  return text;
}
