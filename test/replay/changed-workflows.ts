// The workflows with an incompatible change: they wait before they begin.

import { sleep } from '@temporalio/workflow';
import * as current from '../../src/workflows/index.ts';

export async function trainingRun(...args: Parameters<typeof current.trainingRun>) {
  await sleep('1 second');
  return current.trainingRun(...args);
}

export async function rewardModelTraining(...args: Parameters<typeof current.rewardModelTraining>) {
  await sleep('1 second');
  return current.rewardModelTraining(...args);
}

export async function trainingEpoch(...args: Parameters<typeof current.trainingEpoch>) {
  await sleep('1 second');
  return current.trainingEpoch(...args);
}
