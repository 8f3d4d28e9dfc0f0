// The training of a reward model: prepare, then each epoch with its evaluation, then the finished
// folder. What an epoch leaves is a checkpoint, and the next one starts from it.

import { setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import type {
  RewardModelEpochInput,
  RewardModelPlan,
  TrainedRewardModel,
} from '../activities/reward-model-contract.ts';
import type { PreferenceEpoch } from '../analysis/pages/preference-report.ts';
import {
  evaluateRewardModel,
  prepareRewardModel,
  publishRewardModel,
  trainRewardModel,
} from './activities.ts';
import { plainFailure, remakingDamaged } from './failures.ts';
import { type RewardModelResult, rewardModelEpochsQuery } from './messages.ts';

/**
 * Train a reward model as a file says.
 * @param file the content of a file of `anneal reward-model train`.
 * @throws ApplicationFailure of type InvalidConfig, InvalidData or InvalidModel, at once, for a
 * file that cannot work.
 */
export async function rewardModelTraining(file: unknown): Promise<RewardModelResult> {
  const { workflowId: run, firstExecutionRunId: execution } = workflowInfo();
  const epochs: PreferenceEpoch[] = [];
  setHandler(rewardModelEpochsQuery, () => epochs, {
    description: 'Loss and accuracy of the epochs that are done.',
  });
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
  const tell = (problem: string) => setCurrentDetails(`${where}, made again. ${problem}`);
  const { trained, evaluated } = await remakingDamaged(async () => {
    const summary = `epoch ${epoch} of ${config.training.epochs}`;
    const input = { run, epoch, config };
    const trained = await trainRewardModel.executeWithOptions({ summary }, [
      { ...input, model, pairs: pairs.train },
    ]);
    const evaluated = await evaluateRewardModel.executeWithOptions({ summary }, [
      { ...input, model: trained.model, pairs: pairs.heldOut },
    ]);
    return { trained, evaluated };
  }, tell);
  epochs.push(lineOf(epoch, trained, evaluated.summary));
  return { ...trained, scores: evaluated.scores };
}

function lineOf(
  epoch: number,
  { model, loss, accuracy }: TrainedRewardModel,
  heldOut: { loss: number | null; accuracy: number | null },
): PreferenceEpoch {
  return {
    ...{ epoch, step: model.step, loss, accuracy },
    held_out_loss: heldOut.loss,
    held_out_accuracy: heldOut.accuracy,
  };
}
