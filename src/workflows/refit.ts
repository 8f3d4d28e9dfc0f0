// Refits of reward models between two phases: each model with a `refit` section is trained further
// on another reward's scores from the phase that ended. The result replaces the model if it is no
// worse.

import type { PreferenceSettings } from '../activities/reward-model/contract.ts';
import { isAtLeastAsGood } from '../analysis/metrics/refit.ts';
import { beginsLaterPhase, refittedRewards } from '../config/schedule.ts';
import type { RunConfig } from '../config/schema/run.ts';
import type { Refit } from '../records/metrics.ts';
import type { ArtifactRef, CheckpointRef } from '../records/refs.ts';
import { evaluateRewardModel, makePreferencePairs, trainRewardModel } from './activities.ts';
import { rerunAfterDamage } from './failures.ts';
import type { LiveRun } from './live-run.ts';
import type { RunState } from './run-state.ts';

type Refitted = ReturnType<typeof refittedRewards>[number];

/** Whether reward models must be refitted before `epoch`, the run's next. */
export function refitsAreDue(state: Readonly<RunState>, epoch: number): boolean {
  const { plan, verdicts, refits } = state;
  const done = refits.some((refit) => refit.epoch === epoch);
  return verdicts !== undefined && beginsLaterPhase(plan.config, epoch) && !done;
}

/** Refit the run's reward models before the epoch, one after the other. */
export async function refitRewardModels(live: LiveRun, epoch: number): Promise<void> {
  for (const one of refittedRewards(live.state.plan.config)) {
    const { model, refit } = await rerunAfterDamage(
      () => refitRewardModel(live, one, epoch),
      (problem) => live.reportDamage(epoch, [problem]),
    );
    live.adoptRefit(model, refit);
  }
  live.finishRefits();
}

/** @returns the model to use from now on, and the numbers of the refit */
async function refitRewardModel(
  live: LiveRun,
  one: Refitted,
  epoch: number,
): Promise<{ model: CheckpointRef; refit: Refit }> {
  const model = live.state.plan.rewardModels![one.reward.name]!;
  const { makePairs, train, accuracyOf } = stepsOf(live, one, epoch);
  const { train: pairs, heldOut } = await makePairs();
  const counts = { pairs: pairs.count ?? 0, heldOutPairs: heldOut.count ?? 0 };
  const enough = counts.pairs >= one.refit.min_pairs && counts.heldOutPairs > 0;
  const accuracyBefore = enough ? await accuracyOf(0, model, heldOut) : null;
  const refit = { reward: one.reward.name, epoch, ...counts, accuracyBefore };
  if (accuracyBefore === null)
    return { model, refit: { ...refit, accuracyAfter: null, inForce: false } };
  const passes = one.refit.training.epochs;
  let fitted = model;
  for (let pass = 1; pass <= passes; pass++) fitted = await train(pass, fitted, pairs);
  const accuracyAfter = await accuracyOf(passes, fitted, heldOut);
  const inForce = isAtLeastAsGood(accuracyBefore, accuracyAfter);
  return { model: inForce ? fitted : model, refit: { ...refit, accuracyAfter, inForce } };
}

/** The activities of a refit, with their inputs and their labels on the timeline. */
function stepsOf({ run, state }: LiveRun, one: Refitted, epoch: number) {
  const { reward, refit, index } = one;
  const { config, prompts } = state.plan;
  const place = { epoch, index };
  const input = { run, refit: place, config: preferenceSettings(config, one) };
  const passes = refit.training.epochs;
  const labelled = (what: string) => ({ summary: `refit of ${reward.name}: ${what}` });
  return {
    makePairs: () =>
      makePreferencePairs.executeWithOptions(labelled(`pairs by ${refit.judge}`), [
        {
          run,
          refit: place,
          seed: config.seed,
          prompts: prompts.train,
          verdicts: state.verdicts!,
          judge: refit.judge,
          pairsPerGroup: refit.pairs_per_group,
          minDifference: refit.min_difference,
          includeBroken: reward.gate === 'none',
          heldOutShare: refit.held_out_share,
        },
      ]),
    train: async (pass: number, model: CheckpointRef, pairs: ArtifactRef) => {
      const options = labelled(`pass ${pass} of ${passes}`);
      const work = { ...input, epoch: pass, model, pairs };
      return (await trainRewardModel.executeWithOptions(options, [work])).model;
    },
    accuracyOf: async (pass: number, model: CheckpointRef, pairs: ArtifactRef) => {
      const options = labelled(`held-out pairs ${pass === 0 ? 'before' : 'after'}`);
      const work = { ...input, epoch: pass, model, pairs };
      const { summary } = await evaluateRewardModel.executeWithOptions(options, [work]);
      return summary.accuracy;
    },
  };
}

function preferenceSettings(
  { seed, engine }: RunConfig,
  { reward, refit }: Refitted,
): PreferenceSettings {
  const { prompt_format, max_length } = reward;
  const { lora, training } = refit;
  return { seed, engine, prompt_format, lora, training: { ...training, max_length } };
}
