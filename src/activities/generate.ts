// Samples one shard of an epoch's prompts.

import { openCheckpoint } from '../artifacts/checkpoints.ts';
import { encodeJsonl } from '../artifacts/jsonl.ts';
import { layout } from '../artifacts/layout.ts';
import { AnnealError, type ErrorKind } from '../errors.ts';
import type { Prompt } from '../records/prompts.ts';
import type { ArtifactRef } from '../records/refs.ts';
import { promptsOfEpoch } from '../rl/prompt-order.ts';
import { runActivity } from './activity.ts';
import type { GenerateInput } from './contract.ts';
import { type Dependencies, storeOf } from './dependencies.ts';
import { readPromptsById } from './samples.ts';

export function generateWith(dependencies: Dependencies) {
  return async function generate(input: GenerateInput): Promise<ArtifactRef> {
    const store = storeOf(dependencies, input.run);
    const { epoch, split, shard } = input;
    const stage = split === 'train' ? 'generate' : 'evaluate';
    return runActivity(store, { stage, epoch, split, shard }, async (scope) => {
      const prompts = shardOf([...(await readPromptsById(store, input.prompts)).values()], input);
      const sampling = dependencies.models.generate(
        {
          engine: input.engine,
          model: await openCheckpoint(store, input.policy),
          prompts,
          promptFormat: input.promptFormat,
          samplesPerPrompt: input.samplesPerPrompt,
          draw: input.draw,
          maxNewTokens: input.maxNewTokens,
          stopStrings: input.stopStrings,
          seed: input.seed,
          stream: streamOf(input),
        },
        scope,
      );
      const rollouts = await sampling.catch((error) => {
        throw withPrompts(error, input, prompts);
      });
      const path = layout.rollouts(epoch, split, shard);
      return store.write(path, encodeJsonl(rollouts), rollouts.length);
    });
  };
}

/**
 * Each epoch has its own random stream for training. Held-out prompts use the same stream in every
 * epoch, so that evaluations differ by policy and not by chance.
 */
function streamOf({ split, epoch }: GenerateInput): string {
  return split === 'train' ? `train/${epoch}` : split;
}

const lostKinds: readonly ErrorKind[] = ['ProcessLost', 'ProcessStalled', 'OutOfMemory'];

/** A prompt may be what crashed the model process, so name the prompts. */
function withPrompts(
  error: unknown,
  { epoch, split, shard }: GenerateInput,
  prompts: readonly { id: string }[],
): unknown {
  if (!(error instanceof AnnealError && lostKinds.includes(error.kind))) return error;
  const ids = prompts.map(({ id }) => id).join(', ');
  return new AnnealError(
    error.kind,
    `epoch ${epoch}, ${split}, shard ${shard + 1}, prompts ${ids}: ${error.message}`,
    { cause: error.cause },
  );
}

/** Training draws prompts for each epoch; evaluation takes the first ones of the file. */
function shardOf(prompts: Prompt[], input: GenerateInput): { id: string; prompt: string }[] {
  const { split, take, shard, engine } = input;
  const chosen =
    split === 'train'
      ? promptsOfEpoch(prompts.length, take, input.seed, input.epoch).map((i) => prompts[i]!)
      : prompts.slice(0, take);
  return chosen
    .slice(shard * engine.shard_prompts, (shard + 1) * engine.shard_prompts)
    .map(({ id, prompt }) => ({ id, prompt }));
}
