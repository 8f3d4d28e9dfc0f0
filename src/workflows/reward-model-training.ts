// The training of a reward model: prepare, then each epoch with its evaluation, then publish the
// model folder. Each epoch starts from the checkpoint of the one before.

import { setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import type {
  RewardModelEpochInput,
  RewardModelPlan,
  TrainedRewardModel,
} from '../activities/reward-model/contract.ts';
import type { PreferenceEpoch } from '../analysis/pages/preference-report.ts';
import {
  evaluateRewardModel,
  prepareRewardModel,
  publishRewardModel,
  trainRewardModel,
} from './activities.ts';
import { plainFailure, rerunAfterDamage } from './failures.ts';
import { ignoreUnknownSignals } from './ignored-signals.ts';
import { type RewardModelResult, rewardModelEpochsQuery } from './messages.ts';

/**
 * Train a reward model.
 * @param file the content of a file for `anneal reward-model train`.
 * @throws ApplicationFailure of type InvalidConfig, InvalidData or InvalidModel, without a retry,
 * if the file cannot work.
 */
export async function rewardModelTraining(file: unknown): Promise<RewardModelResult> {
  const { workflowId: run, firstExecutionRunId: execution } = workflowInfo();
  const epochs: PreferenceEpoch[] = [];
  setHandler(rewardModelEpochsQuery, () => epochs, {
    description: 'Loss and accuracy of the finished epochs.',
  });
  ignoreUnknownSignals('the training of a reward model');
  try {
    const plan = await prepareRewardModel({ run, execution, file });
    let last = await runEpoch(run, plan, plan.start, epochs);
    while (epochs.length < plan.config.training.epochs)
      last = await runEpoch(run, plan, last.model, epochs);
    const { config, pairs } = plan;
    const { model, scores, tooLong } = last;
    const trained = { pairs: pairs.train.count ?? 0, tooLong };
    const summary = await publishRewardModel({ run, config, model, scores, trained, epochs });
    return { run, out: config.out, accuracy: summary.accuracy, epochs };
  } catch (error) {
    throw plainFailure(error);
  }
}

async function runEpoch(
  run: string,
  { config, pairs }: RewardModelPlan,
  model: RewardModelEpochInput['model'],
  epochs: PreferenceEpoch[],
) {
  const epoch = epochs.length + 1;
  const where = `Epoch ${epoch} of ${config.training.epochs}`;
  setCurrentDetails(`${where}.`);
  const report = (problem: string) => setCurrentDetails(`${where}, rerun. ${problem}`);
  const { trained, evaluated } = await rerunAfterDamage(async () => {
    const summary = `epoch ${epoch} of ${config.training.epochs}`;
    const input = { run, epoch, config };
    const trained = await trainRewardModel.executeWithOptions({ summary }, [
      { ...input, model, pairs: pairs.train },
    ]);
    const evaluated = await evaluateRewardModel.executeWithOptions({ summary }, [
      { ...input, model: trained.model, pairs: pairs.heldOut },
    ]);
    return { trained, evaluated };
  }, report);
  epochs.push(lineOf(epoch, trained, evaluated.summary));
  return { ...trained, scores: evaluated.scores };
}

function lineOf(
  epoch: number,
  { model, loss, accuracy }: TrainedRewardModel,
  heldOut: { loss: number | null; accuracy: number | null },
): PreferenceEpoch {
  return {
    epoch,
    step: model.step,
    loss,
    accuracy,
    held_out_loss: heldOut.loss,
    held_out_accuracy: heldOut.accuracy,
  };
}
