// Refuses tokenizers whose rules could make a text many times longer, since a few replacements of a
// character by four of them fill any memory, and decoders that search by a pattern, which this
// process would have to wait for. No model that is known has either.

import { z } from 'zod';
import { AnnealError } from '../../errors.ts';

/** The most by which a tokenizer's rules may multiply a text. Those of real models keep its length. */
const mostGrowth = 256;
/** The most characters that a rule may put before a text, or write for a token. */
const mostChars = 256;

const ruleSchema = z.looseObject({
  type: z.string(),
  content: z.string().optional(),
  prepend: z.string().optional(),
  pattern: z
    .looseObject({ String: z.string().optional(), Regex: z.string().optional() })
    .optional(),
});

/** @throws AnnealError InvalidModel naming the file and the part */
export function checkRules(path: string, json: Readonly<Record<string, unknown>>): void {
  for (const part of ['normalizer', 'pre_tokenizer', 'decoder']) {
    const rules = rulesIn(json[part]);
    if (part === 'decoder' && rules.some(({ pattern }) => pattern?.Regex !== undefined))
      throw new AnnealError(
        'InvalidModel',
        `${path}: expected a decoder that replaces texts, found one with a Regex. Take the file from the model's own folder.`,
      );
    const growth = rules.reduce((product, rule) => product * growthOf(rule), 1);
    if (growth <= mostGrowth && rules.every(({ prepend = '' }) => prepend.length <= mostChars))
      continue;
    throw new AnnealError(
      'InvalidModel',
      `${path}: expected a ${part} that makes a text at most ${mostGrowth} times as long, found one whose Replace and Prepend rules make it longer. Take the file from the model's own folder.`,
    );
  }
}

/** A part's rules, with those in sequences, in any depth. */
function rulesIn(part: unknown): z.output<typeof ruleSchema>[] {
  const found: z.output<typeof ruleSchema>[] = [];
  const open = [part];
  while (open.length > 0) {
    const next = open.pop();
    const rule = ruleSchema.safeParse(next);
    if (!rule.success) continue;
    found.push(rule.data);
    for (const value of Object.values(rule.data)) if (Array.isArray(value)) open.push(...value);
  }
  return found;
}

/** By how much a rule multiplies a text's length, at most. */
function growthOf({ type, content = '', pattern }: z.output<typeof ruleSchema>): number {
  if (type !== 'Replace') return 1;
  if (pattern?.String) return Math.max(1, content.length / pattern.String.length);
  return Math.max(1, content.length) + (matchesNothing(pattern?.Regex ?? '') ? 1 : 0);
}

/** Whether a pattern may match between two characters, so that they stay beside what it writes. */
function matchesNothing(pattern: string): boolean {
  try {
    return new RegExp(pattern, 'u').test('');
  } catch {
    return true;
  }
}
