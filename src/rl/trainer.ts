// Trains a policy step by step: holds the parameters and AdamW's state between steps, and writes
// them as a checkpoint. What a step trains on is the caller's business (train.ts, pretraining).

import { copyFile, readdir, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  adapterConfigFile,
  adapterWeightsFile,
  encodeAdapterConfig,
  type Lora,
  readAdapters,
  storedName,
} from '../engine/model/adapter-folder.ts';
import type { DecoderConfig } from '../engine/model/config.ts';
import type { ParameterSpec } from '../engine/model/parameters.ts';
import { openPolicyFolder, type PolicyFolder } from '../engine/model/policy-folder.ts';
import { rotaryFeeds } from '../engine/model/rope.ts';
import { writeFloat32 } from '../engine/model/safetensors-writer.ts';
import { saveModelFolder } from '../engine/model/save-folder.ts';
import {
  type ExternalWeights,
  openWeights,
  readNamed,
  readParameters,
} from '../engine/model/weights.ts';
import { type AdamWSettings, adamw, type Moments } from '../engine/optimizer/adamw.ts';
import type { TensorData } from '../engine/runtime/session.ts';
import { SessionCache } from '../engine/runtime/session-cache.ts';
import { uniforms } from '../engine/sampling/random.ts';
import { AnnealError } from '../errors.ts';
import { scaleFeed } from './adapter-feeds.ts';
import type { EngineSettings } from './model-service.ts';
import { type ObjectiveKind, type ObjectiveStats, objectiveStats } from './objective.ts';
import { byLength, packBatches, type Sequence } from './packing.ts';
import {
  type ScalarInput,
  scalarInputs,
  type TrainingOptions,
  tokenInputs,
  trainedSpecs,
  trainingGraph,
} from './training-graph.ts';

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

/** Name of the optimiser's state in a checkpoint folder. */
export const optimizerFile = 'optimizer.safetensors';

export interface TrainerOptions {
  /** Start the optimiser afresh, whatever the folder holds. */
  fresh?: boolean;
  /** Train new adapters over the folder's model; a folder of adapters brings its own. */
  lora?: Lora | null;
  /** Seeds new adapters. */
  seed?: number;
  /** Compute activations again instead of keeping them: less memory, more time. */
  recompute?: boolean;
}

/** Names in it: of the moments, behind the tensor's; and how many steps they have seen, [1]. */
const momentPrefixes = { first: 'first.', second: 'second.' } as const;
const stepName = 'step';

type Tensors = Map<string, Float32Array>;

export class PolicyTrainer {
  /** Optimiser steps taken since the moments were zero. */
  step: number;
  private readonly policy: PolicyFolder;
  private readonly options: Omit<TrainingOptions, 'kind'>;
  /** Trained tensors with their moments, by name. */
  private readonly state: Map<string, Moments>;
  private readonly sessions: SessionCache;

  private constructor(
    policy: PolicyFolder,
    engine: EngineSettings,
    options: Omit<TrainingOptions, 'kind'>,
    state: Map<string, Moments>,
    step: number,
  ) {
    this.policy = policy;
    this.options = options;
    const { device, threads } = engine;
    const files = options.lora?.base.files;
    this.sessions = new SessionCache({ device, threads, ...(files && { files }) });
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
    { fresh, lora, seed = 0, recompute = false }: TrainerOptions = {},
  ): Promise<PolicyTrainer> {
    const found = await openPolicyFolder(folder);
    const policy = { ...found, lora: found.lora ?? lora ?? undefined };
    const options = { recompute, lora: await loraOptions(policy) };
    const parameters = found.lora
      ? await readAdapters(folder, policy.config, found.lora)
      : policy.lora
        ? initialAdapters(policy.config, options, seed)
        : await readParameters(folder, policy.config);
    const specs = trainedSpecs(policy.config, options);
    const optimizer = fresh ? new Map() : await readOptimizer(folder, specs);
    const state = new Map<string, Moments>();
    for (const { name } of specs) {
      const parameter = parameters.get(name)!;
      const moment = (prefix: string): Float32Array =>
        optimizer.get(prefix + name) ?? new Float32Array(parameter.length);
      const { first, second } = momentPrefixes;
      state.set(name, { parameter, first: moment(first), second: moment(second) });
    }
    const step = optimizer.get(stepName)?.[0] ?? 0;
    return new PolicyTrainer(policy, engine, options, state, step);
  }

  get config(): DecoderConfig {
    return this.policy.config;
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
      trainingGraph(this.config, { ...this.options, kind }),
    );
    const { lora } = this.policy;
    const outputs = await session.run({
      ...this.microbatches(sequences, microbatchSize),
      ...this.scalars(settings),
      ...(lora && scaleFeed(lora)),
      ...this.stateFeeds(),
    });
    const squares = Array.from(outputs.grad_squares!.data, Number);
    const stats = statsOf(outputs.stats!, squares, sequences);
    this.checkFinite(stats, squares);
    this.step += 1;
    for (const [name, moments] of this.state) {
      const gradient = outputs[`grad.${name}`]!.data as Float32Array;
      adamw(moments, gradient, stats.grad_norm, this.step, settings);
    }
    return stats;
  }

  /**
   * Write a checkpoint into `folder`: a Hugging Face folder, or one of PEFT's for adapters, with
   * the optimiser's state beside it.
   */
  async save(folder: string): Promise<void> {
    await (this.policy.lora ? this.saveAdapters(folder, this.policy.lora) : this.saveModel(folder));
    const moments = (['first', 'second'] as const).flatMap((part) =>
      this.tensors(part).map(
        ([name, shape, data]) => [momentPrefixes[part] + name, shape, data] as const,
      ),
    );
    const step = [stepName, [1], Float32Array.of(this.step)] as const;
    await writeFloat32(join(folder, optimizerFile), [...moments, step]);
  }

  async close(): Promise<void> {
    await this.sessions.close();
  }

  private saveModel(folder: string): Promise<void> {
    const tensors = this.tensors('parameter');
    return saveModelFolder({ source: this.policy.folder, out: folder, tensors });
  }

  private async saveAdapters(folder: string, lora: Lora): Promise<void> {
    const { base } = this.policy;
    // Checkpoints of a run lie side by side.
    await writeFile(
      join(folder, adapterConfigFile),
      encodeAdapterConfig(lora, `../${basename(base)}`),
    );
    for (const file of await readdir(base, { withFileTypes: true }))
      if (file.isFile() && /tokenizer|special_tokens|vocab|merges|chat_template/.test(file.name))
        await copyFile(join(base, file.name), join(folder, file.name));
    const tensors = this.tensors('parameter').map(
      ([name, shape, data]) => [storedName(name), shape, data] as const,
    );
    await writeFloat32(join(folder, adapterWeightsFile), tensors);
  }

  private tensors(part: keyof Moments) {
    return trainedSpecs(this.config, this.options).map(
      ({ name, shape }) => [name, shape, this.state.get(name)![part]] as const,
    );
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
    const longest = Math.max(...sorted.slice(-1).map((s) => s.prompt.length + s.completion.length));
    return {
      ...packed,
      ...Object.fromEntries(
        tokenInputs.map((name) => {
          const data = Float32Array.from(sorted.flatMap((s) => perToken[name](s)));
          return [name, { data, shape }];
        }),
      ),
      ...rotaryFeeds(this.config, longest),
    };
  }

  private scalars(settings: StepSettings): Record<string, TensorData> {
    return Object.fromEntries(
      scalarInputs.map((name) => [name, { data: Float32Array.of(settings[name]), shape: [] }]),
    );
  }

  private stateFeeds(): Record<string, TensorData> {
    return Object.fromEntries(
      this.tensors('parameter').map(([name, shape, data]) => [name, { data, shape }]),
    );
  }

  private checkFinite(stats: StepStats, squares: readonly number[]): void {
    if (Object.values(stats).every(Number.isFinite)) return;
    const broken = squares.findIndex((x) => !Number.isFinite(x));
    const tensor = broken < 0 ? 'the loss' : trainedSpecs(this.config, this.options)[broken]!.name;
    throw new AnnealError(
      'NonFinite',
      `step ${this.step + 1}: expected finite numbers, found the gradient of ${tensor} = ${squares[broken] ?? stats.policy_loss} (loss ${stats.policy_loss}, gradient norm ${stats.grad_norm}); nothing was written; lower training.learning_rate or rlaif.reward_weight`,
    );
  }
}

/** The objective as the graph has it; everything else as a mean over tokens. */
function statsOf(
  { data }: TensorData,
  squares: readonly number[],
  sequences: readonly TrainSequence[],
): StepStats {
  const values = data as Float32Array;
  const total = sequences.flatMap((s) => s.weight).reduce((sum, w) => sum + w, 0);
  const named = objectiveStats.map(
    (name, i) => [name, name === 'policy_loss' ? values[i]! : values[i]! / total] as const,
  );
  return {
    ...(Object.fromEntries(named) as ObjectiveStats),
    grad_norm: Math.sqrt(squares.reduce((sum, x) => sum + x, 0)),
  };
}

/** The optimiser's state; nothing where the folder has none. @throws AnnealError InvalidModel */
async function readOptimizer(folder: string, specs: readonly ParameterSpec[]): Promise<Tensors> {
  const path = join(folder, optimizerFile);
  if (!(await stat(path).catch(() => null))) return new Map();
  const moments = specs.flatMap(({ name, shape }) =>
    Object.values(momentPrefixes).map((prefix) => ({ name: prefix + name, shape })),
  );
  return readNamed(path, [...moments, { name: stepName, shape: [1] }]);
}

async function loraOptions({ base, config, lora }: PolicyFolder): Promise<TrainingOptions['lora']> {
  if (!lora) return undefined;
  const weights: ExternalWeights = await openWeights(base, config);
  return { adapters: { rank: lora.rank, targets: lora.targets }, base: weights };
}

/** As PEFT starts: A uniform within ±1 / √in, B zero, so that the policy is still its base. */
function initialAdapters(
  c: DecoderConfig,
  options: Omit<TrainingOptions, 'kind'>,
  seed: number,
): Tensors {
  return new Map(
    trainedSpecs(c, options).map(({ name, shape }) => {
      const data = new Float32Array(shape[0]! * shape[1]!);
      const bound = 1 / Math.sqrt(shape[1]!);
      const next = uniforms(seed, 'lora', name);
      if (name.includes('lora_A'))
        for (let i = 0; i < data.length; i++) data[i] = (2 * next() - 1) * bound;
      return [name, data];
    }),
  );
}
