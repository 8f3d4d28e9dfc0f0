// Checks a run before anything of it is written, and then copies its inputs into its folder, so
// that the run depends on nothing outside of it.

import { parseMetricsJsonl } from '../analysis/metrics/history.ts';
import { isS3Url } from '../artifacts/address.ts';
import {
  commitCheckpoint,
  copyModel,
  type ForeignCheckpoint,
  openCheckpoint,
  readForeignCheckpoint,
  type TrainerState,
  trainingFiles,
} from '../artifacts/checkpoints.ts';
import { readVerified, writeDocument } from '../artifacts/documents.ts';
import { encodeJsonl } from '../artifacts/jsonl.ts';
import { layout } from '../artifacts/layout.ts';
import type { Store } from '../artifacts/store.ts';
import { resolveConfig } from '../config/load.ts';
import { resolveCheckpoint, resolveInput } from '../config/paths.ts';
import { scoringModels } from '../config/reward-traits.ts';
import { firstEpochOf, lastEpochOf, phaseOf, refittedRewards } from '../config/schedule.ts';
import { type RunConfig, runSchema } from '../config/schema/run.ts';
import { readAdapterFolder } from '../engine/files/adapter-folder.ts';
import { checkSingleScore } from '../engine/inference/classifier.ts';
import { AnnealError } from '../errors.ts';
import type { EpochMetrics } from '../records/metrics.ts';
import type { Prompt } from '../records/prompts.ts';
import type { ArtifactRef, CheckpointRef, ScoredShards } from '../records/refs.ts';
import { createRewards, readRewardFiles } from '../rewards/kinds.ts';
import { readPrompts } from '../rewards/prompts.ts';
import type { ModelService } from '../rl/model-service.ts';
import { type ActivityScope, runActivity } from './activity.ts';
import type { PrepareInput, RunPlan } from './contract.ts';
import { type Dependencies, storeOf } from './dependencies.ts';
import { differencesFrom, recordDifferences } from './environment.ts';
import { checkOwner, writeManifest } from './manifest.ts';
import { rewardServices } from './reward-services.ts';
import { readRows } from './samples.ts';
import { checkPhases, checkPromptCounts } from './settings-check.ts';

export function prepareWith(dependencies: Dependencies) {
  return async function prepare(input: PrepareInput): Promise<RunPlan> {
    const store = storeOf(dependencies, input.run);
    return runActivity(store, {}, async (scope) => {
      checkName(input.run);
      const config = await resolve(input);
      await checkOwner(store, input);
      const { models, runsDir } = dependencies;
      const account = { runsDir, run: input.run };
      createRewards(config.rewards, rewardServices(models, config.engine, account));
      const inputs = await readInputs(config, models, scope);
      const plan = await copyInputs(store, config, inputs);
      const { prompts, policy, reference, rewardModels } = plan;
      await writeManifest(store, input, { prompts, policy, reference, rewardModels });
      const { resumed } = inputs;
      if (resumed) await recordDifferences(store, resumed.ref.epoch, resumed.differences);
      return plan;
    });
  };
}

/** The run file completed and checked, with its workflow's name and its judges' rubrics in it. */
async function resolve({ file, run }: PrepareInput): Promise<RunConfig> {
  const config = resolveConfig(file, 'run file');
  return { ...config, name: run, rewards: await readRewardFiles(config.rewards) };
}

/** What a run file names, found and checked. */
interface Inputs {
  train: Prompt[];
  heldOut: Prompt[];
  /** Absolute paths of model folders. */
  policy: string;
  reference: string | null;
  /** By the name of the reward. */
  rewardModels: [name: string, folder: string][];
  resumed: Resumed | null;
}

interface Resumed extends ForeignCheckpoint {
  /** Absolute path of the checkpoint. */
  folder: string;
  history: EpochMetrics[];
  /** What is other here than where the other run began. */
  differences: string[];
  /** Reward models that are refitted, as they were at the epoch's end, by the name of the reward. */
  rewardModels: Record<string, CheckpointRef>;
}

/** The workflow's id names the run's folder, so it has to be a name. */
function checkName(run: string): void {
  if (runSchema.shape.name.safeParse(run).success) return;
  throw new AnnealError(
    'InvalidConfig',
    `expected a workflow id of letters, digits, dots, hyphens and underscores, since it names the run's folder; found '${run}'`,
  );
}

async function readInputs(
  config: RunConfig,
  models: ModelService,
  scope: ActivityScope,
): Promise<Inputs> {
  checkPhases(config);
  const { model, prompts, resume_from } = config;
  const train = await readPrompts(resolveInput(prompts.train, 'prompts.train'));
  const heldOut = await readPrompts(resolveInput(prompts.held_out, 'prompts.held_out'));
  checkPromptCounts(config, train.length, heldOut.length);
  const resumed = resume_from === null ? null : await readResumed(resume_from, config);
  const policy = resumed?.folder ?? resolveInput(model.path, 'model.path');
  const reference = model.reference && resolveInput(model.reference, 'model.reference');
  if (!resumed) await refuseAdapters('model.path', policy);
  if (reference !== null) await refuseAdapters('model.reference', reference);
  await models.inspect({ model: policy, promptFormat: model.prompt_format }, scope);
  if (reference !== null) await models.inspect({ model: reference }, scope);
  const rewardModels = await readRewardModels(config, models, scope);
  return { train, heldOut, policy, reference, rewardModels, resumed };
}

/** Check the reward models among the rewards. @throws AnnealError InvalidModel */
async function readRewardModels(config: RunConfig, models: ModelService, scope: ActivityScope) {
  const found: Inputs['rewardModels'] = [];
  for (const { name, path, prompt_format } of scoringModels(config.rewards)) {
    const key = `rewards: path of '${name}'`;
    const model = resolveInput(path, key);
    await refuseAdapters(key, model);
    checkSingleScore(model, await models.inspect({ model, promptFormat: prompt_format }, scope));
    found.push([name, model]);
  }
  return found;
}

/** A run copies the models that it starts from, and adapters would come without theirs. */
async function refuseAdapters(key: string, folder: string): Promise<void> {
  if (!(await readAdapterFolder(folder))) return;
  throw new AnnealError(
    'InvalidModel',
    `${key}: expected a whole model, found adapters in '${folder}'; go on from a run's adapters with resume_from, or make them one model with anneal merge`,
  );
}

/** @throws AnnealError InvalidModel or DamagedArtifact for the folder, InvalidConfig for its epoch. */
async function readResumed(resumeFrom: string, config: RunConfig): Promise<Resumed> {
  const address = isS3Url(resumeFrom) ? resumeFrom : resolveCheckpoint(resumeFrom);
  const found = await readForeignCheckpoint(address);
  const { source, state } = found;
  const { epoch } = found.ref;
  if (!phaseOf(config, epoch + 1))
    throw new AnnealError(
      'InvalidConfig',
      `resume_from: expected the checkpoint of an epoch before one of this run's (${firstEpochOf(config)} to ${lastEpochOf(config)}), found one of epoch ${epoch}. Name another checkpoint or move the phases.`,
    );
  const folder = await openCheckpoint(source, found.ref);
  const rewardModels = resumedRewardModels(config, state);
  for (const ref of [state.reference, ...Object.values(rewardModels)])
    await openCheckpoint(source, ref);
  const differences = await differencesFrom(await source.readText(layout.manifest));
  const history = await historyUpTo(source, epoch);
  return { ...found, folder, history, differences, rewardModels };
}

function resumedRewardModels(config: RunConfig, { refitting }: TrainerState) {
  const found = refittedRewards(config).flatMap(({ reward: { name } }) => {
    const ref = refitting?.rewardModels[name];
    return ref ? [[name, ref] as const] : [];
  });
  return Object.fromEntries(found);
}

/** The other run's metrics to the epoch; empty where it has not measured that one. */
async function historyUpTo(source: Store, epoch: number): Promise<EpochMetrics[]> {
  const text = await readVerified(source, layout.metrics);
  const lines = text === null ? [] : parseMetricsJsonl(text, `${layout.metrics} of resume_from`);
  const history = lines.filter((line) => line.epoch <= epoch);
  return history.at(-1)?.epoch === epoch ? history : [];
}

async function copyInputs(store: Store, config: RunConfig, inputs: Inputs): Promise<RunPlan> {
  const { train, heldOut, resumed } = inputs;
  const history = resumed?.history ?? [];
  const refits = refittedRewards(config).length > 0;
  await writeDocument(store, layout.config, `${JSON.stringify(config, null, 2)}\n`);
  await writeDocument(store, layout.metrics, encodeJsonl(history));
  return {
    config,
    history,
    prompts: {
      train: await store.write(layout.prompts('train'), encodeJsonl(train), train.length),
      'held-out': await store.write(
        layout.prompts('held-out'),
        encodeJsonl(heldOut),
        heldOut.length,
      ),
    },
    ...(resumed ? await copyResumed(store, resumed) : await copyModels(store, config, inputs)),
    rewardModels: await copyRewardModels(store, config, inputs),
    ...(refits && { verdicts: await copyScoredShards(store, config, resumed) }),
  };
}

type Policies = Pick<RunPlan, 'policy' | 'reference'>;

async function copyModels(store: Store, config: RunConfig, inputs: Inputs): Promise<Policies> {
  const epoch = firstEpochOf(config) - 1;
  const importModel = (folder: string, path: string) =>
    importCheckpoint(store, folder, { path, epoch, step: 0 }, trainingFiles);
  const policy = await importModel(inputs.policy, layout.startCheckpoint);
  const reference = inputs.reference
    ? await importModel(inputs.reference, layout.referenceCheckpoint)
    : policy;
  return { policy, reference };
}

async function copyRewardModels(
  store: Store,
  config: RunConfig,
  { rewardModels, resumed }: Inputs,
): Promise<Record<string, CheckpointRef>> {
  const epoch = firstEpochOf(config) - 1;
  const copies: Record<string, CheckpointRef> = {};
  for (const [index, [name, folder]] of rewardModels.entries()) {
    const path = layout.rewardModel(index);
    const there = resumed?.rewardModels[name];
    copies[name] = there
      ? await adopt(store, resumed.source, there)
      : await importCheckpoint(store, folder, { path, epoch, step: 0 }, trainingFiles);
  }
  checkPlaces(copies);
  return copies;
}

/** @throws AnnealError InvalidConfig where a model of the other run has the place of one of this. */
function checkPlaces(copies: Record<string, CheckpointRef>): void {
  const places = Object.values(copies).map(({ path }) => path);
  if (new Set(places).size === places.length) return;
  throw new AnnealError(
    'InvalidConfig',
    `resume_from: expected the rewards of kind reward_model in the order of the run to go on from, found ${Object.keys(copies).join(', ')}; put them in that order, new ones last`,
  );
}

/** What the other run sampled in the phase of the epoch that this one goes on from. */
async function copyScoredShards(
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

async function copyResumed(store: Store, { source, ref, state }: Resumed): Promise<Policies> {
  return {
    policy: await adopt(store, source, ref),
    reference: await adopt(store, source, state.reference),
  };
}

/** The same files under the same names as in the other run: from here on nothing tells them apart. */
async function adopt(store: Store, source: Store, there: CheckpointRef): Promise<CheckpointRef> {
  const base = there.base && { base: await adopt(store, source, there.base) };
  return importCheckpoint(store, await source.fetchFolder(there.path), { ...there, ...base }, []);
}

async function importCheckpoint(
  store: Store,
  folder: string,
  { path, epoch, step, base }: Omit<CheckpointRef, 'sha256'>,
  without: readonly string[],
): Promise<CheckpointRef> {
  const scratch = await store.scratch(path);
  await copyModel(folder, scratch, { without });
  return commitCheckpoint(store, scratch, { path, epoch, step, ...(base && { base }) });
}
