// The activities of a reward model's training: its inputs, or pairs out of a run that refits it; an
// epoch, held-out scores, the finished folder. They belong to the queue of training.

import { readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { mean } from '../analysis/metrics/statistics.ts';
import {
  renderPreferenceReport,
  type ScoredPair,
  suggestScale,
  summarizePairs,
} from '../analysis/pages/preference-report.ts';
import { commitCheckpoint, openCheckpoint } from '../artifacts/checkpoints.ts';
import { encodeJsonl } from '../artifacts/jsonl.ts';
import { layout, type RefitPlace } from '../artifacts/layout.ts';
import { writeFileAtomic } from '../artifacts/local/atomic.ts';
import { createLocalStore } from '../artifacts/local/store.ts';
import type { Store } from '../artifacts/store.ts';
import { resolveInput } from '../config/paths.ts';
import {
  type RewardModelConfig,
  resolveRewardModelConfig,
} from '../config/schema/reward-model-file.ts';
import { AnnealError } from '../errors.ts';
import type { PromptSplit } from '../records/metrics.ts';
import { type PreferencePair, preferencePairSchema } from '../records/prompts.ts';
import type { ArtifactRef } from '../records/refs.ts';
import { readRows as readFileRows } from '../rewards/prompts.ts';
import type { PreferenceJob } from '../rl/preference/job.ts';
import { distinctPairs, preferencePairs, splitPairs } from '../rl/preference/pairs.ts';
import { type ActivityScope, runActivity } from './activity.ts';
import { type Dependencies, storeOf } from './dependencies.ts';
import { checkOwner, writeManifest } from './manifest.ts';
import type {
  PreferencePairsInput,
  PreferenceSettings,
  RewardModelActivities,
  SplitPairs,
} from './reward-model-contract.ts';
import { readPromptsById, readRows, readScored } from './samples.ts';
import { withSnapshots } from './snapshots.ts';

export function rewardModelActivitiesWith(dependencies: Dependencies): RewardModelActivities {
  const { models } = dependencies;
  return {
    async prepareRewardModel(input) {
      const store = storeOf(dependencies, input.run);
      return runActivity(store, {}, async (scope) => {
        const config = checkedConfig(input.file, input.run);
        await checkOwner(store, input);
        await checkOut(config.out);
        const { train, heldOut } = await readPairs(config);
        const base = resolveInput(config.base, 'base');
        await models.inspect({ model: base, promptFormat: config.prompt_format }, scope);
        const path = layout.startCheckpoint;
        const scratch = await store.scratch(path);
        await models.makeClassifier({ model: base, seed: config.seed, out: scratch }, scope);
        const start = await commitCheckpoint(store, scratch, { path, epoch: 0, step: 0 });
        const pairs = await writePairs(store, undefined, { train, heldOut });
        await store.write(layout.config, `${JSON.stringify(config, null, 2)}\n`);
        await writeManifest(store, input, { pairs, start });
        return { config, pairs, start };
      });
    },

    async pairVerdicts(input) {
      const store = storeOf(dependencies, input.run);
      return runActivity(store, { epoch: input.refit.epoch }, async () =>
        writePairs(store, input.refit, await comparedBy(store, input)),
      );
    },

    async trainRewardModel(input) {
      const { run, epoch, refit, config, model, pairs } = input;
      const store = storeOf(dependencies, run);
      return runActivity(store, { stage: 'train', epoch }, async (scope) => {
        const path = within(refit, layout.checkpoint(epoch));
        const scratch = await store.scratch(path);
        const { engine, prompt_format: promptFormat, training, lora, seed } = config;
        const whole: PreferenceJob = {
          kind: 'preferences',
          ...{ engine, promptFormat, training, lora, seed, epoch, out: scratch },
          model: await openCheckpoint(store, model),
          pairs: await readRows<PreferencePair>(store, pairs),
        };
        const folder = refit ? layout.refitSnapshots(refit, epoch) : layout.snapshots(epoch);
        const snapshotted = { input, epoch, folder, seconds: engine.snapshot_seconds };
        return withSnapshots(store, snapshotted, scope, async (how, options) => {
          const { steps, tooLong } = await models.trainRewardModel({ ...whole, ...how }, options);
          await store.write(within(refit, layout.steps(epoch)), encodeJsonl(steps));
          const base = model.base ?? (lora ? model : undefined);
          const step = model.step + steps.length;
          const made = { path, epoch, step, ...(base && { base }) };
          return {
            model: await commitCheckpoint(store, scratch, made),
            loss: mean(steps.map(({ loss }) => loss))!,
            accuracy: mean(steps.map(({ accuracy }) => accuracy))!,
            tooLong,
          };
        });
      });
    },

    async evaluateRewardModel({ run, epoch, refit, config, model, pairs }) {
      const store = storeOf(dependencies, run);
      return runActivity(store, { stage: 'evaluate', epoch }, async (scope) => {
        const folder = await openCheckpoint(store, model);
        const rows = await readRows<PreferencePair>(store, pairs);
        const scored = await scorePairs(dependencies, folder, config, rows, scope);
        const path = within(refit, layout.pairScores(epoch));
        const scores = await store.write(path, encodeJsonl(scored), scored.length);
        return { scores, summary: summarizePairs(scored) };
      });
    },

    async publishRewardModel({ run, config, model, scores, trained, epochs }) {
      const store = storeOf(dependencies, run);
      return runActivity(store, {}, async (scope) => {
        const rows = await readRows<ScoredPair>(store, scores);
        const summary = summarizePairs(rows);
        const report = {
          name: run,
          base: config.base,
          trained: { pairs: trained.pairs, too_long: trained.tooLong },
          epochs,
          held_out: summary,
          suggested: suggestScale(rows),
        };
        const out = resolve(config.out);
        const place = createLocalStore(dirname(out));
        const scratch = await place.scratch(basename(out));
        const folder = await openCheckpoint(store, model);
        await models.makeClassifier({ model: folder, seed: config.seed, out: scratch }, scope);
        await writeFileAtomic(join(scratch, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
        await writeFileAtomic(join(scratch, 'report.md'), renderPreferenceReport(report));
        await place.commitFolder(scratch, basename(out));
        return summary;
      });
    },
  };
}

function checkedConfig(file: unknown, run: string): RewardModelConfig {
  const config = resolveRewardModelConfig(file, 'reward model file');
  return resolveRewardModelConfig({ ...config, name: run }, 'workflow id');
}

/** Nothing of anybody's is written over. @throws AnnealError InvalidConfig */
export async function checkOut(out: string): Promise<void> {
  const found = await readdir(resolve(out)).catch(() => []);
  if (found.length > 0)
    throw new AnnealError(
      'InvalidConfig',
      `out: expected a folder that is not there or is empty, found ${found.length} files in '${out}'; name another or move them away`,
    );
}

/**
 * The pairs that a file names, split by prompts.
 * @throws AnnealError InvalidData naming file and line, or where a split is left without pairs
 */
export async function readPairs(config: RewardModelConfig) {
  const read = async (path: string, key: string) =>
    (await readFileRows(resolveInput(path, key), preferencePairSchema)).map(({ row }) => row);
  const pairs = await read(config.pairs, 'pairs');
  const split =
    config.held_out === null
      ? splitPairs(pairs, config.held_out_share, config.seed)
      : { train: pairs, heldOut: await read(config.held_out, 'held_out') };
  if (split.train.length > 0) return split;
  throw new AnnealError(
    'InvalidData',
    `${config.pairs}: expected pairs of two prompts or more, so that some can be held out, found ${pairs.length} pairs of one; add pairs, or name others with held_out`,
  );
}

/** Pairs out of every epoch's samples. A prompt that is held out is so in all refits of a run. */
async function comparedBy(store: Store, input: PreferencePairsInput) {
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

async function writePairs(
  store: Store,
  refit: RefitPlace | undefined,
  { train, heldOut }: { train: PreferencePair[]; heldOut: PreferencePair[] },
): Promise<SplitPairs> {
  const write = (split: PromptSplit, rows: PreferencePair[]) =>
    store.write(within(refit, layout.pairs(split)), encodeJsonl(rows), rows.length);
  return { train: await write('train', train), heldOut: await write('held-out', heldOut) };
}

/** Where a file of a training lies: in its own folder, or in that of a refit within a run's. */
function within(refit: RefitPlace | undefined, path: string): string {
  return refit ? `${layout.refit(refit)}/${path}` : path;
}

/** The scores of both answers of every pair. */
async function scorePairs(
  { models }: Dependencies,
  model: string,
  { engine, prompt_format: promptFormat, training }: PreferenceSettings,
  pairs: readonly PreferencePair[],
  scope: ActivityScope,
): Promise<ScoredPair[]> {
  const sequences = pairs.flatMap(({ prompt, chosen, rejected }) => [
    { prompt, completion: chosen },
    { prompt, completion: rejected },
  ]);
  const how = { batchSize: 2 * training.microbatch_size, maxLength: training.max_length };
  const scores = await models.scores(
    { kind: 'score', engine, model, sequences, promptFormat, ...how },
    scope,
  );
  return pairs.map((_, i) => ({ chosen: scores[2 * i]!, rejected: scores[2 * i + 1]! }));
}
