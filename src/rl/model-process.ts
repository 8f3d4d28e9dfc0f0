// The model process: the child that samples and trains, so that blocking runs and native crashes
// stay out of the worker. It keeps the sampler of the last model, since shards of an epoch come
// one after another. Its other end is model-client.ts.

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Rollout } from '../config/records.ts';
import { adapterWeightsFile } from '../engine/model/adapter-folder.ts';
import { parameterSpecs } from '../engine/model/parameters.ts';
import { openPolicyFolder } from '../engine/model/policy-folder.ts';
import { singleFile as weightsFile } from '../engine/model/weights.ts';
import { serve } from '../process/serve.ts';
import { checkModelFolder } from './model-folder.ts';
import type {
  GenerateJob,
  InspectJob,
  ModelInfo,
  Progress,
  TrainJob,
  TrainStats,
} from './model-service.ts';
import { Sampler } from './sampler.ts';
import { trainPolicy } from './train.ts';

/** What the process does, by method. */
export interface ModelMethods {
  inspect: { payload: InspectJob; result: ModelInfo; progress: Progress };
  generate: { payload: GenerateJob; result: Rollout[]; progress: Progress };
  train: { payload: TrainJob; result: TrainStats; progress: Progress };
}

let sampler: { key: string; policy: string; sampler: Sampler } | undefined;

/** What says that a file is the one that was read. */
async function stamp(file: string): Promise<[number, number]> {
  const { mtimeMs, size } = await stat(file).catch(() => ({ mtimeMs: 0, size: 0 }));
  return [mtimeMs, size];
}

/** The sampler of a policy, kept while base, file and engine stay the same; adapters change in it. */
async function samplerOf(job: GenerateJob): Promise<Sampler> {
  const policy = await openPolicyFolder(job.model);
  const { base, folder, lora } = policy;
  const shape = lora && [lora.rank, lora.targets];
  const key = JSON.stringify([base, await stamp(join(base, weightsFile)), job.engine, shape]);
  const adapters = JSON.stringify([folder, await stamp(join(folder, adapterWeightsFile))]);
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

async function inspect({ model, promptFormat }: InspectJob): Promise<ModelInfo> {
  const { config } = await checkModelFolder(model, promptFormat);
  const sizes = parameterSpecs(config).map(({ shape }) => shape.reduce((n, d) => n * d, 1));
  return {
    architecture: config.architecture,
    parameters: sizes.reduce((sum, n) => sum + n, 0),
    vocabSize: config.vocabSize,
    maxPositions: config.maxPositions,
  };
}

serve<ModelMethods>({
  inspect,
  generate: async (job, { progress }) => (await samplerOf(job)).sample(job, progress),
  train: (job, { progress }) => trainPolicy(job, progress),
});
