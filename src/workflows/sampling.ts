// Sampling and scoring as a pipeline: each shard is scored as soon as it is generated, while others
// still wait for a device.

import { CancellationScope, patched } from '@temporalio/workflow';
import type { GenerateInput, PromptSplit, SampleSummary, Split } from '../activities/contract.ts';
import { shardCount } from '../config/schedule.ts';
import type { RunConfig } from '../config/schema/run.ts';
import type { ArtifactRef, CheckpointRef } from '../records/refs.ts';
import { evaluate, generate, score } from './activities.ts';
import type { JudgeGate } from './judge-gate.ts';

/** How the prompts of a split are sampled. */
export type Sampling = Pick<
  GenerateInput,
  'take' | 'samplesPerPrompt' | 'draw' | 'maxNewTokens' | 'stopStrings'
>;

/** What to sample from: policy, prompts, and the run and epoch that it is for. */
export interface Source {
  run: string;
  epoch: number;
  config: RunConfig;
  policy: CheckpointRef;
  prompts: Record<PromptSplit, ArtifactRef>;
  rewardModels?: Record<string, CheckpointRef> | undefined;
}

/** The prompt file of each split. */
const promptsOf: Record<Split, PromptSplit> = {
  train: 'train',
  'held-out': 'held-out',
  greedy: 'held-out',
};

/** Progress of a split's shards. */
export interface ShardProgress {
  split: Split;
  shards: number;
  generated: number;
  scored: number;
}

/** Run activities in parallel; the failure of one cancels the others. */
export async function sideBySide<T>(work: () => Promise<T>): Promise<T> {
  const scope = new CancellationScope();
  try {
    return await scope.run(work);
  } catch (error) {
    scope.cancel();
    throw error;
  }
}

/**
 * Generate and score every shard of a split.
 * @returns the scored shards in order. A shard that fails for good cancels the others; a shard that
 * its judge stops waits at the gate.
 */
export async function sampleAndScore(
  source: Source,
  split: Split,
  sampling: Sampling,
  gate: JudgeGate,
  onProgress: (progress: ShardProgress) => void = () => {},
): Promise<ArtifactRef[]> {
  const shards = shardCount(sampling.take, source.config.engine.shard_prompts);
  const progress = { split, shards, generated: 0, scored: 0 };
  const count = (stage: 'generated' | 'scored') => {
    progress[stage]++;
    onProgress(progress);
  };
  return sideBySide(() =>
    Promise.all(Array.from({ length: shards }, (_, shard) => runShard(shard))),
  );

  async function runShard(shard: number): Promise<ArtifactRef> {
    const { run, epoch, config, policy, prompts, rewardModels } = source;
    const { seed, engine, rewards } = config;
    const promptFormat = config.model.prompt_format;
    const input = { run, epoch, split, shard, prompts: prompts[promptsOf[split]] };
    const summary = `${split}, shard ${shard + 1} of ${shards}`;
    const rollouts = await generate.executeWithOptions({ summary }, [
      { ...input, ...sampling, policy, promptFormat, seed, engine },
    ]);
    count('generated');
    const scored = await gate.pass((resumes) =>
      score.executeWithOptions({ summary }, [
        { ...input, rollouts, rewards, promptFormat, rewardModels, engine, resumes },
      ]),
    );
    count('scored');
    return scored;
  }
}

/** Results of a policy on the held-out prompts. */
export interface Evaluation {
  evaluation: SampleSummary;
  greedy: SampleSummary | null;
}

/**
 * Measure a policy on the held-out prompts: at the evaluation's fixed temperature, and with greedy
 * completions. Runs that predate greedy evaluation lack that setting and skip it.
 */
export async function evaluatePolicy(
  source: Source,
  gate: JudgeGate,
  onProgress?: (progress: ShardProgress) => void,
): Promise<Evaluation> {
  const { num_samples_per_prompt, temperature, greedy } = source.config.evaluation;
  const hot = () => measure('held-out', num_samples_per_prompt, temperature);
  const cold = async () => (greedy ? measure('greedy', 1, 0) : null);
  if (patched('side-by-side')) {
    const [evaluation, greedy] = await sideBySide(() => Promise.all([hot(), cold()]));
    return { evaluation, greedy };
  }
  return { evaluation: await hot(), greedy: await cold() };

  async function measure(split: Split, samplesPerPrompt: number, at: number) {
    const sampling = heldOutSampling(source.config, samplesPerPrompt, at);
    const scored = await sampleAndScore(source, split, sampling, gate, onProgress);
    return evaluate({ run: source.run, epoch: source.epoch, scored });
  }
}

function heldOutSampling(
  { evaluation, rlaif }: RunConfig,
  samplesPerPrompt: number,
  temperature: number,
): Sampling {
  return {
    take: evaluation.prompts,
    samplesPerPrompt,
    draw: { temperature, topK: null, topP: 1, minP: 0 },
    maxNewTokens: rlaif.max_new_tokens,
    stopStrings: rlaif.stop_strings,
  };
}
