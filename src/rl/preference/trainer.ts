// Trains a reward model on pairs of answers, step by step.

import type { DeviceSettings } from '../../engine/inference/jobs.ts';
import { checkSingleScore } from '../../engine/inference/sequence-classifier.ts';
import type { DecoderConfig } from '../../engine/model/config.ts';
import { integers, scoredToken } from '../../engine/model/packing.ts';
import { rotaryFeeds } from '../../engine/model/rope.ts';
import type { AdamWSettings } from '../../engine/optimizer/adamw.ts';
import type { TensorData } from '../../engine/runtime/session.ts';
import { Trainer } from '../../engine/training/trainer.ts';
import { type TrainerOptions, TrainingState } from '../../engine/training/training-state.ts';
import { type PreferenceStats, preferenceGraph, preferenceStats } from './graph.ts';

/** Two answers as token ids, with the prompt and the end of the text. */
export interface TokenPair {
  chosen: readonly number[];
  rejected: readonly number[];
}

/** Means over the pairs of a step. */
export interface PreferenceStep extends PreferenceStats {
  /** Global norm before clipping. */
  grad_norm: number;
}

/** Not used here, but the optimiser's file has it since its first version. */
const scalars = { kl_scale: 1 };

export class PreferenceTrainer extends Trainer {
  /**
   * From a classifier's folder, with its optimiser's state unless `fresh`.
   * @throws AnnealError InvalidModel
   */
  static async load(
    folder: string,
    engine: DeviceSettings,
    options: TrainerOptions = {},
  ): Promise<PreferenceTrainer> {
    const state = await TrainingState.load(folder, options, scalars);
    checkSingleScore(folder, state.policy.config);
    return new PreferenceTrainer(state, engine);
  }

  /**
   * One optimiser step on the mean loss of `pairs`, in microbatches of similar length.
   * @throws AnnealError NonFinite naming the tensor; the state is then as it was before
   */
  train(
    pairs: readonly TokenPair[],
    microbatchSize: number,
    settings: AdamWSettings,
  ): Promise<PreferenceStep> {
    const longest = pairs.reduce((most, pair) => Math.max(most, lengthOf(pair)), 1);
    return this.takeStep(
      {
        name: 'pairs',
        graph: (options) => preferenceGraph(this.config, options),
        feeds: {
          ...packPairs(pairs, microbatchSize, this.config),
          ...rotaryFeeds(this.config, longest),
        },
        statsOf,
      },
      settings,
    );
  }
}

function statsOf(values: Float32Array): PreferenceStats {
  const named = preferenceStats.map((name, i) => [name, values[i]!] as const);
  return Object.fromEntries(named) as PreferenceStats;
}

/** Tokens of the longer answer. */
export function lengthOf({ chosen, rejected }: TokenPair): number {
  return Math.max(chosen.length, rejected.length);
}

/** Pairs as graph.ts reads them, shortest first, all with the same weight. */
export function packPairs(
  pairs: readonly TokenPair[],
  microbatchSize: number,
  { padTokenId }: Pick<DecoderConfig, 'padTokenId'>,
) {
  const sorted = pairs.toSorted((a, b) => lengthOf(a) - lengthOf(b));
  const tokens: number[] = [];
  const ends: number[] = [];
  const layout: number[] = [];
  for (let first = 0; first < sorted.length; first += microbatchSize) {
    const part = sorted.slice(first, first + microbatchSize);
    const length = lengthOf(part.at(-1)!);
    layout.push(tokens.length, part.length, length, first);
    const rows = part.flatMap(({ chosen, rejected }) => [chosen, rejected]);
    for (const [b, row] of rows.entries()) {
      ends.push(b * length + scoredToken(row, padTokenId));
      for (let t = 0; t < length; t++) tokens.push(row[t] ?? 0);
    }
  }
  return {
    layout: integers(layout, [layout.length / 4, 4]),
    tokens: integers(tokens),
    ends: integers(ends),
    weight: {
      data: new Float32Array(pairs.length).fill(1 / pairs.length),
      shape: [pairs.length],
    },
  } satisfies Record<string, TensorData>;
}
