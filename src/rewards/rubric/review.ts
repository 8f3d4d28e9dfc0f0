// What is found out about programs, language by language: whether they pass their tests, and what
// their texts are worth. What it comes to is the rubric's business.

import { z } from 'zod';
import { programOf } from '../prompts.ts';
import type { ScoreItem } from '../reward.ts';
import type { Language } from '../sandbox/protocol.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { judgeOutcome, toSandboxProgram, type Verdict } from '../sandbox/verdict.ts';
import { costOf } from './cost.ts';
import { judgeDocumentation } from './documentation.ts';
import { judgeQuality } from './quality.ts';
import { type ParsedProgram, parseProgram } from './syntax.ts';

/** What can be said of a program without running it. */
interface TextReview {
  quality: number;
  documentation: number;
  /** Operations of one call, by the text. */
  cost: number;
  objections: string[];
}

/** Of a program that passed the gate, or why it did not. */
export type Review = { failed: string } | (TextReview & { verdict: Verdict });

type Reviewer = (
  items: readonly ScoreItem[],
  sandbox: Sandbox,
  signal: AbortSignal | undefined,
) => Promise<Review[]>;

export const reviewers: Record<Language, Reviewer> = {
  javascript: async (items, sandbox, signal) => {
    const parsed = items.map(({ prompt, completion }) =>
      parseProgram(programOf(prompt, completion), prompt.entry),
    );
    const running = runFit(items, parsed, sandbox, signal);
    const texts = parsed.map((program) => ('failed' in program ? program : reviewText(program)));
    return withVerdicts(texts, await running);
  },
  python: async (items, sandbox, signal) => {
    const readings = items.map(({ prompt, completion }) => ({
      source: 'from _anneal import analyse',
      entry: 'analyse',
      calls: [JSON.stringify([programOf(prompt, completion), prompt.entry])],
    }));
    const read = await sandbox.run(readings, { signal });
    const texts = read.map(([reading]) =>
      !reading || 'failed' in reading
        ? { failed: `cannot be read: ${reading?.failed}` }
        : readingSchema.parse(JSON.parse(reading.returned)),
    );
    return withVerdicts(texts, await runFit(items, texts, sandbox, signal));
  },
};

/** What `analyse` of analysis.ts returns. */
const readingSchema = z.union([
  z.strictObject({ failed: z.string() }),
  z.strictObject({
    quality: z.number(),
    documentation: z.number(),
    cost: z.number(),
    objections: z.array(z.string()),
  }),
]);

/** The verdicts on those programs that passed the gate. */
async function runFit(
  items: readonly ScoreItem[],
  gate: readonly object[],
  sandbox: Sandbox,
  signal: AbortSignal | undefined,
): Promise<Verdict[]> {
  const fit = items.filter((_, index) => !('failed' in gate[index]!));
  const programs = fit.map(({ prompt, completion }) =>
    toSandboxProgram(prompt, programOf(prompt, completion)),
  );
  const outcomes = await sandbox.run(programs, { signal });
  return fit.map(({ prompt }, index) => judgeOutcome(prompt.tests, outcomes[index]!));
}

function withVerdicts(
  texts: readonly (TextReview | { failed: string })[],
  verdicts: readonly Verdict[],
): Review[] {
  const left = [...verdicts];
  return texts.map((text) => ('failed' in text ? text : { ...text, verdict: left.shift()! }));
}

function reviewText(program: ParsedProgram): TextReview {
  const { value: quality, objections } = judgeQuality(program);
  return {
    quality,
    objections,
    documentation: judgeDocumentation(program),
    cost: costOf(program),
  };
}
