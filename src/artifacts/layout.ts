// The names of a run's files, all in one place. Paths are relative to the run's folder.

import type { PromptSplit, Split } from '../records/metrics.ts';

/** Which refit: before which epoch, of which of the run file's reward models. */
export interface RefitPlace {
  epoch: number;
  /** From 0. */
  index: number;
}

const padded = (number: number, digits: number) => String(number).padStart(digits, '0');
const epochName = (epoch: number) => `epoch-${padded(epoch, 2)}`;
/** The epoch after which a file or folder is named; null for one that bears no epoch's name. */
export function epochOf(name: string): number | null {
  const [, digits] = /^epoch-(\d{2,})$/.exec(name) ?? [];
  return digits === undefined || epochName(Number(digits)) !== name ? null : Number(digits);
}
const epochsOfEvents = 100;
const samplesFolder = (epoch: number, split: Split) =>
  `samples/${epochName(epoch)}${split === 'train' ? '' : `/${split}`}`;

export const layout = {
  /** The resolved run file. */
  config: 'config.json',
  /** What the run was made of: hashes of its inputs, versions, the machine. */
  manifest: 'manifest.json',
  /** A line for the start and one an epoch; the same run gives the same bytes. */
  metrics: 'metrics.jsonl',
  /** A line for every finished activity: how long it took, and at which attempt. */
  timings: 'timings.jsonl',
  /** A line for every file that was found damaged or gone, and was made again or refused. */
  damage: 'damage.jsonl',
  /** A line for everything done in another environment than the run started in. */
  environment: 'conditions.jsonl',
  /** The whole run on a page. */
  runReport: 'report.md',
  prompts: (split: PromptSplit) => `prompts/${split}.jsonl`,
  epochReport: (epoch: number) => `reports/${epochName(epoch)}.md`,
  rollouts: (epoch: number, split: Split, shard: number) =>
    `${samplesFolder(epoch, split)}/rollouts-${padded(shard, 3)}.jsonl`,
  scored: (epoch: number, split: Split, shard: number) =>
    `${samplesFolder(epoch, split)}/scored-${padded(shard, 3)}.jsonl`,
  /** A line for every optimiser step. */
  steps: (epoch: number) => `steps/${epochName(epoch)}.jsonl`,
  /** The numbers of both as TensorBoard reads them, of a hundred epochs in a file. */
  allEvents: 'tensorboard',
  events: (epoch: number) =>
    `tensorboard/events.out.tfevents.${padded(epoch - (epoch % epochsOfEvents), 5)}.anneal`,
  batch: (epoch: number) => `${samplesFolder(epoch, 'train')}/batch.jsonl`,
  /** References to the scored shards, if reward models are refitted on them. */
  scoredShards: (epoch: number) => `${samplesFolder(epoch, 'train')}/verdicts.jsonl`,
  /** A line for every sample that is not in the batch, and why. */
  dropped: (epoch: number) => `${samplesFolder(epoch, 'train')}/dropped.jsonl`,
  /** Advantages that the objective used, written if they are not those of the batch. */
  advantages: (epoch: number) => `${samplesFolder(epoch, 'train')}/advantages.jsonl`,
  checkpoints: 'checkpoints',
  samples: 'samples',
  /** All samples of an epoch, of every split. */
  samplesOf: (epoch: number) => samplesFolder(epoch, 'train'),
  /** The policy to start from, as it was when the run began. */
  startCheckpoint: 'checkpoints/start',
  /** The reference policy, where the run file names one that is not the policy to start from. */
  referenceCheckpoint: 'checkpoints/reference',
  /** A reward model, by its place among those of the run file. */
  rewardModel: (index: number) => `checkpoints/reward-model-${index + 1}`,
  /** Preference pairs of a reward model's training, and the scores of those held out. */
  pairs: (split: PromptSplit) => `pairs/${split}.jsonl`,
  pairScores: (epoch: number) => `scores/${epochName(epoch)}.jsonl`,
  /** Where an epoch's training stood when it was last written down; gone when it is done. */
  snapshots: (epoch: number) => `snapshots/${epochName(epoch)}`,
  /** Likewise of a refit's pass over its pairs, from 1. */
  refitSnapshots: ({ epoch, index }: RefitPlace, pass: number) =>
    `snapshots/${epochName(epoch)}-reward-model-${index + 1}-pass-${padded(pass, 2)}`,
  allSnapshots: 'snapshots',
  /** The folder of a refit, laid out as that of a reward model's training is. */
  refit: ({ epoch, index }: RefitPlace) => `refits/${epochName(epoch)}/reward-model-${index + 1}`,
  checkpoint: (epoch: number) => `checkpoints/${epochName(epoch)}`,
} as const;

/** Where, in a folder of runs, its workers keep what they share: verdicts, limits, accounts. */
export const sharedPath = '.anneal/judges';
/** The address of that. */
export const sharedFolder = (runsDir: string) => `${runsDir}/${sharedPath}`;
