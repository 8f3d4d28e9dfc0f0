// Trains a reward model on pairs of answers, step by step: the parameters and AdamW's state between
// steps, as the policy's trainer holds them.

import { checkSingleScore } from '../../engine/inference/classifier.ts';
import type { DeviceSettings } from '../../engine/inference/jobs.ts';
import type { DecoderConfig } from '../../engine/model/config.ts';
import { integers } from '../../engine/model/packing.ts';
import { rotaryFeeds } from '../../engine/model/rope.ts';
import type { AdamWSettings } from '../../engine/optimizer/adamw.ts';
import type { TensorData } from '../../engine/runtime/session.ts';
import type { SessionCache } from '../../engine/runtime/session-cache.ts';
import { type TrainerOptions, TrainingState } from '../../engine/training/training-state.ts';
import { type PreferenceStats, preferenceGraph, preferenceStats } from './graph.ts';

/** Two answers as token ids, prompt and what ends a text included. */
export interface TokenPair {
  chosen: readonly number[];
  rejected: readonly number[];
}

/** Means over the pairs of a step. */
export interface PreferenceStep extends PreferenceStats {
  /** Global norm before clipping. */
  grad_norm: number;
}

export class PreferenceTrainer {
  private readonly state: TrainingState;
  private readonly sessions: SessionCache;

  private constructor(state: TrainingState, engine: DeviceSettings) {
    this.state = state;
    this.sessions = state.openSessions(engine);
  }

  /**
   * From a classifier's folder; its optimiser's state goes on where there is one.
   * @throws AnnealError InvalidModel
   */
  static async load(
    folder: string,
    engine: DeviceSettings,
    options: TrainerOptions = {},
  ): Promise<PreferenceTrainer> {
    const state = await TrainingState.load(folder, options);
    checkSingleScore(folder, state.policy.config);
    return new PreferenceTrainer(state, engine);
  }

  /** Optimiser steps taken since the moments were zero. */
  get step(): number {
    return this.state.step;
  }

  get config(): DecoderConfig {
    return this.state.policy.config;
  }

  /**
   * One optimiser step on the mean loss of `pairs`, in microbatches of like length.
   * @throws AnnealError NonFinite naming the tensor; the state is then as it was before
   */
  async train(
    pairs: readonly TokenPair[],
    microbatchSize: number,
    settings: AdamWSettings,
  ): Promise<PreferenceStep> {
    const { options } = this.state;
    const session = await this.sessions.get('pairs', () => preferenceGraph(this.config, options));
    const outputs = await session.run({
      ...packPairs(pairs, microbatchSize),
      ...rotaryFeeds(
        this.config,
        pairs.reduce((most, pair) => Math.max(most, lengthOf(pair)), 1),
      ),
      ...this.state.feeds(),
    });
    const values = outputs.stats!.data as Float32Array;
    const named = preferenceStats.map((name, i) => [name, values[i]!] as const);
    const stats = Object.fromEntries(named) as PreferenceStats;
    return { ...stats, grad_norm: this.state.update(outputs, stats, settings) };
  }

  /** Write a checkpoint into `folder` (training-state.ts). */
  save(folder: string): Promise<void> {
    return this.state.save(folder);
  }

  /** Write what a snapshot holds of the model and its optimiser into one file. */
  saveSnapshot(file: string): Promise<void> {
    return this.state.saveSnapshot(file);
  }

  async close(): Promise<void> {
    await this.sessions.close();
  }
}

/** Tokens of the longer answer. */
export function lengthOf({ chosen, rejected }: TokenPair): number {
  return Math.max(chosen.length, rejected.length);
}

/** Pairs as preference-graph.ts reads them, shortest first, each weighing as much as any other. */
export function packPairs(pairs: readonly TokenPair[], microbatchSize: number) {
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
      ends.push(b * length + row.length - 1);
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
