// One pass of a reward model over its preference pairs: tokens, shuffled steps, checkpoint.

import type { PreferenceTraining } from '../../config/schema/preference-training.ts';
import { openPolicyFolder } from '../../engine/files/policy-folder.ts';
import type { Progress } from '../../engine/inference/jobs.ts';
import { uniforms } from '../../engine/sampling/random.ts';
import { createSequenceEncoder } from '../../engine/text/prompt-format.ts';
import { readTokenizer } from '../../engine/text/tokenizer.ts';
import type { LearningRateSettings } from '../../engine/training/learning-rate.ts';
import { runSteps } from '../../engine/training/run-steps.ts';
import { readProgress, stateFile } from '../../engine/training/snapshot.ts';
import { AnnealError } from '../../errors.ts';
import type { PreferenceJob, PreferenceReport, PreferenceStepMetrics } from './job.ts';
import { lengthOf, PreferenceTrainer, type TokenPair } from './trainer.ts';

const adam = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

/** Run the job; see PreferenceJob for its input and model-service.ts for what it throws. */
export async function trainPreferences(
  job: PreferenceJob,
  onProgress: (progress: Progress) => void,
): Promise<PreferenceReport> {
  const { training, resume } = job;
  const pairs = await tokenPairs(job);
  const done = resume ? await readProgress<PreferenceStepMetrics[]>(resume) : [];
  const trainer = await PreferenceTrainer.load(job.model, job.engine, {
    fresh: job.epoch === 1,
    lora: job.lora,
    seed: job.seed,
    recompute: training.recompute,
    snapshot: resume && stateFile(resume),
  });
  try {
    const steps = await runSteps(trainer, {
      rows: pairs,
      batchSize: training.batch_size,
      shuffle: uniforms(job.seed, `pairs/${job.epoch}`),
      schedule: cosineOver(training, pairs.length),
      done,
      snapshots: job.snapshots,
      takeStep: (batch, learningRate) => takeStep(trainer, batch, training, learningRate),
      lossOf: (step) => step.loss,
      progressOf: (steps) => steps,
      onProgress,
    });
    await trainer.save(job.out);
    return { steps, tooLong: job.pairs.length - pairs.length };
  } finally {
    await trainer.close();
  }
}

async function takeStep(
  trainer: PreferenceTrainer,
  pairs: readonly TokenPair[],
  training: PreferenceTraining,
  learning_rate: number,
): Promise<PreferenceStepMetrics> {
  const settings = { ...training, ...adam, learning_rate };
  const stats = await trainer.train(pairs, training.microbatch_size, settings);
  return { step: trainer.step, ...stats, learning_rate };
}

/** Down to zero at the end of the last epoch. */
function cosineOver(training: PreferenceTraining, pairs: number): LearningRateSettings {
  const steps = Math.ceil(pairs / training.batch_size) * training.epochs;
  return {
    learning_rate: training.learning_rate,
    warmup_steps: training.warmup_steps,
    schedule: 'cosine',
    decay_steps: Math.max(1, steps - training.warmup_steps),
    min_learning_rate: 0,
  };
}

/**
 * The pairs as token ids, without those whose longer answer exceeds the limit.
 * @throws AnnealError InvalidData if that leaves none
 */
async function tokenPairs({
  model,
  pairs,
  promptFormat,
  training,
}: PreferenceJob): Promise<TokenPair[]> {
  const { base, config } = await openPolicyFolder(model);
  const tokenizer = await readTokenizer(base);
  const encode = await createSequenceEncoder(tokenizer, promptFormat, config.vocabSize);
  const longest = Math.min(training.max_length, config.maxPositions);
  const [chosen, rejected] = [
    await encode(pairs.map(({ prompt, chosen }) => ({ prompt, completion: chosen }))),
    await encode(pairs.map(({ prompt, rejected }) => ({ prompt, completion: rejected }))),
  ];
  const fit = pairs
    .map((_, i) => ({ chosen: chosen[i]!, rejected: rejected[i]! }))
    .filter((pair) => lengthOf(pair) <= longest);
  if (fit.length > 0) return fit;
  throw new AnnealError(
    'InvalidData',
    `expected pairs with answers of at most ${longest} tokens, prompt included, found none among ${pairs.length}; raise training.max_length, if the model's context allows it`,
  );
}
