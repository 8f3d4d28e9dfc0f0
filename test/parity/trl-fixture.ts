// The values that TRL's trainers computed (make_rl_fixtures.py), and Anneal's objective over the
// same samples.

import { readFileSync } from 'node:fs';
import { rlaifSchema } from '../../src/config/schema/rlaif.ts';
import { backward } from '../../src/engine/autodiff/backward.ts';
import { Builder } from '../../src/engine/graph/operators.ts';
import { serializeModel } from '../../src/engine/graph/serialize.ts';
import { Session } from '../../src/engine/runtime/session.ts';
import { tokenWeights } from '../../src/rl/algorithms.ts';
import { objective, objectiveStats } from '../../src/rl/policy/objective.ts';
import { engine, fixtureFolder } from './fixture.ts';

/** A loss of GRPOTrainer and its gradient by each completion token's log-probability. */
export interface TrlLoss {
  loss_type: 'bnpo' | 'dapo' | 'grpo' | 'dr_grpo';
  /** Optimiser steps of the generation batch; the loss is the first's. */
  steps: number;
  beta?: number;
  mask_truncated_completions?: true;
  loss: number;
  metrics: { kl?: number; 'clip_ratio/low_mean': number; 'clip_ratio/high_mean': number };
  advantages: number[];
  gradient: number[][];
}

interface Fixture {
  end: number;
  max_tokens: number;
  epsilon: number;
  epsilon_high: number;
  advantages: {
    groups: number[][];
    scaled: number[];
    unscaled: number[];
    leave_one_out: number[];
  }[];
  /** Groups of four; per completion token: under the policy, the one that sampled, a reference. */
  samples: {
    rewards: number[];
    prompts: number[][];
    completions: number[][];
    logprobs: number[][];
    old: number[][];
    reference: number[][];
  };
  losses: TrlLoss[];
  rloo: { beta: number; advantages: number[]; gradient: number[][] };
  model: {
    temperature: number;
    advantages: number[];
    loss: number;
    logprobs: number[][];
    old: number[][];
    norms: Record<string, number>;
    vectors: Record<string, number[]>;
  };
}

export const trl = JSON.parse(readFileSync(fixtureFolder('rl.json'), 'utf8')) as Fixture;

export interface ObjectiveCase {
  /** Indices of the fixture's samples, and the advantage of each. */
  samples: readonly number[];
  advantages: readonly number[];
  rlaif?: { algorithm?: 'dr_grpo'; loss_aggregation?: 'token_mean' | 'sequence_mean' };
  beta?: number;
  /** Log-probabilities under the policy; the fixture's unless given. */
  logprobs?: readonly number[][];
}

/** Anneal's loss over them, its gradient by each token's log-probability [M], and statistics. */
export async function annealObjective(x: ObjectiveCase) {
  const { completions, logprobs, old, reference } = trl.samples;
  const perToken = (rows: readonly number[][]) => x.samples.flatMap((i) => rows[i]!);
  const lengths = x.samples.map((i) => completions[i]!.length);
  const weights = tokenWeights(
    lengths,
    rlaifSchema.parse({ max_new_tokens: trl.max_tokens, ...x.rlaif }),
  );
  const spread = (values: readonly number[]) =>
    lengths.flatMap((length, i) => new Array<number>(length).fill(values[i]!));

  const g = new Builder();
  const row = (values: readonly number[]) => g.constant(Float32Array.from(values), [values.length]);
  const policy = perToken(x.logprobs ?? logprobs);
  // Two possible tokens, of which the first was drawn: [M, 2].
  const distributions = policy.flatMap((lp) => [lp, Math.log1p(-Math.exp(lp))]);
  const rows = g.input('distributions', [policy.length, 2]);
  const { loss, stats } = objective(g, 'clipped_ratio', rows, {
    targets: g.ints(policy.map(() => 0)),
    weight: row(spread(weights)),
    advantage: row(spread(x.advantages)),
    reward: row(policy.map(() => 0)),
    oldLogprobs: row(perToken(old)),
    referenceLogprobs: row(perToken(reference)),
    klCoefficient: g.scalar(x.beta ?? 0),
    ratioLow: g.scalar(1 - trl.epsilon),
    ratioHigh: g.scalar(1 + trl.epsilon_high),
  });
  const [gradient] = backward(g, loss, [rows]);
  const model = serializeModel(g, [
    g.output('loss', loss),
    g.output('stats', stats),
    g.output('gradient', gradient!),
  ]);
  const session = await Session.create(model, engine);
  const found = await session.run({
    distributions: { data: Float32Array.from(distributions), shape: [policy.length, 2] },
  });
  await session.release();
  const values = (name: string) => Array.from(found[name]!.data, Number);
  return {
    loss: values('loss')[0]!,
    gradient: values('gradient').filter((_, i) => i % 2 === 0),
    stats: Object.fromEntries(objectiveStats.map((name, i) => [name, values('stats')[i]!])),
  };
}
