// The model process: the child that samples and trains, so that blocking runs and native crashes
// stay out of the worker. It keeps the sampler of the last model, since shards of an epoch come
// one after another. Its other end is model-client.ts.

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Rollout } from '../config/records.ts';
import { serve } from '../process/serve.ts';
import { describeModelFolder } from './model-info.ts';
import type { GenerateJob, ModelInfo, Progress, TrainJob, TrainStats } from './model-service.ts';
import { Sampler } from './sampler.ts';
import { trainPolicy } from './train.ts';

/** What the process does, by method. */
export interface ModelMethods {
  inspect: { payload: string; result: ModelInfo; progress: Progress };
  generate: { payload: GenerateJob; result: Rollout[]; progress: Progress };
  train: { payload: TrainJob; result: TrainStats; progress: Progress };
}

let sampler: { key: string; sampler: Sampler } | undefined;

/** The sampler of a model folder, kept while folder, file and engine stay the same. */
async function samplerOf(job: GenerateJob): Promise<Sampler> {
  const { mtimeMs, size } = await stat(join(job.model, 'model.safetensors')).catch(() => ({
    mtimeMs: 0,
    size: 0,
  }));
  const key = JSON.stringify([job.model, mtimeMs, size, job.engine]);
  if (sampler?.key === key) return sampler.sampler;
  await sampler?.sampler.close();
  sampler = undefined;
  sampler = { key, sampler: await Sampler.open(job.model, job.engine) };
  return sampler.sampler;
}

serve<ModelMethods>({
  inspect: describeModelFolder,
  generate: async (job) => (await samplerOf(job)).sample(job),
  train: (job, { progress }) => trainPolicy(job, progress),
});
