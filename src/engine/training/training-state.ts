// What training carries from step to step, and from checkpoint to checkpoint: the trained tensors
// with AdamW's moments, and how many steps those have seen.

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AnnealError } from '../../errors.ts';
import { type Lora, readAdapters, saveAdapters } from '../files/adapter-folder.ts';
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
  /** A snapshot file of a training that began in this way, to go on from. */
  snapshot?: string | undefined;
}

/**
 * Names in it and in a snapshot: behind the tensor's, its moments, and in a snapshot the tensor
 * itself; how many steps they have seen, [1]; and the factor that an adaptive KL penalty has come
 * to, [1].
 */
const prefixes = { parameter: 'parameter.', first: 'first.', second: 'second.' } as const;
const momentParts = ['first', 'second'] as const;
const allParts = ['parameter', ...momentParts] as const;
type Part = keyof typeof prefixes;
const stepName = 'step';
const klScaleName = 'kl_scale';

type Tensors = Map<string, Float32Array>;

export class TrainingState {
  readonly policy: PolicyFolder;
  readonly options: GradientOptions;
  /** Trained tensors with their moments, by name. */
  readonly moments: ReadonlyMap<string, Moments>;
  /** Optimiser steps taken since the moments were zero. */
  step: number;
  /** Factor on kl_penalty, which an adaptive KL penalty changes from step to step. */
  klScale: number;

  private constructor(
    policy: PolicyFolder,
    options: GradientOptions,
    moments: ReadonlyMap<string, Moments>,
    { step, klScale }: { step: number; klScale: number },
  ) {
    this.policy = policy;
    this.options = options;
    this.moments = moments;
    this.step = step;
    this.klScale = klScale;
  }

  /** A cache for the sessions of graphs over this state's tensors. */
  openSessions({ device, threads }: DeviceSettings): SessionCache {
    const files = this.options.lora?.base.files;
    return new SessionCache({ device, threads, ...(files && { files }) });
  }

  /**
   * From a policy's folder; its optimiser's state goes on unless `fresh`, or where there is none.
   * @throws AnnealError InvalidModel
   */
  static async load(
    folder: string,
    { fresh, lora, seed = 0, recompute = false, snapshot }: TrainerOptions,
  ): Promise<TrainingState> {
    const found = await openPolicyFolder(folder);
    const policy = { ...found, lora: found.lora ?? lora ?? undefined };
    const options = { recompute, lora: await loraOptions(policy) };
    const specs = trainedSpecs(policy.config, options);
    const start = snapshot ? new Map() : await startOf(found, policy, specs, seed);
    const kept = snapshot
      ? await readState(snapshot, specs, allParts)
      : fresh
        ? new Map()
        : await readOptimizer(folder, specs);
    const moments = specs.map(({ name }): [string, Moments] => {
      const parameter: Float32Array = start.get(name) ?? kept.get(prefixes.parameter + name)!;
      const moment = (part: Part): Float32Array =>
        kept.get(prefixes[part] + name) ?? new Float32Array(parameter.length);
      return [name, { parameter, first: moment('first'), second: moment('second') }];
    });
    const step = kept.get(stepName)?.[0] ?? 0;
    const klScale = kept.get(klScaleName)?.[0] ?? 1;
    return new TrainingState(policy, options, new Map(moments), { step, klScale });
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

  /** Write all that changes from step to step into one file. */
  saveSnapshot(file: string): Promise<void> {
    return this.writeState(file, allParts);
  }

  private writeState(file: string, parts: readonly Part[]): Promise<void> {
    return writeFloat32(file, [
      ...parts.flatMap((part) => this.tensors(part, prefixes[part])),
      [stepName, [1], Float32Array.of(this.step)],
      [klScaleName, [1], Float32Array.of(this.klScale)],
    ]);
  }

  /** What a gradient graph is fed of the state: every trained tensor, and the adapters' scale. */
  feeds(): Record<string, TensorData> {
    const tensors = this.tensors('parameter').map(
      ([name, shape, data]) => [name, { data, shape }] as const,
    );
    return { ...Object.fromEntries(tensors), ...(this.policy.lora && scaleFeed(this.policy.lora)) };
  }

  /**
   * One step of AdamW by what a gradient graph gave. @returns the global norm before clipping
   * @throws AnnealError NonFinite naming the tensor; the state is then as it was before
   */
  update(
    outputs: Record<string, TensorData>,
    stats: Readonly<Record<string, number>>,
    settings: AdamWSettings,
  ): number {
    const squares = Array.from(outputs.grad_squares!.data, Number);
    const norm = Math.sqrt(squares.reduce((sum, x) => sum + x, 0));
    this.checkFinite(squares, { ...stats, 'gradient norm': norm });
    this.step += 1;
    for (const [name, moments] of this.moments) {
      const gradient = outputs[`grad.${name}`]!.data as Float32Array;
      adamw(moments, gradient, norm, this.step, settings);
    }
    return norm;
  }

  private checkFinite(squares: readonly number[], stats: Readonly<Record<string, number>>): void {
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
   * Write a checkpoint into `folder`: a Hugging Face folder, or one of PEFT's for adapters, with
   * the optimiser's state beside it.
   */
  async save(folder: string): Promise<void> {
    const { base, lora } = this.policy;
    const tensors = this.tensors('parameter');
    await (lora
      ? saveAdapters({ base, out: folder, lora, tensors })
      : saveModelFolder({ source: this.policy.folder, out: folder, tensors }));
    await this.writeState(join(folder, optimizerFile), momentParts);
  }
}

/** The trained tensors as the folder has them, or adapters that have not been trained yet. */
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

/** The optimiser's state; nothing where the folder has none. @throws AnnealError InvalidModel */
async function readOptimizer(folder: string, specs: readonly ParameterSpec[]): Promise<Tensors> {
  const path = join(folder, optimizerFile);
  if (!(await stat(path).catch(() => null))) return new Map();
  return readState(path, specs, momentParts);
}

async function readState(
  file: string,
  specs: readonly ParameterSpec[],
  parts: readonly Part[],
): Promise<Tensors> {
  const tensors = parts.flatMap((part) =>
    specs.map(({ name, shape }) => ({ name: prefixes[part] + name, shape })),
  );
  const scalars = [stepName, klScaleName].map((name) => ({ name, shape: [1] }));
  return readNamed(file, [...tensors, ...scalars]);
}

async function loraOptions({ base, config, lora }: PolicyFolder): Promise<GradientOptions['lora']> {
  if (!lora) return undefined;
  const { rank, targets } = lora;
  return { adapters: { rank, targets }, base: await openWeights(base, config) };
}

/**
 * As PEFT starts: A uniform within ±1 / √in, B zero, so that the policy is still its base; what is
 * trained whole, as the base has it.
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
