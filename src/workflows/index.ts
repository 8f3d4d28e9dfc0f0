// The workflows that workers serve. Their names are the types that people start them by.

export { experiment } from './experiment.ts';
export { rewardModelTraining } from './reward-model-training.ts';
export { trainingEpoch } from './training-epoch.ts';
export { trainingRun } from './training-run.ts';
