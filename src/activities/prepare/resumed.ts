// Continues another run's checkpoint (`resume_from`): reads what that run left, and copies it.

import { parseMetricsJsonl } from '../../analysis/metrics/history.ts';
import { isS3Url } from '../../artifacts/address.ts';
import {
  type ForeignCheckpoint,
  importCheckpoint,
  openCheckpoint,
  readForeignCheckpoint,
  type TrainerState,
} from '../../artifacts/checkpoints.ts';
import { readVerified } from '../../artifacts/documents.ts';
import { layout } from '../../artifacts/layout.ts';
import type { Store } from '../../artifacts/store.ts';
import { resolveCheckpoint } from '../../config/paths.ts';
import { firstEpochOf, lastEpochOf, phaseOf, refittedRewards } from '../../config/schedule.ts';
import type { RunConfig } from '../../config/schema/run.ts';
import { AnnealError } from '../../errors.ts';
import type { EpochMetrics } from '../../records/metrics.ts';
import type { ArtifactRef, CheckpointRef, ScoredShards } from '../../records/refs.ts';
import type { RunPlan } from '../contract.ts';
import { differencesFrom } from '../environment.ts';
import { readRows } from '../samples.ts';

/** A checkpoint of another run, and what that run knew at the end of its epoch. */
export interface Resumed extends ForeignCheckpoint {
  /** Absolute path of the checkpoint. */
  folder: string;
  history: EpochMetrics[];
  /** How this environment differs from the one that the other run started in. */
  differences: string[];
  /** Reward models that are refitted, by the name of the reward. */
  rewardModels: Record<string, CheckpointRef>;
}

/** @throws AnnealError InvalidModel or DamagedArtifact for the folder, InvalidConfig for its epoch */
export async function readResumed(resumeFrom: string, config: RunConfig): Promise<Resumed> {
  const address = isS3Url(resumeFrom) ? resumeFrom : resolveCheckpoint(resumeFrom);
  const found = await readForeignCheckpoint(address);
  const { source, state } = found;
  const { epoch } = found.ref;
  checkEpoch(config, epoch);
  const folder = await openCheckpoint(source, found.ref);
  const rewardModels = refittedModels(config, state);
  for (const ref of [state.reference, ...Object.values(rewardModels)])
    await openCheckpoint(source, ref);
  const differences = await differencesFrom(await source.readText(layout.manifest));
  const history = await historyUpTo(source, epoch);
  return { ...found, folder, history, differences, rewardModels };
}

function checkEpoch(config: RunConfig, epoch: number): void {
  if (phaseOf(config, epoch + 1)) return;
  throw new AnnealError(
    'InvalidConfig',
    `resume_from: expected the checkpoint of an epoch before one of this run's (${firstEpochOf(config)} to ${lastEpochOf(config)}), found one of epoch ${epoch}. Name another checkpoint or move the phases.`,
  );
}

function refittedModels(config: RunConfig, { refitting }: TrainerState) {
  const found = refittedRewards(config).flatMap(({ reward: { name } }) => {
    const ref = refitting?.rewardModels[name];
    return ref ? [[name, ref] as const] : [];
  });
  return Object.fromEntries(found);
}

/** The other run's metrics up to the epoch; empty if it has none of that epoch itself. */
async function historyUpTo(source: Store, epoch: number): Promise<EpochMetrics[]> {
  const text = await readVerified(source, layout.metrics);
  const lines = text === null ? [] : parseMetricsJsonl(text, `${layout.metrics} of resume_from`);
  const history = lines.filter((line) => line.epoch <= epoch);
  return history.at(-1)?.epoch === epoch ? history : [];
}

/** Copy policy and reference. */
export async function copyPolicies(
  store: Store,
  { source, ref, state }: Resumed,
): Promise<Pick<RunPlan, 'policy' | 'reference'>> {
  return {
    policy: await copyCheckpoint(store, source, ref),
    reference: await copyCheckpoint(store, source, state.reference),
  };
}

/** Copy the scored shards of the phase that the checkpoint's epoch belongs to. */
export async function copyScoredShards(
  store: Store,
  config: RunConfig,
  resumed: Resumed | null,
): Promise<ScoredShards[]> {
  if (!resumed) return [];
  const { ref, source, state } = resumed;
  const phase = phaseOf(config, ref.epoch);
  const found = state.refitting?.verdicts ?? [];
  const ofPhase = found.filter(({ epoch }) => phase && phaseOf(config, epoch) === phase);
  for (const { shards } of ofPhase)
    for (const file of [shards, ...(await readRows<ArtifactRef>(source, shards))])
      await store.write(file.path, await source.read(file));
  return ofPhase;
}

/** Copy a checkpoint and its base under the paths that they have in the other run. */
export async function copyCheckpoint(
  store: Store,
  source: Store,
  ref: CheckpointRef,
): Promise<CheckpointRef> {
  const base = ref.base && (await copyCheckpoint(store, source, ref.base));
  const { path, epoch, step } = ref;
  const folder = await source.fetchFolder(path);
  return importCheckpoint(store, folder, { path, epoch, step, base });
}
