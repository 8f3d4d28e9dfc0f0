// The built-in reward: whether a program passes its tests, and what a careful reviewer sees in its
// text. A program that does not parse or does not define its entry gets 0 in every criterion.

import type { RewardOf } from '../../config/reward-traits.ts';
import { AnnealError } from '../../errors.ts';
import type { Prompt } from '../../records/prompts.ts';
import type { CriterionResult, Reward, RewardImplementation, ScoreOptions } from '../reward.ts';
import { type Review, referenceOf, review } from './review.ts';

type RubricConfig = RewardOf<'rubric'>;
export type Criterion = keyof RubricConfig['criteria'];
type Criteria = Record<Criterion, number>;

/** Programs reviewed together: texts are read while tests run. */
const batchSize = 64;
/** A program this much costlier than the reference still counts as equally fast. */
const costTolerance = 1.5;
/** Operations of calling a function; it evens out differences between tiny programs. */
const callCost = 5;
const nothing: Criteria = { correctness: 0, quality: 0, efficiency: 0, documentation: 0 };

/** Cost and value of a prompt's reference solution. */
interface ReferenceStanding {
  cost: number | null;
  value: number;
}
interface Judgement {
  criteria: Criteria;
  note?: string;
}

/** The rubric reward. @throws AnnealError InvalidConfig if all criteria have weight 0. */
export function createRubric(config: RubricConfig): Reward {
  const { name, weight, criteria, time_limit_ms: timeLimitMs } = config;
  if (Object.values(criteria).every((share) => share === 0))
    throw new AnnealError(
      'InvalidConfig',
      `rewards: '${name}' expected a criterion with a weight above 0, found all at 0; raise one`,
    );
  const limits = { timeLimitMs, memoryLimitMb: config.memory_limit_mb };
  const standings = new WeakMap<Prompt, ReferenceStanding>();

  /** Score the references of new prompts. */
  async function meet(prompts: readonly Prompt[], signal?: AbortSignal): Promise<void> {
    const unmet = [...new Set(prompts)].filter((prompt) => !standings.has(prompt));
    const reviews = await review(unmet.map(referenceOf), limits, signal);
    unmet.forEach((prompt, index) => {
      const found = reviews[index]!;
      const judgement = judge(found);
      if ('failed' in found || judgement.criteria.correctness < 1)
        throw brokenReference(prompt, judgement.note);
      standings.set(prompt, {
        cost: found.cost,
        value: weightedMean(judgement.criteria, criteria),
      });
    });
  }

  function toResult(prompt: Prompt, { criteria: found, note }: Judgement): CriterionResult {
    const raw = weightedMean(found, criteria);
    const reference = standings.get(prompt)?.value ?? 1;
    const value = config.normalize_by_reference ? Math.min(1, raw / reference) : raw;
    return { value, criteria: found, ...(note && { note }) };
  }

  return {
    name,
    weight,
    async score(items, { signal, onProgress }: ScoreOptions = {}) {
      const results: CriterionResult[] = [];
      while (results.length < items.length) {
        const batch = items.slice(results.length, results.length + batchSize);
        await meet(
          batch.map(({ prompt }) => prompt),
          signal,
        );
        const reviews = await review(batch, limits, signal);
        const judgements = batch.map(({ prompt }, i) => judge(reviews[i]!, standings.get(prompt)));
        results.push(...batch.map(({ prompt }, i) => toResult(prompt, judgements[i]!)));
        onProgress?.({ done: results.length, total: items.length, unit: 'programs' });
      }
      return results;
    },
  };
}

export const rubricKind: RewardImplementation<RubricConfig> = { create: createRubric };

/**
 * The criteria of a program. efficiency = passed · min(1, √(tolerance · reference cost / cost)),
 * where passed is the share of tests passed: a wrong program has no speed.
 */
function judge(found: Review, reference?: ReferenceStanding): Judgement {
  if ('failed' in found) return { criteria: nothing, note: found.failed };
  const { quality, documentation, cost, objections, verdict } = found;
  const efficiency = cost === null ? 0 : verdict.passed * speed(cost, reference?.cost ?? cost);
  const remarks = [verdict.failure, objections.join(', ')].filter(Boolean);
  return {
    criteria: { correctness: verdict.passed, quality, efficiency, documentation },
    ...(remarks.length > 0 && { note: remarks.join('; ') }),
  };
}

function speed(cost: number, reference: number): number {
  const ratio = (costTolerance * (reference + callCost)) / (cost + callCost);
  return Math.min(1, Math.sqrt(ratio));
}

function weightedMean(values: Criteria, weights: Criteria): number {
  const names = Object.keys(weights) as Criterion[];
  const total = names.reduce((sum, name) => sum + weights[name], 0);
  return names.reduce((sum, name) => sum + weights[name] * values[name], 0) / total;
}

function brokenReference({ id }: Prompt, note: string | undefined): AnnealError {
  return new AnnealError(
    'InvalidData',
    `prompt '${id}': expected its reference solution to pass all of its tests, found: ${note}; correct the prompt file`,
  );
}
