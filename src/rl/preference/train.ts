// One pass of a reward model over its preference pairs: tokens, shuffled steps, checkpoint.

import { openPolicyFolder } from '../../engine/files/policy-folder.ts';
import type { Progress } from '../../engine/inference/jobs.ts';
import { permutation, uniforms } from '../../engine/sampling/random.ts';
import { createSequenceEncoder } from '../../engine/text/prompt-format.ts';
import { readTokenizer } from '../../engine/text/tokenizer.ts';
import { readProgress, SnapshotTimer, stateFile } from '../../engine/training/snapshot.ts';
import { AnnealError } from '../../errors.ts';
import { learningRate } from '../policy/train.ts';
import type { PreferenceJob, PreferenceReport, PreferenceStepMetrics } from './job.ts';
import { lengthOf, PreferenceTrainer, type TokenPair } from './trainer.ts';

/** Run the job; see PreferenceJob for what goes in and model-service.ts for what may be thrown. */
export async function trainPreferences(
  job: PreferenceJob,
  onProgress: (progress: Progress) => void,
): Promise<PreferenceReport> {
  const { model, engine, lora, seed, training, epoch, out, resume } = job;
  const pairs = await tokenPairs(job);
  const done = resume ? await readProgress<PreferenceStepMetrics[]>(resume) : [];
  const { recompute } = training;
  const snapshot = resume && stateFile(resume);
  const options = { lora, seed, recompute, fresh: epoch === 1, snapshot };
  const trainer = await PreferenceTrainer.load(model, engine, options);
  try {
    const steps = await runSteps(job, trainer, pairs, done, onProgress);
    await trainer.save(out);
    return { steps, tooLong: job.pairs.length - pairs.length };
  } finally {
    await trainer.close();
  }
}

/**
 * The pairs as token ids, without those of which an answer is too long.
 * @throws AnnealError InvalidData where that leaves none
 */
async function tokenPairs({
  model,
  pairs,
  promptFormat,
  training,
}: PreferenceJob): Promise<TokenPair[]> {
  const { base, config } = await openPolicyFolder(model);
  const encode = await createSequenceEncoder(await readTokenizer(base), promptFormat);
  const longest = Math.min(training.max_length, config.maxPositions);
  const fit = pairs
    .map(({ prompt, chosen, rejected }) => ({
      chosen: encode(prompt, chosen),
      rejected: encode(prompt, rejected),
    }))
    .filter((pair) => lengthOf(pair) <= longest);
  if (fit.length > 0) return fit;
  throw new AnnealError(
    'InvalidData',
    `expected pairs with answers of at most ${longest} tokens, prompt included, found none among ${pairs.length}; raise training.max_length, if the model's context allows it`,
  );
}

/** The steps after those `done`, and all of them told. */
async function runSteps(
  { training, seed, epoch, snapshots }: PreferenceJob,
  trainer: PreferenceTrainer,
  pairs: readonly TokenPair[],
  done: readonly PreferenceStepMetrics[],
  onProgress: (progress: Progress) => void,
): Promise<PreferenceStepMetrics[]> {
  const { batch_size, microbatch_size } = training;
  const order = permutation(pairs.length, uniforms(seed, `pairs/${epoch}`));
  const total = Math.ceil(order.length / batch_size);
  const schedule = {
    ...training,
    schedule: 'cosine',
    decay_steps: Math.max(1, total * training.epochs - training.warmup_steps),
    min_learning_rate: 0,
  } as const;
  const steps = [...done];
  const timer = new SnapshotTimer(snapshots, total);
  for (let i = steps.length; i < total; i++) {
    const batch = order.slice(i * batch_size, (i + 1) * batch_size).map((place) => pairs[place]!);
    const learning_rate = learningRate(schedule, trainer.step);
    const settings = { ...training, learning_rate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
    const stats = await trainer.train(batch, microbatch_size, settings);
    steps.push({ step: trainer.step, ...stats, learning_rate });
    const note = `loss ${stats.loss.toFixed(4)}`;
    const snapshot = await timer.take(i + 1, steps, (file) => trainer.saveSnapshot(file));
    onProgress({ done: i + 1, total, unit: 'steps', note, snapshot });
  }
  return steps;
}
