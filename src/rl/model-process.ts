// The model process: a child that samples and trains, so that blocking runs and native crashes stay
// out of the worker. It keeps the last sampler, since an epoch's shards come one after another.
// model-client.ts is its other end.

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LruMap } from '../collections/lru-map.ts';
import { openPolicyFolder } from '../engine/files/policy-folder.ts';
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
import { makeClassifier, SequenceClassifier } from '../engine/inference/sequence-classifier.ts';
import { storeFailure } from '../errors.ts';
import { serve } from '../process/serve.ts';
import type { Rollout } from '../records/rollouts.ts';
import type { TrainJob, TrainReport } from './policy/job.ts';
import { trainPolicy } from './policy/train.ts';
import type { PreferenceJob, PreferenceReport } from './preference/job.ts';
import { trainPreferences } from './preference/train.ts';

/** The process's methods. */
export interface ModelMethods {
  inspect: { payload: InspectJob; result: ModelInfo; progress: Progress };
  generate: { payload: GenerateJob; result: Rollout[]; progress: Progress };
  scores: { payload: ScoreJob; result: (number | null)[]; progress: Progress };
  makeClassifier: { payload: ClassifierJob; result: ModelInfo; progress: Progress };
  trainRewardModel: { payload: PreferenceJob; result: PreferenceReport; progress: Progress };
  train: { payload: TrainJob; result: TrainReport; progress: Progress };
}

/** The last sampler: what it was opened with, and the policy whose adapters it has. */
let last: { key: string; policy: string; sampler: Sampler } | undefined;

/** Changes if a folder's weights do. */
async function stamp(folder: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.safetensors')).sort();
  const files = await Promise.all(names.map((name) => stat(join(folder, name))));
  return JSON.stringify([folder, names, files.map(({ mtimeMs, size }) => [mtimeMs, size])]);
}

/** The sampler of a policy: the last one if base and engine are the same, with new adapters. */
async function samplerOf(job: GenerateJob): Promise<Sampler> {
  const policy = await openPolicyFolder(job.model);
  const { base, folder, lora } = policy;
  const shape = lora && [lora.rank, lora.targets, lora.modules];
  const key = JSON.stringify([await stamp(base), job.engine, shape]);
  const adapters = await stamp(folder);
  if (last?.key !== key) {
    await closeSampler();
    last = { key, policy: adapters, sampler: await Sampler.open(policy, job.engine) };
  } else if (last.policy !== adapters) {
    await last.sampler.adapt(policy);
    last.policy = adapters;
  }
  return last.sampler;
}

async function closeSampler(): Promise<void> {
  await last?.sampler.close();
  last = undefined;
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

/** Train. The sampler of a fully trained policy is closed first; one with adapters keeps its base. */
async function train(job: TrainJob, onProgress: (progress: Progress) => void) {
  if (!job.lora) {
    await closeSampler();
  }
  return trainPolicy(job, onProgress);
}

/** Turn errors of the disk into AnnealErrors, since an error's code does not cross processes. */
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
