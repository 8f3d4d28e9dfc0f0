// The names of a run's files, all in one place. Paths are relative to the run's folder.

import type { PromptSplit, Split } from '../records/metrics.ts';

/** Identifies a refit: the epoch that follows it, and the reward model's index. */
export interface RefitPlace {
  epoch: number;
  /** From 0. */
  index: number;
}

const padded = (number: number, digits: number) => String(number).padStart(digits, '0');
const epochName = (epoch: number) => `epoch-${padded(epoch, 2)}`;
/** The epoch in a file or folder name; null if it is not an epoch's name. */
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
  /** Hashes of the run's inputs, versions, and the machine. */
  manifest: 'manifest.json',
  /** A line for the start and for each epoch; the same run gives the same bytes. */
  metrics: 'metrics.jsonl',
  /** A line for every finished activity: its duration and attempt. */
  timings: 'timings.jsonl',
  /** A line for every file that was found damaged or missing. */
  damage: 'damage.jsonl',
  /** A line for everything done in a different environment from the one the run started in. */
  environment: 'conditions.jsonl',
  /** A report of the whole run. */
  runReport: 'report.md',
  prompts: (split: PromptSplit) => `prompts/${split}.jsonl`,
  epochReport: (epoch: number) => `reports/${epochName(epoch)}.md`,
  rollouts: (epoch: number, split: Split, shard: number) =>
    `${samplesFolder(epoch, split)}/rollouts-${padded(shard, 3)}.jsonl`,
  scored: (epoch: number, split: Split, shard: number) =>
    `${samplesFolder(epoch, split)}/scored-${padded(shard, 3)}.jsonl`,
  /** A line for every optimiser step. */
  steps: (epoch: number) => `steps/${epochName(epoch)}.jsonl`,
  /** TensorBoard events of epochs and steps, a hundred epochs per file. */
  allEvents: 'tensorboard',
  events: (epoch: number) =>
    `tensorboard/events.out.tfevents.${padded(epoch - (epoch % epochsOfEvents), 5)}.anneal`,
  batch: (epoch: number) => `${samplesFolder(epoch, 'train')}/batch.jsonl`,
  /** References to the scored shards, if reward models are refitted on them. */
  scoredShards: (epoch: number) => `${samplesFolder(epoch, 'train')}/verdicts.jsonl`,
  /** A line for every dropped sample, with the reason. */
  dropped: (epoch: number) => `${samplesFolder(epoch, 'train')}/dropped.jsonl`,
  /** Advantages that the objective used, written if they are not those of the batch. */
  advantages: (epoch: number) => `${samplesFolder(epoch, 'train')}/advantages.jsonl`,
  checkpoints: 'checkpoints',
  samples: 'samples',
  /** All samples of an epoch, in all splits. */
  samplesOf: (epoch: number) => samplesFolder(epoch, 'train'),
  /** The policy to start from. */
  startCheckpoint: 'checkpoints/start',
  /** The reference policy, if it differs from the policy to start from. */
  referenceCheckpoint: 'checkpoints/reference',
  /** A reward model, by its place among those of the run file. */
  rewardModel: (index: number) => `checkpoints/reward-model-${index + 1}`,
  /** Preference pairs of a reward model's training, and scores of the held-out ones. */
  pairs: (split: PromptSplit) => `pairs/${split}.jsonl`,
  pairScores: (epoch: number) => `scores/${epochName(epoch)}.jsonl`,
  /** Snapshots of an epoch's training; deleted when it is done. */
  snapshots: (epoch: number) => `snapshots/${epochName(epoch)}`,
  /** Likewise for a refit's pass over its pairs, from 1. */
  refitSnapshots: ({ epoch, index }: RefitPlace, pass: number) =>
    `snapshots/${epochName(epoch)}-reward-model-${index + 1}-pass-${padded(pass, 2)}`,
  allSnapshots: 'snapshots',
  /** The folder of a refit, with the layout of a reward model's training. */
  refit: ({ epoch, index }: RefitPlace) => `refits/${epochName(epoch)}/reward-model-${index + 1}`,
  checkpoint: (epoch: number) => `checkpoints/${epochName(epoch)}`,
} as const;

/** The path in a folder of runs where workers share verdicts, limits and accounts. */
export const sharedPath = '.anneal/judges';
/** Its address. */
export const sharedFolder = (runsDir: string) => `${runsDir}/${sharedPath}`;
