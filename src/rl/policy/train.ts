// One pass of policy-gradient training over an epoch's samples: reference log-probabilities,
// shuffled steps, checkpoint. Which samples, and their advantages, were decided before.

import type { Settings } from '../../config/schedule.ts';
import { openPolicyFolder } from '../../engine/files/policy-folder.ts';
import type { Progress } from '../../engine/inference/jobs.ts';
import { ReferencePolicy } from '../../engine/inference/logprobs.ts';
import type { Sequence } from '../../engine/model/packing.ts';
import { uniforms } from '../../engine/sampling/random.ts';
import { createPromptEncoder } from '../../engine/text/prompt-format.ts';
import { readTokenizer } from '../../engine/text/tokenizer.ts';
import { learningRate } from '../../engine/training/learning-rate.ts';
import { runSteps } from '../../engine/training/run-steps.ts';
import { readProgress, stateFile } from '../../engine/training/snapshot.ts';
import type { TrainStats } from '../../records/metrics.ts';
import { algorithms, tokenWeights } from '../algorithms.ts';
import { objectiveStats } from '../objective.ts';
import type { StepMetrics, TrainedAdvantage, TrainJob, TrainReport, TrainSample } from './job.ts';
import { PolicyTrainer, type StepSettings, type StepStats, type TrainSequence } from './trainer.ts';

/** A step that was taken, and what was in force in it. */
interface Step extends StepStats {
  step: number;
  tokens: number;
  settings: StepSettings;
}

/** What a snapshot keeps beside the trained state. */
interface EpochProgress {
  /** Of each sample. */
  referenceLogprobs: (readonly number[])[];
  steps: Step[];
}

/** Run the job; see TrainJob for its input and model-service.ts for what it throws. */
export async function trainPolicy(
  job: TrainJob,
  onProgress: (progress: Progress) => void,
): Promise<TrainReport> {
  const { settings } = job;
  const progress = job.resume ? await readProgress<EpochProgress>(job.resume) : undefined;
  const encoded = await encodeSamples(job);
  const reference =
    progress?.referenceLogprobs ?? (await referenceLogprobs(job, encoded, onProgress));
  const advantages = penalizedAdvantages(job, reference);
  const trainer = await PolicyTrainer.load(job.model, job.engine, {
    fresh: job.freshOptimizer,
    lora: job.lora,
    seed: job.seed,
    recompute: settings.training.recompute,
    snapshot: job.resume && stateFile(job.resume),
  });
  try {
    const steps = await runSteps(trainer, {
      rows: trainSequences(job, encoded, reference, advantages),
      batchSize: settings.training.batch_size,
      shuffle: uniforms(job.seed, `order/${job.epoch}`),
      schedule: settings.training,
      done: progress?.steps ?? [],
      snapshots: job.snapshots,
      takeStep: (batch, learningRate) => takeStep(trainer, batch, settings, learningRate),
      lossOf: (step) => step.policy_loss,
      progressOf: (steps): EpochProgress => ({ referenceLogprobs: reference, steps: [...steps] }),
      onProgress,
    });
    await trainer.save(job.out);
    const stats = summarize(settings, trainer, steps);
    return { stats, steps: steps.map(toMetrics), advantages };
  } finally {
    await trainer.close();
  }
}

/** One optimiser step; an adaptive KL penalty moves after it. */
async function takeStep(
  trainer: PolicyTrainer,
  sequences: TrainSequence[],
  settings: Settings,
  learningRate: number,
): Promise<Step> {
  const { rlaif, training } = settings;
  const batch = weighted(sequences, settings);
  const inForce = stepSettings(settings, trainer.klScale, learningRate);
  const { objective } = algorithms[rlaif.algorithm];
  const stats = await trainer.train(batch, training.microbatch_size, objective, inForce);
  trainer.klScale = nextKlScale(trainer.klScale, stats.k3, rlaif.kl_target);
  const tokens = batch.reduce((sum, { completion }) => sum + completion.length, 0);
  return { ...stats, step: trainer.step, tokens, settings: inForce };
}

/** Prompts and completions as token ids. */
async function encodeSamples({ model, promptFormat, samples }: TrainJob): Promise<Sequence[]> {
  const { base } = await openPolicyFolder(model);
  const encode = await createPromptEncoder(await readTokenizer(base), promptFormat);
  return samples.map(({ prompt, tokens }) => ({ prompt: encode(prompt), completion: tokens }));
}

/** Samples as the trainer takes them. */
function trainSequences(
  { samples, settings }: TrainJob,
  encoded: readonly Sequence[],
  reference: readonly (readonly number[])[],
  advantages: readonly TrainedAdvantage[] | null,
): TrainSequence[] {
  return samples.map(({ reward, logprobs }, i) => {
    const sequence = encoded[i]!;
    const { advantage } = (advantages ?? samples)[i]!;
    return {
      ...sequence,
      weight: [],
      advantage: sequence.completion.map(() => advantage),
      reward: settings.rlaif.reward_weight * reward,
      oldLogprobs: logprobs,
      referenceLogprobs: reference[i]!,
    };
  });
}

/**
 * Log-probabilities of the completions under the reference. If the reference is the policy that
 * sampled, the samples already have them.
 */
async function referenceLogprobs(
  { model, reference, engine, samples, settings }: TrainJob,
  sequences: readonly Sequence[],
  onProgress: (progress: Progress) => void,
): Promise<(readonly number[])[]> {
  if (reference === model) return samples.map(({ logprobs }) => logprobs);
  const { rlaif, training } = settings;
  const policy = await ReferencePolicy.open(reference, engine);
  try {
    return await policy.logprobs(
      sequences,
      training.microbatch_size,
      rlaif.generation_temperature,
      (done) => onProgress({ done, total: sequences.length, unit: 'samples', note: 'reference' }),
    );
  } finally {
    await policy.close();
  }
}

/** Advantages less the KL penalty of `k1_reward`; null for a placement that leaves them alone. */
function penalizedAdvantages(
  { samples, settings: { rlaif } }: TrainJob,
  reference: readonly (readonly number[])[],
): TrainedAdvantage[] | null {
  if (rlaif.kl_placement !== 'k1_reward') return null;
  const penalties = k1Penalties(samples, reference, rlaif.kl_penalty);
  return samples.map(({ promptId, sample, advantage }, i) => ({
    promptId,
    sample,
    advantage: advantage - penalties[i]!,
  }));
}

/**
 * k1 in the reward: each sample's kl_penalty · Σ (log π − log π_ref), less the mean of its group,
 * since advantages are linear in the reward and already have the group's baseline taken off.
 */
export function k1Penalties(
  samples: readonly Pick<TrainSample, 'promptId' | 'logprobs'>[],
  reference: readonly (readonly number[])[],
  klPenalty: number,
): number[] {
  const k1 = samples.map(({ logprobs }, i) =>
    logprobs.reduce((sum, logprob, t) => sum + logprob - reference[i]![t]!, 0),
  );
  const groups = Map.groupBy(samples.keys(), (i) => samples[i]!.promptId);
  const mean = (indices: number[]) => indices.reduce((sum, i) => sum + k1[i]!, 0) / indices.length;
  const means = new Map([...groups].map(([id, indices]) => [id, mean(indices)]));
  return samples.map(({ promptId }, i) => klPenalty * (k1[i]! - means.get(promptId)!));
}

function weighted(sequences: TrainSequence[], { rlaif }: Settings): TrainSequence[] {
  const lengths = sequences.map((s) => s.completion.length);
  const weights = tokenWeights(lengths, rlaif);
  return sequences.map((s, i) => ({ ...s, weight: s.completion.map(() => weights[i]!) }));
}

/**
 * The factor on kl_penalty after a step in which KL a token was `kl`: up or down by at most 2%,
 * in proportion to how far KL is from its target (arXiv 1909.08593, section 2.2).
 */
export function nextKlScale(scale: number, kl: number, target: number | null): number {
  if (target === null) return scale;
  const error = Math.min(0.2, Math.max(-0.2, kl / target - 1));
  return scale * (1 + 0.1 * error);
}

/** The numbers in force in the next step. */
function stepSettings(
  { rlaif, training }: Settings,
  klScale: number,
  learning_rate: number,
): StepSettings {
  return {
    inverse_temperature: 1 / rlaif.generation_temperature,
    kl_coefficient: rlaif.kl_placement === 'k2_loss' ? klScale * rlaif.kl_penalty : 0,
    ratio_low: 1 - rlaif.clip_low,
    ratio_high: 1 + rlaif.clip_high,
    learning_rate,
    weight_decay: training.weight_decay,
    beta1: training.adam_beta1,
    beta2: training.adam_beta2,
    epsilon: training.adam_epsilon,
    max_grad_norm: training.max_grad_norm,
  };
}

/** A step as its line in the step metrics. */
function toMetrics({ step, tokens, settings, ...stats }: Step): StepMetrics {
  const { kl_coefficient, learning_rate } = settings;
  return {
    step,
    loss: stats.policy_loss + kl_coefficient * stats.k2,
    policy_loss: stats.policy_loss,
    kl: stats.k3,
    kl_k1: stats.k1,
    kl_coefficient,
    entropy: stats.entropy,
    grad_norm: stats.grad_norm,
    learning_rate,
    'clip_ratio/low_mean': stats.clip_low,
    'clip_ratio/high_mean': stats.clip_high,
    'clip_ratio/region_mean': stats.clip_low + stats.clip_high,
    num_tokens: tokens,
  };
}

function summarize(settings: Settings, trainer: PolicyTrainer, steps: StepStats[]): TrainStats {
  const mean = (name: keyof StepStats) =>
    steps.reduce((sum, step) => sum + step[name], 0) / steps.length;
  const means = Object.fromEntries(objectiveStats.map((name) => [name, mean(name)]));
  const { kl_penalty } = settings.rlaif;
  return {
    steps: steps.length,
    totalSteps: trainer.step,
    loss: means.likelihood_loss! + kl_penalty * means.k3!,
    policy_loss: means.policy_loss!,
    kl: means.k3!,
    kl_k1: means.k1!,
    kl_coefficient: kl_penalty * trainer.klScale,
    entropy: means.entropy!,
    grad_norm: mean('grad_norm'),
    learning_rate: learningRate(settings.training, trainer.step - 1),
    clip_low: means.clip_low!,
    clip_high: means.clip_high!,
  };
}
