// One pass of policy-gradient training over an epoch's batch: reference log-probabilities, shuffled
// steps, checkpoint. batch.ts chose the samples and gave them their advantages.

import type { Settings } from '../../config/schedule.ts';
import { openPolicyFolder } from '../../engine/files/policy-folder.ts';
import type { Progress } from '../../engine/inference/jobs.ts';
import type { Sequence } from '../../engine/model/packing.ts';
import { uniforms } from '../../engine/sampling/random.ts';
import { createPromptEncoder } from '../../engine/text/prompt-format.ts';
import { readTokenizer } from '../../engine/text/tokenizer.ts';
import { runSteps } from '../../engine/training/run-steps.ts';
import { readProgress, stateFile } from '../../engine/training/snapshot.ts';
import { algorithms, tokenWeights } from '../algorithms.ts';
import type { TrainedAdvantage, TrainJob, TrainReport } from './job.ts';
import { nextKlScale, penalizedAdvantages, referenceLogprobs } from './kl-penalty.ts';
import { type Step, summarize, toMetrics } from './step-metrics.ts';
import { PolicyTrainer, type StepSettings, type TrainSequence } from './trainer.ts';

/** Kept in a snapshot beside the trained state. */
interface EpochProgress {
  /** One array per sample. */
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
  sequences: UnweightedSequence[],
  settings: Settings,
  learningRate: number,
): Promise<Step> {
  const { rlaif, training } = settings;
  const lengths = sequences.map(({ completion }) => completion.length);
  const weights = tokenWeights(lengths, rlaif);
  const batch = sequences.map((sequence, i) => ({
    ...sequence,
    weight: sequence.completion.map(() => weights[i]!),
  }));
  const inForce = stepSettings(settings, trainer.klScale, learningRate);
  const { objective } = algorithms[rlaif.algorithm];
  const stats = await trainer.train(batch, training.microbatch_size, objective, inForce);
  trainer.klScale = nextKlScale(trainer.klScale, stats.k3, rlaif.kl_target);
  const tokens = lengths.reduce((sum, length) => sum + length, 0);
  return { ...stats, step: trainer.step, tokens, settings: inForce };
}

/** Prompts and completions as token ids. */
async function encodeSamples({ model, promptFormat, samples }: TrainJob): Promise<Sequence[]> {
  const { base, config } = await openPolicyFolder(model);
  const tokenizer = await readTokenizer(base);
  const encode = await createPromptEncoder(tokenizer, promptFormat, config.vocabSize);
  const prompts = await encode(samples.map(({ prompt }) => prompt));
  return samples.map(({ tokens }, i) => ({ prompt: prompts[i]!, completion: tokens }));
}

/** A sample's sequence before a step gives its tokens their weight. */
type UnweightedSequence = Omit<TrainSequence, 'weight'>;

function trainSequences(
  { samples, settings }: TrainJob,
  encoded: readonly Sequence[],
  reference: readonly (readonly number[])[],
  advantages: readonly TrainedAdvantage[] | null,
): UnweightedSequence[] {
  return samples.map(({ reward, logprobs }, i) => {
    const sequence = encoded[i]!;
    const { advantage } = (advantages ?? samples)[i]!;
    return {
      ...sequence,
      advantage: sequence.completion.map(() => advantage),
      reward: settings.rlaif.reward_weight * reward,
      oldLogprobs: logprobs,
      referenceLogprobs: reference[i]!,
    };
  });
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
