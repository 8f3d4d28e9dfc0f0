// Files of preference pairs: those that a user names, and those of a training job or refit.

import { encodeJsonl } from '../../artifacts/jsonl.ts';
import { layout, type RefitPlace } from '../../artifacts/layout.ts';
import type { Store } from '../../artifacts/store.ts';
import { type ResolveInput, resolveInput } from '../../config/paths.ts';
import type { RewardModelConfig } from '../../config/schema/reward-model-file.ts';
import { AnnealError } from '../../errors.ts';
import type { PromptSplit } from '../../records/metrics.ts';
import { type PreferencePair, preferencePairSchema } from '../../records/prompts.ts';
import { readRows as readFileRows } from '../../rewards/rows.ts';
import { splitPairs } from '../../rl/preference/pairs.ts';
import type { SplitPairs } from './contract.ts';

/**
 * The pairs that a reward model file names, split by prompts.
 * @throws AnnealError InvalidData naming file and line, or if no pairs are left to train on
 */
export async function readPairs(config: RewardModelConfig, resolve: ResolveInput = resolveInput) {
  const read = async (path: string, key: string) =>
    (await readFileRows(resolve(path, key), preferencePairSchema)).map(({ row }) => row);
  const pairs = await read(config.pairs, 'pairs');
  const split =
    config.held_out === null
      ? splitPairs(pairs, config.held_out_share, config.seed)
      : { train: pairs, heldOut: await read(config.held_out, 'held_out') };
  if (split.train.length > 0) return split;
  throw new AnnealError(
    'InvalidData',
    `${config.pairs}: expected pairs of two or more prompts, so that some can be held out; found ${pairs.length} pairs of one prompt. Add pairs of other prompts, or name a file of held-out pairs with held_out`,
  );
}

/** Write the pairs of a training job, or of a refit if one is given. */
export async function writePairs(
  store: Store,
  refit: RefitPlace | undefined,
  { train, heldOut }: { train: PreferencePair[]; heldOut: PreferencePair[] },
): Promise<SplitPairs> {
  const write = (split: PromptSplit, rows: PreferencePair[]) =>
    store.write(within(refit, layout.pairs(split)), encodeJsonl(rows), rows.length);
  return { train: await write('train', train), heldOut: await write('held-out', heldOut) };
}

/** The path of a job's file: in its own folder, or in that of a refit within a run's. */
export function within(refit: RefitPlace | undefined, path: string): string {
  return refit ? `${layout.refit(refit)}/${path}` : path;
}
