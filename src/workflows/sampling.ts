// Sampling and scoring as a pipeline: every shard is scored as soon as it is generated, while
// others are still waiting for a device.

import { CancellationScope } from '@temporalio/workflow';
import type { GenerateInput, SampleSummary, Split } from '../activities/contract.ts';
import type { ArtifactRef, CheckpointRef } from '../config/records.ts';
import type { RunConfig } from '../config/schema.ts';
import { shardCount } from '../rl/schedule.ts';
import { evaluate, generate, score } from './activities.ts';

/** How the prompts of a split are sampled. */
export type Sampling = Pick<
  GenerateInput,
  'take' | 'samplesPerPrompt' | 'draw' | 'maxNewTokens' | 'stopStrings'
>;

/** What is sampled: by which policy, from which prompts, as part of which run and epoch. */
export interface Source {
  run: string;
  epoch: number;
  config: RunConfig;
  policy: CheckpointRef;
  prompts: Record<Split, ArtifactRef>;
}

/** How far a split's shards are. */
export interface ShardProgress {
  split: Split;
  shards: number;
  generated: number;
  scored: number;
}

/**
 * Generate and score every shard of a split.
 * @returns the scored shards in their order. A shard that fails for good cancels the others.
 */
export async function sampleAndScore(
  source: Source,
  split: Split,
  sampling: Sampling,
  onProgress: (progress: ShardProgress) => void = () => {},
): Promise<ArtifactRef[]> {
  const shards = shardCount(sampling.take, source.config.engine.shard_prompts);
  const progress = { split, shards, generated: 0, scored: 0 };
  const count = (stage: 'generated' | 'scored') => {
    progress[stage]++;
    onProgress(progress);
  };
  const scope = new CancellationScope();
  try {
    return await scope.run(() =>
      Promise.all(Array.from({ length: shards }, (_, shard) => runShard(shard))),
    );
  } catch (error) {
    scope.cancel();
    throw error;
  }

  async function runShard(shard: number): Promise<ArtifactRef> {
    const { run, epoch, config, policy, prompts } = source;
    const { seed, engine, rewards } = config;
    const promptFormat = config.model.prompt_format;
    const input = { run, epoch, split, shard, prompts: prompts[split] };
    const summary = `${split}, shard ${shard + 1} of ${shards}`;
    const rollouts = await generate.executeWithOptions({ summary }, [
      { ...input, ...sampling, policy, promptFormat, seed, engine },
    ]);
    count('generated');
    const scored = await score.executeWithOptions({ summary }, [{ ...input, rollouts, rewards }]);
    count('scored');
    return scored;
  }
}

/** Measure a policy on the held-out prompts, at the evaluation's own fixed temperature. */
export async function evaluatePolicy(
  source: Source,
  onProgress?: (progress: ShardProgress) => void,
): Promise<SampleSummary> {
  const { evaluation, rlaif } = source.config;
  const sampling: Sampling = {
    take: evaluation.prompts,
    samplesPerPrompt: evaluation.num_samples_per_prompt,
    draw: { temperature: evaluation.temperature, topK: null, topP: 1, minP: 0 },
    maxNewTokens: rlaif.max_new_tokens,
    stopStrings: rlaif.stop_strings,
  };
  const scored = await sampleAndScore(source, 'held-out', sampling, onProgress);
  return evaluate({ run: source.run, epoch: source.epoch, scored });
}
