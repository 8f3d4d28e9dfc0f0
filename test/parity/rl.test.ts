// Compares advantages, losses and gradients with TRL's GRPOTrainer and RLOOTrainer. Where Anneal
// departs from them (docs/algorithms.md), the tests state and check the difference.

import { describe, expect, it } from 'vitest';
import { rlaifSchema } from '../../src/config/schema/rlaif.ts';
import { readModelConfig } from '../../src/engine/files/model-config.ts';
import { readParameters } from '../../src/engine/files/weights.ts';
import { LogprobScorer } from '../../src/engine/inference/logprob-scorer.ts';
import { parameterSpecs } from '../../src/engine/model/parameters.ts';
import type { ScoredRollout } from '../../src/records/rollouts.ts';
import { algorithms } from '../../src/rl/algorithms.ts';
import { buildBatch } from '../../src/rl/batch.ts';
import { k1Penalties } from '../../src/rl/policy/kl-penalty.ts';
import { engine, folder, gradientsOf, relativeError } from './fixture.ts';
import { expectRows } from './suite.ts';
import { tolerances } from './tolerances.ts';
import { annealObjective, type TrlLoss, trl } from './trl-fixture.ts';

const { rewards, prompts, completions, logprobs, old, reference } = trl.samples;
const group = 4;
const all = [...rewards.keys()];
const promptOf = (i: number) => `prompt ${Math.floor(i / group)}`;
const isTruncated = (i: number) => completions[i]!.at(-1) !== trl.end;
const tokensOf = (samples: readonly number[]) => samples.flatMap((i) => completions[i]!).length;
const flat = (rows: readonly number[][], samples: readonly number[]) =>
  samples.flatMap((i) => rows[i]!);
const times = (factor: number, xs: readonly number[]) => xs.map((x) => factor * x);

const lossOf = (wanted: Partial<TrlLoss>) =>
  trl.losses.find((loss) =>
    Object.entries({
      steps: 1,
      beta: undefined,
      mask_truncated_completions: undefined,
      ...wanted,
    }).every(([key, value]) => loss[key as keyof TrlLoss] === value),
  )!;
/** TRL's loss types under Anneal's names. */
const aggregations = {
  bnpo: { loss_aggregation: 'token_mean' },
  dapo: { loss_aggregation: 'token_mean' },
  grpo: { loss_aggregation: 'sequence_mean' },
  dr_grpo: { algorithm: 'dr_grpo' },
} as const;

/** Compares our objective over `samples` with TRL's values times `factor`. */
async function expectSame(theirs: TrlLoss, samples: readonly number[], factor = 1) {
  const found = await annealObjective({
    samples,
    advantages: samples.map((i) => theirs.advantages[i]!),
    rlaif: aggregations[theirs.loss_type],
  });
  expect(Math.abs(found.loss / (factor * theirs.loss) - 1)).toBeLessThan(tolerances.gradient);
  const wanted = times(factor, flat(theirs.gradient, samples));
  expect(relativeError(found.gradient, wanted)).toBeLessThan(tolerances.gradient);
  return found;
}

describe('advantages', () => {
  it.each([
    ['grpo', 'scaled'],
    ['dr_grpo', 'unscaled'],
    ['baseline', 'unscaled'],
    ['rloo', 'leave_one_out'],
  ] as const)("%s: the same as TRL's, %s", (algorithm, name) => {
    for (const theirs of trl.advantages) {
      const found = theirs.groups.flatMap((rewards) => algorithms[algorithm].advantages(rewards));
      expect(relativeError(found, theirs[name])).toBeLessThan(tolerances.advantages);
    }
  });
});

describe('the clipped ratio', () => {
  it.each(['bnpo', 'dapo', 'grpo', 'dr_grpo'] as const)('%s: loss and gradient', async (kind) => {
    await expectSame(lossOf({ loss_type: kind }), all);
  });

  it('clips as many tokens on each side', async () => {
    const theirs = lossOf({ loss_type: 'bnpo' });
    const { stats } = await expectSame(theirs, all);
    expect(theirs.metrics['clip_ratio/low_mean']).toBeGreaterThan(0);
    expect(stats.clip_low).toBeCloseTo(theirs.metrics['clip_ratio/low_mean'], 6);
    expect(theirs.metrics['clip_ratio/high_mean']).toBeGreaterThan(0);
    expect(stats.clip_high).toBeCloseTo(theirs.metrics['clip_ratio/high_mean'], 6);
  });

  it('departs from dapo with several steps: divides by its own tokens, not the mean of all steps', async () => {
    const theirs = lossOf({ loss_type: 'dapo', steps: 2 });
    const step = all.slice(0, all.length / 2);
    await expectSame(theirs, step, tokensOf(all) / 2 / tokensOf(step));
  });
});

describe('mask_truncated', () => {
  const kept = all.filter((i) => !isTruncated(i));
  const masked = (loss_type: TrlLoss['loss_type']) =>
    lossOf({ loss_type, mask_truncated_completions: true });

  it('bnpo: loss and gradient', async () => {
    await expectSame(masked('bnpo'), kept);
  });

  it.each(['grpo', 'dr_grpo'] as const)(
    '%s departs: dropped samples do not count in the mean over samples',
    async (kind) => {
      await expectSame(masked(kind), kept, all.length / kept.length);
    },
  );

  it('computes advantages over the whole group, and drops constant groups', async () => {
    const scored = all.map((i) => ({
      promptId: promptOf(i),
      sample: i,
      reward: rewards[i],
      finish: isTruncated(i) ? 'length' : 'stop',
    })) as ScoredRollout[];
    const rlaif = rlaifSchema.parse({ algorithm: 'grpo', mask_truncated: true });
    const { samples } = buildBatch(scored, rlaif);
    const theirs = masked('bnpo');
    const informative = kept.filter((i) => promptOf(i) !== 'prompt 1');
    expect(samples.map(({ sample }) => sample)).toEqual(informative);
    const wanted = informative.map((i) => theirs.advantages[i]!);
    const found = samples.map(({ advantage }) => advantage);
    expect(relativeError(found, wanted)).toBeLessThan(tolerances.advantages);
    // In TRL a constant group has no gradient; here its tokens do not count in the mean either.
    await expectSame(theirs, informative, tokensOf(kept) / tokensOf(informative));
  });
});

describe('KL', () => {
  const plain = lossOf({ loss_type: 'bnpo' });
  const withKl = lossOf({ loss_type: 'bnpo', beta: trl.rloo.beta });
  const theirKl = flat(withKl.gradient, all).map((x, i) => x - flat(plain.gradient, all)[i]!);

  it('reports the same k3 that TRL reports and adds to its loss', async () => {
    const { stats } = await expectSame(plain, all);
    expect(stats.k3).toBeCloseTo(withKl.metrics.kl!, 6);
    expect(plain.loss + withKl.beta! * stats.k3!).toBeCloseTo(withKl.loss, 6);
  });

  it("departs in the loss: k2, whose gradient is TRL's without the ratio", async () => {
    const run = (beta: number) =>
      annealObjective({ samples: all, advantages: plain.advantages, beta });
    const [without, having] = [await run(0), await run(withKl.beta!)];
    const ours = having.gradient.map((x, i) => x - without.gradient[i]!);
    const ratios = flat(logprobs, all).map((lp, i) => Math.exp(lp - flat(old, all)[i]!));
    const weighed = ours.map((x, i) => ratios[i]! * x);
    expect(relativeError(weighed, theirKl)).toBeLessThan(tolerances.gradient);
    expect(relativeError(ours, theirKl)).toBeGreaterThan(0.05);
  });
});

describe('RLOO', () => {
  const plain = all
    .filter((i) => i % group === 0)
    .flatMap((i) => algorithms.rloo.advantages(rewards.slice(i, i + group)));

  it('k1 in the reward departs: centred, not scaled by N / (N - 1)', () => {
    const rlaif = rlaifSchema.parse({ kl_placement: 'k1_reward', kl_penalty: trl.rloo.beta });
    const samples = all.map((i) => ({ promptId: promptOf(i), logprobs: old[i]! }));
    const penalties = k1Penalties(samples, reference, rlaif.kl_penalty);
    const found = plain.map((a, i) => a - (group / (group - 1)) * penalties[i]!);
    expect(relativeError(found, trl.rloo.advantages)).toBeLessThan(tolerances.advantages);
  });

  it("on-policy, the gradient is RLOO's up to the mean length of a completion", async () => {
    const { gradient } = await annealObjective({
      samples: all,
      advantages: trl.rloo.advantages,
      logprobs: old,
    });
    const found = times(tokensOf(all) / all.length, gradient);
    expect(relativeError(found, flat(trl.rloo.gradient, all))).toBeLessThan(tolerances.gradient);
  });
});

describe('the training graph', () => {
  const { model } = trl;
  const sequences = all.map((i) => ({
    prompt: prompts[i]!,
    completion: completions[i]!,
    weight: completions[i]!.map(() => 1 / tokensOf(all)),
    advantage: completions[i]!.map(() => model.advantages[i]!),
    reward: 0,
    oldLogprobs: model.old[i]!,
    // The reference is the policy itself, so there is no KL.
    referenceLogprobs: model.logprobs[i]!,
  }));

  it('log-probabilities at the temperature', async () => {
    const policy = await LogprobScorer.open(folder, engine);
    const found = await policy.logprobs(sequences, 4, model.temperature);
    await policy.close();
    expectRows(found, model.logprobs, tolerances.logprobs);
  });

  it("loss and every parameter's gradient through the model", async () => {
    const c = await readModelConfig(folder);
    const parameters = await readParameters(folder, c);
    const feeds = Object.fromEntries(
      parameterSpecs(c).map(({ name, shape }) => [name, { data: parameters.get(name)!, shape }]),
    );
    const options = { kind: 'clipped_ratio', recompute: false } as const;
    const { found, loss } = await gradientsOf(folder, sequences, 5, options, feeds);
    expect(Math.abs(loss / model.loss - 1)).toBeLessThan(tolerances.gradient);
    expect([...found.keys()].sort()).toEqual(Object.keys(model.norms).sort());
    for (const [name, gradient] of found) {
      const norm = Math.sqrt(gradient.reduce((sum, x) => sum + x * x, 0));
      expect(Math.abs(norm / model.norms[name]! - 1), name).toBeLessThan(tolerances.gradient);
      const vector = model.vectors[name];
      if (vector) expect(relativeError(gradient, vector), name).toBeLessThan(tolerances.gradient);
    }
  });
});
