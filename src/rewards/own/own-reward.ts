// A reward of one's own: batches of distinct completions go to a function, a service or a program.
// What it answers is kept, so that a retry gives the same scores, and a missing score is null.

import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { mapConcurrently } from '../../collections/map-concurrently.ts';
import type { RewardOf } from '../../config/reward-traits.ts';
import { AnnealError } from '../../errors.ts';
import type { Prompt } from '../../records/prompts.ts';
import { readVerdicts, writeVerdicts } from '../judge/kept-verdicts.ts';
import type { CriterionResult, Reward, ScoreItem, SharedFiles } from '../reward.ts';

/** A completion to score, with the prompt that it answers. */
export type RewardItem = Pick<
  Prompt,
  'id' | 'prompt' | 'language' | 'entry' | 'reference' | 'tests'
> & {
  /** The text as it was sampled. */
  completion: string;
  /** The whole program in it: without prose and fence, after the prompt that it continues. */
  program: string;
};

/** A score in [0, 1], null if it is missing; or with criteria in [0, 1] and a note. */
export type RewardScore =
  | number
  | null
  | { score: number | null; criteria?: Record<string, number>; note?: string };

/** The default export of a reward module: one score for each item, in their order. */
export type RewardFunction = (
  items: readonly RewardItem[],
) => readonly RewardScore[] | Promise<readonly RewardScore[]>;

export type OwnConfig = RewardOf<'function' | 'http' | 'command'>;

/** Scores one batch; what it resolves to is checked. */
export type AskBatch = (items: readonly RewardItem[], signal: AbortSignal) => Promise<unknown>;

const share = z.number().min(0).max(1);
const scoreSchema = z.union([
  share.nullable(),
  z.strictObject({
    score: share.nullable(),
    criteria: z.record(z.string(), share).default({}),
    note: z.string().optional(),
  }),
]);
type Answer = z.output<typeof scoreSchema>;

const firstBackoffMs = 250;
const longestBackoffMs = 30_000;
const noteLength = 300;

/** @param identity what decides the scores besides the items: an address, a module's hash */
export function createOwnReward(
  config: OwnConfig,
  identity: unknown,
  shared: SharedFiles,
  ask: AskBatch,
): Reward {
  const { name, weight, kind, version, batch_size, concurrency, max_missing } = config;

  async function answersTo(items: readonly RewardItem[], signal?: AbortSignal) {
    const key = hashOf([kind, identity, version, items]);
    const kept = z.array(scoreSchema).safeParse(await readVerdicts(shared, key, items.length));
    if (kept.success) return { answers: kept.data, key };
    const answers = await askUntilAnswered(config, items, ask, signal);
    await writeVerdicts(shared, key, answers);
    return { answers, key };
  }

  return {
    name,
    weight,
    async score(items, { signal, onProgress } = {}) {
      const distinct = new Map(items.map((item) => [identityOf(item), toRewardItem(item)]));
      const batches = chunksOf([...distinct], batch_size);
      const found = new Map<string, CriterionResult>();
      await mapConcurrently(batches, concurrency, async (batch) => {
        const { answers, key } = await answersTo(
          batch.map(([, item]) => item),
          signal,
        );
        for (const [i, [id]] of batch.entries()) found.set(id, toResult(answers[i]!, key));
        onProgress?.({ done: found.size, total: distinct.size, unit: 'scores' });
      });
      const results = items.map((item) => found.get(identityOf(item))!);
      const missing = results.filter(({ value }) => value === null);
      if (missing.length > max_missing * items.length)
        throw new AnnealError(
          'JudgeStopped',
          `rewards: '${name}' gave no score for ${missing.length} of ${items.length} samples, more than max_missing (${max_missing}) allows; the last: ${missing.at(-1)!.note ?? 'without a note'}. Missing scores are kept: to ask for them again, start another run with a new version.`,
        );
      return results;
    },
  };
}

function toRewardItem({ prompt, completion, program }: ScoreItem): RewardItem {
  const { id, prompt: text, language, entry, reference, tests } = prompt;
  return { id, prompt: text, language, entry, reference, tests, completion, program };
}

const identityOf = ({ prompt, completion }: ScoreItem) => JSON.stringify([prompt.id, completion]);

function chunksOf<T>(list: readonly T[], size: number): T[][] {
  const count = Math.ceil(list.length / size);
  return Array.from({ length: count }, (_, i) => list.slice(i * size, (i + 1) * size));
}

function toResult(answer: Answer, kept: string): CriterionResult {
  if (answer === null || typeof answer === 'number') return { value: answer, criteria: {}, kept };
  const { score, criteria, note } = answer;
  return { value: score, criteria, ...(note && { note: note.slice(0, noteLength) }), kept };
}

/** @throws AnnealError JudgeStopped after the last attempt, and at once for a wrong answer */
async function askUntilAnswered(
  { name, attempts, time_limit_s }: OwnConfig,
  items: readonly RewardItem[],
  ask: AskBatch,
  signal: AbortSignal | undefined,
): Promise<Answer[]> {
  for (let attempt = 1; ; attempt++) {
    const limit = AbortSignal.timeout(time_limit_s * 1000);
    const either = signal ? AbortSignal.any([signal, limit]) : limit;
    try {
      const answered = await Promise.race([ask(items, either), rejectedBy(either)]);
      return checked(name, answered, items.length);
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (error instanceof AnnealError) throw error;
      const why = limit.aborted ? `no answer within ${time_limit_s} s` : String(error);
      if (attempt === attempts)
        throw new AnnealError(
          'JudgeStopped',
          `rewards: '${name}' failed ${attempts} times: ${why.slice(0, noteLength)}. Mend it, then resume the run.`,
        );
      await sleep(Math.min(longestBackoffMs, firstBackoffMs * 2 ** attempt), undefined, { signal });
    }
  }
}

function rejectedBy(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = () => reject(signal.reason);
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}

function checked(name: string, answered: unknown, count: number): Answer[] {
  const refuse = (found: string) =>
    new AnnealError(
      'JudgeStopped',
      `rewards: '${name}': expected ${count} scores in a list, each a number from 0 to 1, null, or {score, criteria, note}; found ${found}. Correct it, then resume the run.`,
    );
  if (!Array.isArray(answered)) throw refuse('no list');
  if (answered.length !== count) throw refuse(`${answered.length} of them`);
  return answered.map((answer, index) => {
    const parsed = scoreSchema.safeParse(answer);
    if (parsed.success) return parsed.data;
    throw refuse(`${JSON.stringify(answer)?.slice(0, 80)} at place ${index + 1}`);
  });
}

function hashOf(content: unknown): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}
