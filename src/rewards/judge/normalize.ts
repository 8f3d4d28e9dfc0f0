// Normalises a program before a judge sees it, so that the judge sees what it does and not how it
// is written. Comments, names and layout bias every judge of code that was tested (arXiv
// 2505.16222), and a program could address its judge in strings and comments.

import type { Comment } from 'acorn';
import * as acornPlugin from 'prettier/plugins/acorn';
import * as estreePlugin from 'prettier/plugins/estree';
import { format } from 'prettier/standalone';
import type { JudgeConfig } from '../../config/schema/rewards/judge.ts';
import { toExactJson } from '../../records/exact-json.ts';
import type { Prompt } from '../../records/prompts.ts';
import { parseWithin, type ReadingLimits, UnreadableProgram } from '../programs/parse.ts';
import { readPython } from '../programs/python.ts';
import { withoutTypes } from '../programs/typescript.ts';
import { editLiterals } from './literals.ts';
import { type Edit, type KeptNames, renamesOf, wordsOf } from './rename.ts';

export type Normalization = Pick<JudgeConfig, 'comments' | 'names' | 'max_string_length'>;

/** Tighter than a reviewer's: printing takes time that grows with the cube of the depth. */
const printingLimits: ReadingLimits = { characters: 32_768, levels: 200 };

/** A program within the limits that the printer failed at, which is not the program's fault. */
class UnprintableProgram extends Error {
  override readonly name = 'UnprintableProgram';
}

/** A program as the judge sees it, or the result of one that no judge is asked about. */
export type Shown = string | { value: 0 | null; note: string };

type Given = Omit<KeptNames, 'literals'>;

/**
 * The program as the judge sees it; null if it is empty or does not parse. The prompt's entry keeps
 * its name. Types of TypeScript are removed, because they can contain prose too.
 * @throws UnreadableProgram; UnprintableProgram
 */
export async function normalizeProgram(
  source: string,
  prompt: Pick<Prompt, 'entry' | 'language' | 'prompt' | 'tests'>,
  how: Normalization,
): Promise<string | null> {
  const { language } = prompt;
  const given = givenBy(prompt);
  if (language === 'python') {
    const { comments, names, max_string_length } = how;
    const args = [source, comments, names, max_string_length, given.entry, [...given.given]];
    const [outcome] = await readPython('printed', [args]);
    if ('failed' in outcome!) throw new UnreadableProgram(outcome.failed);
    return JSON.parse(outcome!.returned) as string | null;
  }
  const script = (await withoutTypes([{ language }], [source]))[0]!;
  const edits = editsOf(script, given, how);
  if (edits === null) return null;
  const text = await print(applyEdits(script, edits));
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.length > 0 ? lines.join('\n') : null;
}

function givenBy({ entry, prompt, tests }: Pick<Prompt, 'entry' | 'prompt' | 'tests'>): Given {
  return { entry, given: wordsOf([prompt, toExactJson(tests)]) };
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

function editsOf(source: string, given: Given, how: Normalization): Edit[] | null {
  const comments: Comment[] = [];
  try {
    const ast = parseWithin(source, { ranges: true, onComment: comments }, printingLimits);
    if (ast.body.length === 0) return null;
    const dropStatements = how.comments === 'strip';
    const literals = editLiterals(ast, { limit: how.max_string_length, dropStatements });
    return [
      ...(how.comments === 'strip' ? comments.map(remove) : []),
      ...literals.edits,
      ...(how.names === 'rename' ? renamesOf(ast, { ...given, literals: literals.words }) : []),
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

function applyEdits(source: string, edits: readonly Edit[]): string {
  let text = source;
  for (const { start, end, text: by } of edits.toSorted((a, b) => b.start - a.start))
    text = text.slice(0, start) + by + text.slice(end);
  return text;
}
