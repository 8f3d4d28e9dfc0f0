// Trains a policy step by step on sequences with advantages. The caller chooses the sequences
// (train.ts, pretraining).

import type { EngineSettings } from '../../engine/inference/jobs.ts';
import { byLength, lengthOf, packBatches, type Sequence } from '../../engine/model/packing.ts';
import { rotaryFeeds } from '../../engine/model/rope.ts';
import type { AdamWSettings } from '../../engine/optimizer/adamw.ts';
import type { TensorData } from '../../engine/runtime/session.ts';
import { Trainer } from '../../engine/training/trainer.ts';
import { type TrainerOptions, TrainingState } from '../../engine/training/training-state.ts';
import { type ScalarInput, scalarInputs, tokenInputs, trainingGraph } from './graph.ts';
import { type ObjectiveKind, type ObjectiveStats, objectiveStats } from './objective.ts';

/** A sequence with the numbers that the objective needs; arrays are per completion token. */
export interface TrainSequence extends Sequence {
  weight: number[];
  advantage: number[];
  /** reward_weight · reward, for the reported likelihood loss; the same for every token. */
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

export class PolicyTrainer extends Trainer {
  /**
   * From a policy's folder, with its optimiser's state unless `fresh`.
   * @throws AnnealError InvalidModel
   */
  static async load(
    folder: string,
    engine: EngineSettings,
    options: TrainerOptions = {},
  ): Promise<PolicyTrainer> {
    return new PolicyTrainer(await TrainingState.load(folder, options, { kl_scale: 1 }), engine);
  }

  /** Factor on kl_penalty, which an adaptive penalty changes; part of a checkpoint. */
  get klScale(): number {
    return this.state.scalars.kl_scale!;
  }

  set klScale(scale: number) {
    // Rounded as in a checkpoint, so that resuming from one changes nothing.
    this.state.scalars.kl_scale = Math.fround(scale);
  }

  /**
   * One optimiser step over `sequences`, in microbatches of `microbatchSize` and similar length.
   * @throws AnnealError NonFinite naming the tensor; the state is then as it was before
   */
  train(
    sequences: readonly TrainSequence[],
    microbatchSize: number,
    kind: ObjectiveKind,
    settings: StepSettings,
  ): Promise<StepStats> {
    return this.takeStep(
      {
        name: kind,
        graph: (options) => trainingGraph(this.config, { ...options, kind }),
        feeds: {
          ...this.#microbatches(sequences, microbatchSize),
          ...scalarFeeds(settings),
        },
        statsOf: (values) => statsOf(values, sequences),
      },
      settings,
    );
  }

  #microbatches(sequences: readonly TrainSequence[], size: number) {
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
}

function scalarFeeds(settings: StepSettings): Record<string, TensorData> {
  return Object.fromEntries(
    scalarInputs.map((name) => [name, { data: Float32Array.of(settings[name]), shape: [] }]),
  );
}

/** The objective's loss as the graph sums it; everything else as a mean over tokens. */
function statsOf(values: Float32Array, sequences: readonly TrainSequence[]): ObjectiveStats {
  const total = sequences.flatMap((s) => s.weight).reduce((sum, w) => sum + w, 0);
  const named = objectiveStats.map(
    (name, i) => [name, name === 'policy_loss' ? values[i]! : values[i]! / total] as const,
  );
  return Object.fromEntries(named) as ObjectiveStats;
}
