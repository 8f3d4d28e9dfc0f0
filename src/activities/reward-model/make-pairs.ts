// Makes preference pairs from a reward's scores of a run's samples, for a refit.

import type { Store } from '../../artifacts/store.ts';
import type { PreferencePair } from '../../records/prompts.ts';
import type { ArtifactRef } from '../../records/refs.ts';
import { distinctPairs, preferencePairs, splitPairs } from '../../rl/preference/pairs.ts';
import { runActivity } from '../activity.ts';
import { type Dependencies, storeOf } from '../dependencies.ts';
import { readPromptsById, readRows, readScored } from '../samples.ts';
import type { PreferencePairsInput, SplitPairs } from './contract.ts';
import { writePairs } from './pairs.ts';

export function makePreferencePairsWith(dependencies: Dependencies) {
  return async function makePreferencePairs(input: PreferencePairsInput): Promise<SplitPairs> {
    const store = storeOf(dependencies, input.run);
    return runActivity(store, { epoch: input.refit.epoch }, async () =>
      writePairs(store, input.refit, await pairsOf(store, input)),
    );
  };
}

/** Pairs of all epochs. A prompt is held out in every refit of a run, or in none. */
async function pairsOf(store: Store, input: PreferencePairsInput) {
  const { judge: reward, pairsPerGroup: perGroup, minDifference, includeBroken } = input;
  const prompts = await readPromptsById(store, input.prompts);
  const textOf = (id: string) => prompts.get(id)!.prompt;
  const pairs: PreferencePair[] = [];
  for (const { shards } of input.verdicts) {
    const samples = await readScored(store, await readRows<ArtifactRef>(store, shards));
    const settings = { reward, perGroup, minDifference, includeBroken };
    pairs.push(...preferencePairs(samples, textOf, settings));
  }
  const texts = [...new Set([...prompts.keys()].map(textOf))];
  return splitPairs(distinctPairs(pairs), input.heldOutShare, input.seed, texts);
}
