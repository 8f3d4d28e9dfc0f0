// The activities' end of the model process: one child per worker process, one job at a time.

import { AnnealError } from '../errors.ts';
import { ChildService, entryUrl } from '../process/child-service.ts';
import { saysNoMemory } from '../process/memory.ts';
import type { ModelMethods } from './model-process.ts';
import type { JobOptions, ModelService } from './model-service.ts';

/** For jobs without engine.stall_seconds, such as describing a model. */
const defaultStallSeconds = 3600;

/** How to use less memory, by method. */
const lessMemory: Record<keyof ModelMethods, string> = {
  inspect: 'use a smaller model',
  generate:
    'lower engine.shard_prompts, rlaif.num_samples_per_prompt, evaluation.num_samples_per_prompt or rlaif.max_new_tokens',
  scores:
    "lower the reward's batch_size or max_length (training.microbatch_size if a reward model is trained)",
  train: 'lower training.microbatch_size, set training.recompute: true, or train with model.lora',
  makeClassifier: 'use a smaller model',
  trainRewardModel:
    'lower training.microbatch_size or training.max_length, set training.recompute: true, or train with lora',
};

/** A model service in a child process, which starts with the first job, and again after a crash. */
export function createModelClient(): ModelService {
  const child = new ChildService<ModelMethods>({
    entry: entryUrl(import.meta.url, './model-process'),
    name: 'model',
  });
  let last: Promise<unknown> = Promise.resolve();

  /** Jobs wait here and not in the child, so that aborting one does not end the others. */
  function enqueue<K extends keyof ModelMethods>(
    method: K,
    payload: ModelMethods[K]['payload'],
    options: JobOptions = {},
  ): Promise<ModelMethods[K]['result']> {
    const turn = last.then(() => run(method, payload, options));
    last = turn.catch(() => undefined);
    return turn;
  }

  async function run<K extends keyof ModelMethods>(
    method: K,
    payload: ModelMethods[K]['payload'],
    options: JobOptions,
  ): Promise<ModelMethods[K]['result']> {
    const engine = 'engine' in payload ? payload.engine : undefined;
    const stallMs = 1000 * (engine?.stall_seconds ?? defaultStallSeconds);
    try {
      return await child.call(method, payload, { ...options, stallMs });
    } catch (error) {
      throw advised(method, error);
    }
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

/** Adds what to do to an error about memory or a stall. */
function advised(method: keyof ModelMethods, error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const kind = error instanceof AnnealError ? error.kind : undefined;
  const { message } = error;
  if (kind === 'OutOfMemory' || (kind === undefined && saysNoMemory(message)))
    return new AnnealError(
      'OutOfMemory',
      `too little memory: ${message}\nUse a machine with more memory, or ${lessMemory[method]}.`,
      { cause: error.cause },
    );
  if (kind === 'ProcessStalled')
    return new AnnealError(
      kind,
      `${message}\nThe process was ended. If the work really takes that long, raise engine.stall_seconds.`,
      { cause: error.cause },
    );
  return error;
}
