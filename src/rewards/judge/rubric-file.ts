// Reads the rubric file that a judge names.

import { readFile } from 'node:fs/promises';
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import type { ResolveInput } from '../../config/paths.ts';
import { type JudgeRubric, judgeRubricSchema } from '../../config/schema/rewards/judge.ts';
import { AnnealError } from '../../errors.ts';

/** @throws AnnealError InvalidConfig for a rubric file that is missing or breaks its schema. */
export async function readRubric(file: string, resolve: ResolveInput): Promise<JudgeRubric> {
  const path = resolve(file, 'rewards.rubric');
  const refuse = (what: string) => new AnnealError('InvalidConfig', `${path}: ${what}`);
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw refuse(`expected a readable file, found: ${error.message}`);
  });
  const data = parseYaml(text, refuse);
  // Another file may hold secrets, also in its keys, and messages reach the server: quote neither.
  if (typeof data !== 'object' || data === null || !('criteria' in data))
    throw refuse('expected a rubric, a YAML mapping with criteria, found none');
  const result = judgeRubricSchema.safeParse(data);
  if (result.success) return result.data;
  throw refuse(z.prettifyError(result.error));
}

/** The parser's own messages quote the text. */
function parseYaml(text: string, refuse: (what: string) => AnnealError): unknown {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error) {
    const { line, col } = lines.linePos(error.pos[0]);
    const what = error.code.toLowerCase().replaceAll('_', ' ');
    throw refuse(
      `expected a rubric in YAML, but it is not YAML: ${what} (line ${line}, column ${col})`,
    );
  }
  try {
    return document.toJS();
  } catch {
    throw refuse('expected a rubric in YAML, found aliases that lead nowhere or repeat too much');
  }
}
