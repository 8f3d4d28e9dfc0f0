// Fake activities for tests of the workflows' decisions: instant, deterministic, with every call
// recorded. A test replaces those that should misbehave.

import type { Activities, SampleSummary, Split } from '../../src/activities/contract.ts';
import type { RewardModelActivities } from '../../src/activities/reward-model/contract.ts';
import { startMetrics, toEpochMetrics } from '../../src/analysis/metrics/epoch-metrics.ts';
import { summarizeSamples } from '../../src/analysis/metrics/sample-summary.ts';
import { resolveConfig } from '../../src/config/load.ts';
import { firstEpochOf } from '../../src/config/schedule.ts';
import type { ArtifactRef, CheckpointRef } from '../../src/records/refs.ts';
import type { ScoredRollout } from '../../src/records/rollouts.ts';

type All = Activities & RewardModelActivities;
type Call = { [K in keyof All]: { name: K; input: Parameters<All[K]>[0] } };

export interface FakeActivities extends Activities {
  /** Calls of all activities, in order. */
  calls: Call[keyof All][];
  /** The inputs of one activity, in order. */
  inputsOf<K extends keyof All>(name: K): Parameters<All[K]>[0][];
}

const artifact = (path: string): ArtifactRef => ({ path, sha256: `hash of ${path}`, bytes: 1 });
export const checkpoint = (path: string, epoch: number): CheckpointRef => ({
  path,
  sha256: `hash of ${path}`,
  epoch,
  step: 0,
});

const summary: SampleSummary = summarizeSamples(
  [0.25, 0.75].map(
    (reward, sample): ScoredRollout => ({
      promptId: 'a',
      sample,
      tokens: [sample],
      logprobs: [-1],
      text: `text ${sample}`,
      finish: 'stop',
      reward,
      rewards: {},
    }),
  ),
);

const stats = {
  steps: 2,
  totalSteps: 2,
  loss: 0.2,
  policy_loss: 0.1,
  kl: 0.01,
  kl_k1: 0.01,
  kl_coefficient: 0.05,
  entropy: 1,
  grad_norm: 0.5,
  learning_rate: 1e-4,
  clip_low: 0,
  clip_high: 0,
};

const counts = {
  scored: 2,
  missing: 0,
  constantGroups: 0,
  truncated: 0,
  belowThreshold: 0,
  notBest: 0,
  kept: 2,
};

/** A run file for the fakes: two phases of one and two epochs, with two shards each. */
export const runFile = {
  model: { path: 'nowhere' },
  prompts: { train: 'train.jsonl', held_out: 'held-out.jsonl' },
  rlaif: { prompts_per_epoch: 4, num_samples_per_prompt: 2 },
  evaluation: { prompts: 4, num_samples_per_prompt: 2 },
  engine: { shard_prompts: 2 },
  phases: [
    { name: 'exploration', epochs: [1, 1], rlaif: { kl_penalty: 0.05 } },
    { name: 'refinement', epochs: [2, 3], reset_reference: true },
  ],
};

/** The fakes, with those in `replaced` replaced or added. */
export function fakeActivities(replaced: Partial<All> = {}): FakeActivities {
  const calls: FakeActivities['calls'] = [];
  const shardPath = (kind: string, input: { epoch: number; split: Split; shard: number }) =>
    artifact(`${kind}-${input.epoch}-${input.split}-${input.shard}`);
  const wellBehaved: Activities = {
    async prepare({ file, run }) {
      const config = { ...resolveConfig(file), name: run };
      const policy = checkpoint('start', firstEpochOf(config) - 1);
      const prompts = { train: artifact('train'), 'held-out': artifact('held-out') };
      return { config, prompts, policy, reference: policy, history: [] };
    },
    async checkChange() {},
    generate: async (input) => shardPath('rollouts', input),
    score: async (input) => shardPath('scored', input),
    filter: async ({ epoch }) => ({ samples: artifact(`batch-${epoch}`), counts }),
    train: async ({ epoch }) => ({ policy: checkpoint(`epoch-${epoch}`, epoch), stats }),
    evaluate: async () => summary,
    async analyze({ epoch, phase, training, evaluation: heldOut, greedy = null }) {
      if (!training) return startMetrics(epoch, heldOut, greedy);
      return toEpochMetrics({ ...training, epoch, phase, train: summary, heldOut, greedy });
    },
    prune: async () => [],
  };
  const recorded = Object.entries({ ...wellBehaved, ...replaced }).map(([name, activity]) => [
    name,
    (input: never) => {
      calls.push({ name, input } as (typeof calls)[number]);
      return (activity as (input: never) => unknown)(input);
    },
  ]);
  return {
    ...(Object.fromEntries(recorded) as Activities),
    calls,
    inputsOf: (name) =>
      calls.filter((call) => call.name === name).map(({ input }) => input) as never[],
  };
}
