// Copies a run's inputs into its folder.

import { importCheckpoint, trainingFiles } from '../../artifacts/checkpoints.ts';
import { writeDocument } from '../../artifacts/documents.ts';
import { encodeJsonl } from '../../artifacts/jsonl.ts';
import { layout } from '../../artifacts/layout.ts';
import type { Store } from '../../artifacts/store.ts';
import { firstEpochOf, refittedRewards } from '../../config/schedule.ts';
import type { RunConfig } from '../../config/schema/run.ts';
import { AnnealError } from '../../errors.ts';
import { toExactJson } from '../../records/exact-json.ts';
import type { PromptSplit } from '../../records/metrics.ts';
import type { Prompt } from '../../records/prompts.ts';
import type { CheckpointRef } from '../../records/refs.ts';
import type { RunPlan } from '../contract.ts';
import type { Inputs } from './read-inputs.ts';
import { copyCheckpoint, copyPolicies, copyScoredShards } from './resumed.ts';

/** Epochs whose metrics a run holds (workflows/live-run.ts); its file has all of them. */
const recentEpochs = 100;

/** @returns the plan, with references to the copies */
export async function copyInputs(
  store: Store,
  config: RunConfig,
  inputs: Inputs,
): Promise<RunPlan> {
  const { resumed } = inputs;
  const history = resumed?.history ?? [];
  await writeDocument(store, layout.config, `${JSON.stringify(config, null, 2)}\n`);
  await writeDocument(store, layout.metrics, encodeJsonl(history));
  return {
    config,
    history: [...history.slice(0, 1), ...history.slice(1).slice(-recentEpochs)],
    prompts: await copyPrompts(store, inputs),
    ...(resumed ? await copyPolicies(store, resumed) : await copyModels(store, config, inputs)),
    rewardModels: await copyRewardModels(store, config, inputs),
    verdicts:
      refittedRewards(config).length > 0
        ? await copyScoredShards(store, config, resumed)
        : undefined,
  };
}

async function copyPrompts(store: Store, { train, heldOut }: Inputs): Promise<RunPlan['prompts']> {
  const write = (split: PromptSplit, prompts: readonly Prompt[]) =>
    store.write(layout.prompts(split), encodeJsonl(prompts, toExactJson), prompts.length);
  return { train: await write('train', train), 'held-out': await write('held-out', heldOut) };
}

async function copyModels(
  store: Store,
  config: RunConfig,
  inputs: Inputs,
): Promise<Pick<RunPlan, 'policy' | 'reference'>> {
  const policy = await importModel(store, config, inputs.policy, layout.startCheckpoint);
  const reference = inputs.reference
    ? await importModel(store, config, inputs.reference, layout.referenceCheckpoint)
    : policy;
  return { policy, reference };
}

async function copyRewardModels(
  store: Store,
  config: RunConfig,
  { rewardModels, resumed }: Inputs,
): Promise<Record<string, CheckpointRef>> {
  const copies: Record<string, CheckpointRef> = {};
  for (const [index, [name, folder]] of rewardModels.entries()) {
    const refitted = resumed?.rewardModels[name];
    copies[name] = refitted
      ? await copyCheckpoint(store, resumed.source, refitted)
      : await importModel(store, config, folder, layout.rewardModel(index));
  }
  checkDistinctPaths(copies);
  return copies;
}

/** Copy a model folder, as the checkpoint before the first epoch. */
function importModel(
  store: Store,
  config: RunConfig,
  folder: string,
  path: string,
): Promise<CheckpointRef> {
  const epoch = firstEpochOf(config) - 1;
  return importCheckpoint(store, folder, { path, epoch, step: 0 }, { without: trainingFiles });
}

/** @throws AnnealError InvalidConfig if two reward models, one of another run, share a path */
function checkDistinctPaths(copies: Record<string, CheckpointRef>): void {
  const paths = Object.values(copies).map(({ path }) => path);
  if (new Set(paths).size === paths.length) return;
  throw new AnnealError(
    'InvalidConfig',
    `resume_from: expected the rewards of kind reward_model in the same order as in the earlier run, found ${Object.keys(copies).join(', ')}; restore that order and put new ones last`,
  );
}
