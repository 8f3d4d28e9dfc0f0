// Trains a policy step by step: holds the parameters and AdamW's state between steps, and writes
// them as a checkpoint. What a step trains on is the caller's business (train.ts, pretraining).

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DecoderConfig, readModelConfig } from '../engine/model/config.ts';
import { parameterSpecs } from '../engine/model/parameters.ts';
import { writeFloat32 } from '../engine/model/safetensors-writer.ts';
import { saveModelFolder } from '../engine/model/save-folder.ts';
import { readNamed, readParameters } from '../engine/model/weights.ts';
import type { TensorData } from '../engine/runtime/session.ts';
import { SessionCache } from '../engine/runtime/session-cache.ts';
import { AnnealError } from '../errors.ts';
import type { EngineSettings } from './model-service.ts';
import { type ObjectiveKind, type ObjectiveStats, objectiveStats } from './objective.ts';
import { packPerToken, packSequences, type Sequence, sequenceLengths } from './packing.ts';
import { type ScalarInput, scalarInputs, statePrefixes, trainingGraph } from './training-graph.ts';

/** A sequence with what the objective weighs it by; arrays are per completion token. */
export interface TrainSequence extends Sequence {
  weight: number[];
  advantage: number[];
  /** reward_weight · reward, the same for every token. */
  reward: number;
  oldLogprobs: readonly number[];
  referenceLogprobs: readonly number[];
}

/** The numbers in force in a step; the corrections follow from the step's number. */
export type StepSettings = Record<Exclude<ScalarInput, 'correction1' | 'correction2'>, number>;

export interface StepStats extends ObjectiveStats {
  grad_norm: number;
}

/** Name of the optimiser's state in a checkpoint folder. */
export const optimizerFile = 'optimizer.safetensors';
const stateFile = 'trainer_state.json';

type Tensors = Map<string, Float32Array>;

export class PolicyTrainer {
  readonly config: DecoderConfig;
  /** Optimiser steps taken since the moments were zero. */
  step: number;
  private readonly source: string;
  /** Parameters and moments, by the names of the graph's inputs. */
  private state: Tensors;
  private readonly sessions: SessionCache;

  private constructor(
    config: DecoderConfig,
    source: string,
    engine: EngineSettings,
    state: Tensors,
    step: number,
  ) {
    this.config = config;
    this.source = source;
    const { device, threads } = engine;
    this.sessions = new SessionCache({ device, threads });
    this.state = state;
    this.step = step;
  }

  /**
   * From a model folder; its optimiser state goes on unless `fresh`, or where there is none.
   * @throws AnnealError InvalidModel
   */
  static async load(
    folder: string,
    engine: EngineSettings,
    options: { fresh?: boolean } = {},
  ): Promise<PolicyTrainer> {
    const config = await readModelConfig(folder);
    const parameters = await readParameters(folder, config);
    const step = options.fresh ? 0 : await readStep(folder);
    const moments = step > 0 ? await readMoments(folder, config) : new Map();
    const state: Tensors = new Map();
    for (const { name } of parameterSpecs(config)) {
      const parameter = parameters.get(name)!;
      state.set(statePrefixes.parameter + name, parameter);
      for (const prefix of [statePrefixes.first, statePrefixes.second])
        state.set(prefix + name, moments.get(prefix + name) ?? new Float32Array(parameter.length));
    }
    return new PolicyTrainer(config, folder, engine, state, step);
  }

  /**
   * One optimiser step over `sequences`, in microbatches of `microbatchSize`.
   * @throws AnnealError NonFinite naming the tensor; the state is then as it was before
   */
  async train(
    sequences: readonly TrainSequence[],
    microbatchSize: number,
    kind: ObjectiveKind,
    settings: StepSettings,
  ): Promise<StepStats> {
    const leading = [Math.ceil(sequences.length / microbatchSize), microbatchSize];
    const lengths = sequenceLengths(sequences);
    const C = lengths.completionLength;
    const perToken = (of: (s: TrainSequence) => readonly number[]) =>
      packPerToken(sequences.map(of), leading, C);
    const shape = { batch: microbatchSize, ...lengths };
    const session = await this.sessions.get([kind, shape], () =>
      trainingGraph(this.config, kind, shape),
    );
    const outputs = await session.run({
      microbatches: { data: BigInt64Array.of(BigInt(leading[0]!)), shape: [] },
      ...packSequences(sequences, leading, lengths),
      weight: perToken((s) => s.weight),
      advantage: perToken((s) => s.advantage),
      reward: perToken((s) => s.completion.map(() => s.reward)),
      old_logprobs: perToken((s) => s.oldLogprobs),
      reference_logprobs: perToken((s) => s.referenceLogprobs),
      ...this.scalars(settings),
      ...this.stateFeeds(),
    });
    const stats = statsOf(outputs, sequences);
    this.checkFinite(stats, outputs);
    for (const name of this.state.keys())
      this.state.set(name, outputs[`new.${name}`]!.data as Float32Array);
    this.step += 1;
    return stats;
  }

  /** Write a checkpoint into `folder`: a Hugging Face folder, optimiser state beside it. */
  async save(folder: string): Promise<void> {
    const tensors = (prefix: string) =>
      parameterSpecs(this.config).map(
        ({ name, shape }) => [prefix + name, shape, this.state.get(prefix + name)!] as const,
      );
    const parameters = tensors(statePrefixes.parameter);
    await saveModelFolder({ source: this.source, out: folder, tensors: parameters });
    const moments = [...tensors(statePrefixes.first), ...tensors(statePrefixes.second)];
    await writeFloat32(join(folder, optimizerFile), moments);
    await writeFile(join(folder, stateFile), `${JSON.stringify({ step: this.step })}\n`);
  }

  async close(): Promise<void> {
    await this.sessions.close();
  }

  private scalars(settings: StepSettings): Record<string, TensorData> {
    const t = this.step + 1;
    const all = {
      ...settings,
      correction1: 1 - settings.beta1 ** t,
      correction2: 1 - settings.beta2 ** t,
    };
    return Object.fromEntries(
      scalarInputs.map((name) => [name, { data: Float32Array.of(all[name]), shape: [] }]),
    );
  }

  private stateFeeds(): Record<string, TensorData> {
    return Object.fromEntries(
      parameterSpecs(this.config).flatMap(({ name, shape }) =>
        Object.values(statePrefixes).map((prefix) => [
          prefix + name,
          { data: this.state.get(prefix + name)!, shape },
        ]),
      ),
    );
  }

  private checkFinite(stats: StepStats, outputs: Record<string, TensorData>): void {
    if (Object.values(stats).every(Number.isFinite)) return;
    const squares = Array.from(outputs.grad_squares!.data, Number);
    const broken = squares.findIndex((x) => !Number.isFinite(x));
    const tensor = broken < 0 ? 'the loss' : parameterSpecs(this.config)[broken]!.name;
    throw new AnnealError(
      'NonFinite',
      `step ${this.step + 1}: expected finite numbers, found the gradient of ${tensor} = ${squares[broken] ?? stats.policy_loss} (loss ${stats.policy_loss}, gradient norm ${stats.grad_norm}); nothing was written; lower training.learning_rate or rlaif.reward_weight`,
    );
  }
}

/** The objective as the graph has it; everything else as a mean over tokens. */
function statsOf(
  outputs: Record<string, TensorData>,
  sequences: readonly TrainSequence[],
): StepStats {
  const values = outputs.stats!.data as Float32Array;
  const total = sequences.flatMap((s) => s.weight).reduce((sum, w) => sum + w, 0);
  const named = objectiveStats.map(
    (name, i) => [name, name === 'policy_loss' ? values[i]! : values[i]! / total] as const,
  );
  return {
    ...(Object.fromEntries(named) as ObjectiveStats),
    grad_norm: Number(outputs.grad_norm!.data[0]),
  };
}

/** AdamW's moments of every parameter, by the names of the graph's inputs. */
function readMoments(folder: string, config: DecoderConfig): Promise<Tensors> {
  const specs = parameterSpecs(config).flatMap(({ name, shape }) =>
    [statePrefixes.first, statePrefixes.second].map((prefix) => ({ name: prefix + name, shape })),
  );
  return readNamed(join(folder, optimizerFile), specs);
}

async function readStep(folder: string): Promise<number> {
  const text = await readFile(join(folder, stateFile), 'utf8').catch(() => undefined);
  return text === undefined ? 0 : (JSON.parse(text) as { step: number }).step;
}
