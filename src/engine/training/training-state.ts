// The trained state from step to step and from checkpoint to checkpoint: the trained tensors
// with AdamW's moments, the number of steps in those, and the caller's scalars.

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AnnealError } from '../../errors.ts';
import type { Lora } from '../files/adapter-config.ts';
import { readAdapters, saveAdapters } from '../files/adapter-folder.ts';
import { openPolicyFolder, type PolicyFolder } from '../files/policy-folder.ts';
import { writeFloat32 } from '../files/safetensors-writer.ts';
import { saveModelFolder } from '../files/save-folder.ts';
import { openWeights, readNamed, readParameters } from '../files/weights.ts';
import { scaleFeed } from '../inference/adapter-feeds.ts';
import type { DeviceSettings } from '../inference/jobs.ts';
import { classifierHead, type ParameterSpec } from '../model/parameters.ts';
import { type AdamWSettings, adamw, type Moments } from '../optimizer/adamw.ts';
import type { TensorData } from '../runtime/session.ts';
import { SessionCache } from '../runtime/session-cache.ts';
import { uniforms } from '../sampling/random.ts';
import { type GradientOptions, trainedSpecs } from './gradient-graph.ts';

/** Name of the optimiser's state in a checkpoint folder. */
const optimizerFile = 'optimizer.safetensors';

export interface TrainerOptions {
  /** Start with a fresh optimiser even if the folder has its state. */
  fresh?: boolean;
  /** Train new adapters over the folder's model; a folder of adapters has its own. */
  lora?: Lora | null;
  /** Seeds new adapters. */
  seed?: number;
  /** Compute activations again instead of keeping them: less memory, more time. */
  recompute?: boolean;
  /** A snapshot file to resume from, of a job that started with these options. */
  snapshot?: string | undefined;
}

/**
 * Tensors of an optimiser file: a trained tensor's two moments under these prefixes, `step` [1] and
 * the caller's scalars [1]. A snapshot has the trained tensors too.
 */
const prefixes = { parameter: 'parameter.', first: 'first.', second: 'second.' } as const;
const momentParts = ['first', 'second'] as const;
const allParts = ['parameter', ...momentParts] as const;
type Part = keyof typeof prefixes;
const stepName = 'step';

type Tensors = Map<string, Float32Array>;

export class TrainingState {
  readonly policy: PolicyFolder;
  readonly options: GradientOptions;
  /** Trained tensors with their moments, by name. */
  readonly moments: ReadonlyMap<string, Moments>;
  /** Optimiser steps taken since the moments were zero. */
  step = 0;
  /** Numbers of the caller that are saved with the optimiser, by name. */
  readonly scalars: Record<string, number> = {};

  private constructor(
    policy: PolicyFolder,
    options: GradientOptions,
    moments: ReadonlyMap<string, Moments>,
  ) {
    this.policy = policy;
    this.options = options;
    this.moments = moments;
  }

  /** A cache for the sessions of graphs over this state's tensors. */
  openSessions({ device, threads }: DeviceSettings): SessionCache {
    const files = this.options.lora?.base.files;
    return new SessionCache({ device, threads, ...(files && { files }) });
  }

  /**
   * From a policy's folder, with its optimiser's state unless `fresh`.
   * @param scalars names and initial values of the caller's scalars
   * @throws AnnealError InvalidModel
   */
  static async load(
    folder: string,
    { fresh, lora, seed = 0, recompute = false, snapshot }: TrainerOptions,
    scalars: Readonly<Record<string, number>> = {},
  ): Promise<TrainingState> {
    const found = await openPolicyFolder(folder);
    const policy = { ...found, lora: found.lora ?? lora ?? undefined };
    const options = { recompute, lora: await loraOptions(policy) };
    const specs = trainedSpecs(policy.config, options);
    const scalarNames = [stepName, ...Object.keys(scalars)];
    const start = snapshot ? new Map() : await startOf(found, policy, specs, seed);
    const kept = snapshot
      ? await readState(snapshot, specs, allParts, scalarNames)
      : fresh
        ? new Map()
        : await readOptimizer(folder, specs, scalarNames);
    const moments = specs.map(({ name }): [string, Moments] => {
      const parameter: Float32Array = start.get(name) ?? kept.get(prefixes.parameter + name)!;
      const moment = (part: Part): Float32Array =>
        kept.get(prefixes[part] + name) ?? new Float32Array(parameter.length);
      return [name, { parameter, first: moment('first'), second: moment('second') }];
    });
    const state = new TrainingState(policy, options, new Map(moments));
    state.step = kept.get(stepName)?.[0] ?? 0;
    for (const [name, initial] of Object.entries(scalars))
      state.scalars[name] = kept.get(name)?.[0] ?? initial;
    return state;
  }

  /** Names and shapes of the trained tensors. */
  get specs(): ParameterSpec[] {
    return trainedSpecs(this.policy.config, this.options);
  }

  /** Trained tensors, or one of their moments: name, shape, data. */
  tensors(part: Part, prefix = '') {
    return this.specs.map(
      ({ name, shape }) => [prefix + name, shape, this.moments.get(name)![part]] as const,
    );
  }

  /** Write everything that changes from step to step into one file. */
  saveSnapshot(file: string): Promise<void> {
    return this.#writeState(file, allParts);
  }

  #writeState(file: string, parts: readonly Part[]): Promise<void> {
    const scalars = Object.entries({ [stepName]: this.step, ...this.scalars });
    return writeFloat32(file, [
      ...parts.flatMap((part) => this.tensors(part, prefixes[part])),
      ...scalars.map(([name, value]) => [name, [1], Float32Array.of(value)] as const),
    ]);
  }

  /** Inputs of a gradient graph: every trained tensor, and the adapters' scale. */
  feeds(): Record<string, TensorData> {
    const tensors = this.tensors('parameter').map(
      ([name, shape, data]) => [name, { data, shape }] as const,
    );
    return { ...Object.fromEntries(tensors), ...(this.policy.lora && scaleFeed(this.policy.lora)) };
  }

  /**
   * One step of AdamW by the outputs of a gradient graph. @returns the global norm before clipping
   * @throws AnnealError NonFinite naming the tensor; the state is then as it was before
   */
  update(
    outputs: Record<string, TensorData>,
    stats: Readonly<Record<string, number>>,
    settings: AdamWSettings,
  ): number {
    const squares = Array.from(outputs.grad_squares!.data, Number);
    const norm = Math.sqrt(squares.reduce((sum, x) => sum + x, 0));
    this.#checkFinite(squares, { ...stats, 'gradient norm': norm });
    this.step += 1;
    for (const [name, moments] of this.moments) {
      const gradient = outputs[`grad.${name}`]!.data as Float32Array;
      adamw(moments, gradient, norm, this.step, settings);
    }
    return norm;
  }

  #checkFinite(squares: readonly number[], stats: Readonly<Record<string, number>>): void {
    if (Object.values(stats).every(Number.isFinite)) return;
    const broken = squares.findIndex((x) => !Number.isFinite(x));
    const tensor = broken < 0 ? '' : `the gradient of ${this.specs[broken]!.name}, `;
    const found = Object.entries(stats).map(([name, value]) => `${name} ${value}`);
    throw new AnnealError(
      'NonFinite',
      `step ${this.step + 1}: expected finite numbers, found ${tensor}${found.join(', ')}; nothing was written; lower training.learning_rate or rlaif.reward_weight, or a reward model's learning_rate`,
    );
  }

  /**
   * Write a checkpoint into `folder`: a Hugging Face folder, or PEFT's for adapters, and the
   * optimiser's state.
   */
  async save(folder: string): Promise<void> {
    const { base, lora } = this.policy;
    const tensors = this.tensors('parameter');
    await (lora
      ? saveAdapters({ base, out: folder, lora, tensors })
      : saveModelFolder({
          source: this.policy.folder,
          out: folder,
          decoder: this.policy.config,
          tensors,
        }));
    await this.#writeState(join(folder, optimizerFile), momentParts);
  }
}

/** The trained tensors of the folder, or new adapters. */
async function startOf(
  found: PolicyFolder,
  policy: PolicyFolder,
  specs: readonly ParameterSpec[],
  seed: number,
): Promise<Tensors> {
  if (found.lora) return readAdapters(found.folder, found.config, found.lora);
  const { folder, config } = found;
  if (!policy.lora) return readParameters(folder, config);
  const whole = classifierHead(config).map(({ name }) => name);
  return initialAdapters(specs, await readParameters(folder, config, whole), seed);
}

/** The optimiser's state; empty if the folder has none. @throws AnnealError InvalidModel */
async function readOptimizer(
  folder: string,
  specs: readonly ParameterSpec[],
  scalars: readonly string[],
): Promise<Tensors> {
  const path = join(folder, optimizerFile);
  if (!(await stat(path).catch(() => null))) return new Map();
  return readState(path, specs, momentParts, scalars);
}

async function readState(
  file: string,
  specs: readonly ParameterSpec[],
  parts: readonly Part[],
  scalars: readonly string[],
): Promise<Tensors> {
  const tensors = parts.flatMap((part) =>
    specs.map(({ name, shape }) => ({ name: prefixes[part] + name, shape })),
  );
  return readNamed(file, [...tensors, ...scalars.map((name) => ({ name, shape: [1] }))]);
}

async function loraOptions({ base, config, lora }: PolicyFolder): Promise<GradientOptions['lora']> {
  if (!lora) return undefined;
  const { rank, targets, modules } = lora;
  return { adapters: { rank, targets, modules }, base: await openWeights(base, config) };
}

/**
 * As PEFT starts: A uniform within ±1 / √in, B zero, so that the policy still equals its base.
 * Tensors that are trained whole come from the base.
 */
function initialAdapters(specs: readonly ParameterSpec[], base: Tensors, seed: number): Tensors {
  return new Map(
    specs.map(({ name, shape }) => {
      const whole = base.get(name);
      if (whole) return [name, whole];
      const data = new Float32Array(shape[0]! * shape[1]!);
      const bound = 1 / Math.sqrt(shape[1]!);
      const next = uniforms(seed, 'lora', name);
      if (name.includes('lora_A'))
        for (let i = 0; i < data.length; i++) data[i] = (2 * next() - 1) * bound;
      return [name, data];
    }),
  );
}
