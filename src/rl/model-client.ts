// The activities' end of the model process: one child a worker process, one job at a time.

import { ChildService, entryUrl } from '../process/child-service.ts';
import type { ModelMethods } from './model-process.ts';
import type { JobOptions, ModelService } from './model-service.ts';

/** A model service in a child process, which starts with the first job and again after a crash. */
export function createModelClient(): ModelService {
  const child = new ChildService<ModelMethods>({
    entry: entryUrl(import.meta.url, './model-process'),
    name: 'model',
  });
  let last: Promise<unknown> = Promise.resolve();

  /** Jobs wait their turn here and not in the child, so that aborting one spares the others. */
  function enqueue<K extends keyof ModelMethods>(
    method: K,
    payload: ModelMethods[K]['payload'],
    options: JobOptions = {},
  ): Promise<ModelMethods[K]['result']> {
    const turn = last.then(() => child.call(method, payload, options));
    last = turn.catch(() => undefined);
    return turn;
  }

  return {
    inspect: (job, options) => enqueue('inspect', job, options),
    generate: (job, options) => enqueue('generate', job, options),
    scores: (job, options) => enqueue('scores', job, options),
    train: (job, options) => enqueue('train', job, options),
    makeClassifier: (job, options) => enqueue('makeClassifier', job, options),
    trainRewardModel: (job, options) => enqueue('trainRewardModel', job, options),
    close: () => child.close(),
  };
}
