// Reviews programs, language by language: whether they pass their tests, and what their texts are
// worth. The rubric combines the results.

import type { Prompt } from '../../records/prompts.ts';
import { type ParsedProgram, parseProgram } from '../programs/javascript.ts';
import { UnreadableProgram } from '../programs/parse.ts';
import { bareFormat, programOf } from '../programs/program-of.ts';
import { compileTypeScript, withoutTypes } from '../programs/typescript.ts';
import type { ScoreItem } from '../reward.ts';
import type { Language, SandboxLimits } from '../sandbox/protocol.ts';
import { type Sandbox, sharedSandbox } from '../sandbox/sandbox.ts';
import { judgeOutcome, toSandboxProgram, type Verdict } from '../sandbox/verdict.ts';
import { reviewPython } from './python.ts';
import { reviewText, type TextReview } from './text-review.ts';

/** A whole program and the prompt it answers. */
export type ReviewItem = Pick<ScoreItem, 'prompt' | 'program'>;

/** Review of a program that passed the gate, or why it did not. */
export type Review = { failed: string } | (TextReview & { verdict: Verdict });

/** Reviews programs for prompts of one language; they run within `limits`. */
type Reviewer = (
  items: readonly ReviewItem[],
  limits: SandboxLimits,
  signal: AbortSignal | undefined,
) => Promise<Review[]>;

/** Review programs, each in the language of its prompt; reviews in their order. */
export async function review(
  items: readonly ReviewItem[],
  limits: SandboxLimits,
  signal?: AbortSignal,
): Promise<Review[]> {
  const reviews = new Map<ReviewItem, Review>();
  const reviewIn = async (language: Language) => {
    const own = items.filter(({ prompt }) => prompt.language === language);
    if (own.length === 0) return;
    const found = await reviewers[language](own, limits, signal);
    for (const [index, item] of own.entries()) reviews.set(item, found[index]!);
  };
  await Promise.all((Object.keys(reviewers) as Language[]).map(reviewIn));
  return items.map((item) => reviews.get(item)!);
}

const reviewers: Record<Language, Reviewer> = {
  javascript: (items, limits, signal) => {
    const parsed = items.map(({ prompt, program }) => parseProgram(program, prompt.entry));
    return reviewScripts(items, parsed, limits, signal);
  },
  typescript: async (typed, limits, signal) => {
    const items = await withPlainTests(typed);
    const sources = items.map(({ program }) => program);
    const parsed = (await compileTypeScript(sources, signal)).map((compiled, index) => {
      if ('failed' in compiled) return compiled;
      const { script, ...types } = compiled;
      const program = parseProgram(script, items[index]!.prompt.entry);
      return 'failed' in program ? program : { ...program, types };
    });
    return reviewScripts(items, parsed, limits, signal);
  },
  python: async (items, limits, signal) => {
    const sandbox = sharedSandbox(limits, 'python');
    const programs = items.map(({ prompt, program }) => ({
      source: program,
      entry: prompt.entry,
    }));
    const texts = await reviewPython(programs, limits, signal);
    const sources = programs.map(({ source }, i) => ('failed' in texts[i]! ? null : source));
    return withVerdicts(texts, await runFit(items, sources, sandbox, signal));
  },
};

/** The reference solution of a prompt, as a program to review. */
export function referenceOf(prompt: Prompt): ReviewItem {
  return { prompt, program: programOf(prompt, prompt.reference, bareFormat) };
}

/** The items with TypeScript assertions in their tests converted to JavaScript. */
async function withPlainTests(items: readonly ReviewItem[]): Promise<ReviewItem[]> {
  const prompts = [...new Set(items.map(({ prompt }) => prompt))];
  const asserts = prompts.flatMap((prompt) =>
    prompt.tests.flatMap((test) => ('assert' in test ? [{ prompt, text: test.assert }] : [])),
  );
  const plain = await withoutTypes(
    asserts.map(({ prompt }) => prompt),
    asserts.map(({ text }) => text),
  );
  const plainPrompts = new Map(
    prompts.map((prompt) => {
      const tests = prompt.tests.map((test) =>
        'assert' in test ? { assert: plain.shift()! } : test,
      );
      return [prompt, { ...prompt, tests }];
    }),
  );
  return items.map((item) => ({ ...item, prompt: plainPrompts.get(item.prompt)! }));
}

/** Review JavaScript: texts are read here while the programs run in the sandbox. */
async function reviewScripts(
  items: readonly ReviewItem[],
  parsed: readonly (ParsedProgram | { failed: string })[],
  limits: SandboxLimits,
  signal: AbortSignal | undefined,
): Promise<Review[]> {
  const sources = parsed.map((program) => ('failed' in program ? null : program.source));
  const running = runFit(items, sources, sharedSandbox(limits, 'javascript'), signal);
  const texts = parsed.map((program) => ('failed' in program ? program : readText(program)));
  return withVerdicts(texts, await running);
}

function readText(program: ParsedProgram): TextReview | { failed: string } {
  try {
    return reviewText(program);
  } catch (error) {
    if (error instanceof UnreadableProgram) return { failed: `cannot be read: ${error.message}` };
    throw error;
  }
}

/** Test the programs that passed the gate; source and verdict of the others are null. */
async function runFit(
  items: readonly ReviewItem[],
  sources: readonly (string | null)[],
  sandbox: Sandbox,
  signal: AbortSignal | undefined,
): Promise<(Verdict | null)[]> {
  const fit = items.flatMap(({ prompt }, index) => {
    const source = sources[index]!;
    return source === null ? [] : [{ prompt, source }];
  });
  const programs = fit.map(({ prompt, source }) => toSandboxProgram(prompt, source));
  const outcomes = await sandbox.run(programs, { signal });
  const verdicts = fit.map(({ prompt }, index) =>
    judgeOutcome(prompt.tests, outcomes[index]!, prompt.language),
  );
  return sources.map((source) => (source === null ? null : verdicts.shift()!));
}

function withVerdicts(
  texts: readonly (TextReview | { failed: string })[],
  verdicts: readonly (Verdict | null)[],
): Review[] {
  return texts.map((text, index) =>
    'failed' in text ? text : { ...text, verdict: verdicts[index]! },
  );
}
