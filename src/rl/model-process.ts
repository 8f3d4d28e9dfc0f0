// The model process: the child that samples and trains, so that blocking runs and native crashes
// stay out of the worker. It keeps the sampler of the last model, since shards of an epoch come
// one after another. Its other end is model-client.ts.

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LruMap } from '../collections/lru-map.ts';
import { openPolicyFolder } from '../engine/files/policy-folder.ts';
import { makeClassifier, SequenceClassifier } from '../engine/inference/classifier.ts';
import { describeModelFolder } from '../engine/inference/describe-model-folder.ts';
import type {
  ClassifierJob,
  GenerateJob,
  InspectJob,
  ModelInfo,
  Progress,
  ScoreJob,
} from '../engine/inference/jobs.ts';
import { Sampler } from '../engine/inference/sampler.ts';
import { storeFailure } from '../errors.ts';
import { serve } from '../process/serve.ts';
import type { Rollout } from '../records/rollouts.ts';
import type { TrainJob, TrainReport } from './policy/job.ts';
import { trainPolicy } from './policy/train.ts';
import type { PreferenceJob, PreferenceReport } from './preference/job.ts';
import { trainPreferences } from './preference/train.ts';

/** What the process does, by method. */
export interface ModelMethods {
  inspect: { payload: InspectJob; result: ModelInfo; progress: Progress };
  generate: { payload: GenerateJob; result: Rollout[]; progress: Progress };
  scores: { payload: ScoreJob; result: (number | null)[]; progress: Progress };
  makeClassifier: { payload: ClassifierJob; result: ModelInfo; progress: Progress };
  trainRewardModel: { payload: PreferenceJob; result: PreferenceReport; progress: Progress };
  train: { payload: TrainJob; result: TrainReport; progress: Progress };
}

let sampler: { key: string; policy: string; sampler: Sampler } | undefined;

/** What says that a folder's weights are those that were read. */
async function stamp(folder: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.safetensors')).sort();
  const files = await Promise.all(names.map((name) => stat(join(folder, name))));
  return JSON.stringify([folder, names, files.map(({ mtimeMs, size }) => [mtimeMs, size])]);
}

/** The sampler of a policy, kept while base, file and engine stay the same; adapters change in it. */
async function samplerOf(job: GenerateJob): Promise<Sampler> {
  const policy = await openPolicyFolder(job.model);
  const { base, folder, lora } = policy;
  const shape = lora && [lora.rank, lora.targets];
  const key = JSON.stringify([await stamp(base), job.engine, shape]);
  const adapters = await stamp(folder);
  if (sampler?.key !== key) {
    await sampler?.sampler.close();
    sampler = undefined;
    sampler = { key, policy: adapters, sampler: await Sampler.open(policy, job.engine) };
  } else if (sampler.policy !== adapters) {
    await sampler.sampler.adapt(policy);
    sampler.policy = adapters;
  }
  return sampler.sampler;
}

/** Reward models by the files that they were read from. */
const rewardModels = new LruMap<string, SequenceClassifier>(2);

/** A reward model, kept for the shards that follow. */
async function rewardModelOf({ model, engine }: ScoreJob): Promise<SequenceClassifier> {
  const key = JSON.stringify([await stamp(model), engine]);
  const found = rewardModels.get(key);
  if (found) return found;
  const opened = await SequenceClassifier.open(model, engine);
  for (const old of rewardModels.set(key, opened)) await old.close();
  return opened;
}

/** Train; a sampler of the policy as it was has nothing more to do, one of its base goes on. */
async function train(job: TrainJob, onProgress: (progress: Progress) => void) {
  if (!job.lora) {
    await sampler?.sampler.close();
    sampler = undefined;
  }
  return trainPolicy(job, onProgress);
}

/** Name the disk's own troubles while `out` is written: an error's code does not leave the process. */
function writing<T>(out: string, made: Promise<T>): Promise<T> {
  return made.catch((error) => {
    throw storeFailure(error, out);
  });
}

serve<ModelMethods>({
  inspect: ({ model, promptFormat }) => describeModelFolder(model, promptFormat),
  generate: async (job, { progress }) => (await samplerOf(job)).sample(job, progress),
  scores: async (job, { progress }) => (await rewardModelOf(job)).scores(job, progress),
  train: (job, { progress }) => writing(job.out, train(job, progress)),
  makeClassifier: (job) => writing(job.out, makeClassifier(job)),
  trainRewardModel: (job, { progress }) => writing(job.out, trainPreferences(job, progress)),
});
