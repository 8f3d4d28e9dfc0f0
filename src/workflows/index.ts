// The workflows that workers serve. Users start them by these names.

export { experiment } from './experiment.ts';
export { rewardModelTraining } from './reward-model-training.ts';
export { trainingEpoch } from './training-epoch.ts';
export { trainingRun } from './training-run.ts';
