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
    const texts = await readPython(items, sandbox, signal);
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

/** Texts that are read in one state of the interpreter; each reading leaves it as it was. */
const readTogether = 16;

async function readPython(
  items: readonly ScoreItem[],
  sandbox: Sandbox,
  signal: AbortSignal | undefined,
): Promise<z.output<typeof readingSchema>[]> {
  const read = async (calls: string[], together: number) => {
    const readings = Array.from({ length: Math.ceil(calls.length / together) }, (_, index) => ({
      source: 'from _anneal import analyse',
      entry: 'analyse',
      calls: calls.slice(index * together, (index + 1) * together),
    }));
    return (await sandbox.run(readings, { signal })).flat();
  };
  const calls = items.map(({ prompt, completion }) =>
    JSON.stringify([programOf(prompt, completion), prompt.entry]),
  );
  const outcomes = await read(calls, readTogether);
  // A text that breaks the reading breaks that of those after it: each of them is read alone.
  const unread = calls.filter((_, index) => 'failed' in outcomes[index]!);
  const alone = unread.length > 0 ? await read(unread, 1) : [];
  return outcomes.map((together) => {
    const outcome = 'failed' in together ? alone.shift()! : together;
    if ('failed' in outcome) return { failed: `cannot be read: ${outcome.failed}` };
    return readingSchema.parse(JSON.parse(outcome.returned));
  });
}

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
