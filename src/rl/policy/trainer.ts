// Trains a policy step by step: holds the parameters and AdamW's state between steps, and writes
// them as a checkpoint. What a step trains on is the caller's business (train.ts, pretraining).

import type { EngineSettings } from '../../engine/inference/jobs.ts';
import type { DecoderConfig } from '../../engine/model/config.ts';
import { byLength, lengthOf, packBatches, type Sequence } from '../../engine/model/packing.ts';
import { rotaryFeeds } from '../../engine/model/rope.ts';
import type { AdamWSettings } from '../../engine/optimizer/adamw.ts';
import type { TensorData } from '../../engine/runtime/session.ts';
import type { SessionCache } from '../../engine/runtime/session-cache.ts';
import { type TrainerOptions, TrainingState } from '../../engine/training/training-state.ts';
import { type ObjectiveKind, type ObjectiveStats, objectiveStats } from '../objective.ts';
import { type ScalarInput, scalarInputs, tokenInputs, trainingGraph } from './graph.ts';

/** A sequence with what the objective weighs it by; arrays are per completion token. */
export interface TrainSequence extends Sequence {
  weight: number[];
  advantage: number[];
  /** reward_weight · reward, the same for every token. */
  reward: number;
  oldLogprobs: readonly number[];
  referenceLogprobs: readonly number[];
}

/** The numbers in force in a step. */
export type StepSettings = Record<ScalarInput, number> & AdamWSettings;

export interface StepStats extends ObjectiveStats {
  /** Global norm before clipping. */
  grad_norm: number;
}

export class PolicyTrainer {
  private readonly state: TrainingState;
  private readonly sessions: SessionCache;

  private constructor(state: TrainingState, engine: EngineSettings) {
    this.state = state;
    this.sessions = state.openSessions(engine);
  }

  /**
   * From a policy's folder; its optimiser's state goes on unless `fresh`, or where there is none.
   * @throws AnnealError InvalidModel
   */
  static async load(
    folder: string,
    engine: EngineSettings,
    options: TrainerOptions = {},
  ): Promise<PolicyTrainer> {
    return new PolicyTrainer(await TrainingState.load(folder, options), engine);
  }

  /** Optimiser steps taken since the moments were zero. */
  get step(): number {
    return this.state.step;
  }

  get config(): DecoderConfig {
    return this.state.policy.config;
  }

  /** Factor on kl_penalty that an adaptive penalty has come to; part of a checkpoint. */
  get klScale(): number {
    return this.state.klScale;
  }

  set klScale(scale: number) {
    // As a checkpoint holds it, so that going on from one changes nothing.
    this.state.klScale = Math.fround(scale);
  }

  /**
   * One optimiser step over `sequences`, in microbatches of `microbatchSize` and like length.
   * @throws AnnealError NonFinite naming the tensor; the state is then as it was before
   */
  async train(
    sequences: readonly TrainSequence[],
    microbatchSize: number,
    kind: ObjectiveKind,
    settings: StepSettings,
  ): Promise<StepStats> {
    const session = await this.sessions.get(kind, () =>
      trainingGraph(this.config, { ...this.state.options, kind }),
    );
    const outputs = await session.run({
      ...this.microbatches(sequences, microbatchSize),
      ...this.scalars(settings),
      ...this.state.feeds(),
    });
    const stats = statsOf(outputs.stats!, sequences);
    const grad_norm = this.state.update(outputs, stats, settings);
    return { ...stats, grad_norm };
  }

  /** Write a checkpoint into `folder` (training-state.ts). */
  save(folder: string): Promise<void> {
    return this.state.save(folder);
  }

  /** Write what a snapshot holds of the policy and its optimiser into one file. */
  saveSnapshot(file: string): Promise<void> {
    return this.state.saveSnapshot(file);
  }

  async close(): Promise<void> {
    await this.sessions.close();
  }

  private microbatches(sequences: readonly TrainSequence[], size: number) {
    const sorted = byLength(sequences).map((i) => sequences[i]!);
    const batches = Array.from({ length: Math.ceil(sorted.length / size) }, (_, i) =>
      sorted.slice(i * size, (i + 1) * size),
    );
    const packed = packBatches(batches);
    const shape = packed.targets.shape;
    const perToken = {
      weight: (s) => s.weight,
      advantage: (s) => s.advantage,
      reward: (s) => s.completion.map(() => s.reward),
      old_logprobs: (s) => s.oldLogprobs,
      reference_logprobs: (s) => s.referenceLogprobs,
    } satisfies Record<(typeof tokenInputs)[number], (s: TrainSequence) => readonly number[]>;
    return {
      ...packed,
      ...Object.fromEntries(
        tokenInputs.map((name) => {
          const data = Float32Array.from(sorted.flatMap((s) => perToken[name](s)));
          return [name, { data, shape }];
        }),
      ),
      ...rotaryFeeds(this.config, lengthOf(sorted.at(-1)!)),
    };
  }

  private scalars(settings: StepSettings): Record<string, TensorData> {
    return Object.fromEntries(
      scalarInputs.map((name) => [name, { data: Float32Array.of(settings[name]), shape: [] }]),
    );
  }
}

/** The objective as the graph has it; everything else as a mean over tokens. */
function statsOf({ data }: TensorData, sequences: readonly TrainSequence[]): ObjectiveStats {
  const values = data as Float32Array;
  const total = sequences.flatMap((s) => s.weight).reduce((sum, w) => sum + w, 0);
  const named = objectiveStats.map(
    (name, i) => [name, name === 'policy_loss' ? values[i]! : values[i]! / total] as const,
  );
  return Object.fromEntries(named) as ObjectiveStats;
}
