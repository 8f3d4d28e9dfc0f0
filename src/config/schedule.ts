// The epochs of a run, the phase of each, and its settings. Pure, and imports only types and pure
// code, because workflows depend on it.

import { isRamp, resolveRamps } from './ramp.ts';
import { scoringModels } from './reward-traits.ts';
import type { PhaseConfig } from './schema/phases.ts';
import type { RlaifConfig } from './schema/rlaif.ts';
import type { RunConfig } from './schema/run.ts';
import type { TrainingConfig } from './schema/training.ts';

/** The settings of an epoch: the run's, with the phase's overrides applied. */
export interface Settings {
  rlaif: RlaifConfig;
  training: TrainingConfig;
}

/** Changes that the operator of a live run made; they override the phase's. */
export interface SettingsChange {
  rlaif?: Partial<Settings['rlaif']>;
  training?: Partial<Settings['training']>;
}

/** The first epoch of the run, unless it resumes from another. */
export function firstEpochOf(config: RunConfig): number {
  return config.phases[0]!.epochs[0];
}

/** The last epoch of the run. */
export function lastEpochOf(config: RunConfig): number {
  return config.phases.at(-1)!.epochs[1];
}

/** The phase of an epoch; undefined outside the run's epochs. */
export function phaseOf(config: RunConfig, epoch: number): PhaseConfig | undefined {
  return config.phases.find(({ epochs: [first, last] }) => first <= epoch && epoch <= last);
}

/**
 * The phase of an epoch and its settings: the run file's, overridden by the phase's (ramps resolved
 * to numbers), overridden by `change`. Undefined keys change nothing.
 * @throws RangeError for an epoch outside the run.
 */
export function settingsAt(
  config: RunConfig,
  epoch: number,
  change: SettingsChange = {},
): { phase: PhaseConfig; settings: Settings } {
  const phase = phaseOf(config, epoch);
  if (!phase) throw new RangeError(`expected an epoch of the run's phases, found ${epoch}`);
  const own = (overrides: object) => resolveRamps(overrides, phase.epochs, epoch);
  return {
    phase,
    settings: {
      rlaif: merge(config.rlaif, own(phase.rlaif), change.rlaif),
      training: merge(config.training, own(phase.training), change.training),
    },
  };
}

/** The epochs of a phase whose settings can differ: all with a ramp, else only the first. */
export function distinctEpochs({ epochs: [first, last], rlaif, training }: PhaseConfig): number[] {
  const ramps = [rlaif, training].some((section) => Object.values(section).some(isRamp));
  return Array.from({ length: ramps ? last - first + 1 : 1 }, (_, i) => first + i);
}

/** `exploration, epochs 8–10, then refinement, epoch 11`. */
export function describePhases(config: RunConfig): string {
  return config.phases
    .map(({ name, epochs: [first, last] }) =>
      first === last ? `${name}, epoch ${first}` : `${name}, epochs ${first}–${last}`,
    )
    .join(', then ');
}

/** Whether this epoch starts with a new reference policy and a fresh optimiser. */
export function resetsReference(phase: PhaseConfig, epoch: number): boolean {
  return phase.reset_reference && epoch === phase.epochs[0];
}

/** Whether a phase other than the first begins at this epoch. */
export function beginsLaterPhase({ phases }: RunConfig, epoch: number): boolean {
  return phases.slice(1).some(({ epochs: [first] }) => first === epoch);
}

/** The reward models to refit between phases, each with its index among all reward models. */
export function refittedRewards({ rewards }: RunConfig) {
  return scoringModels(rewards).flatMap((reward, index) =>
    reward.refit ? [{ reward, refit: reward.refit, index }] : [],
  );
}

/** Number of shards in which `prompts` are generated, `perShard` in each but the last. */
export function shardCount(prompts: number, perShard: number): number {
  return Math.ceil(prompts / perShard);
}

function merge<T extends object>(base: T, ...changes: (Overrides<T> | undefined)[]): T {
  const given = changes.flatMap((change) => Object.entries(change ?? {}));
  const set = given.filter(([, value]) => value !== undefined);
  return { ...base, ...Object.fromEntries(set) };
}

type Overrides<T> = { [K in keyof T]?: T[K] | undefined };

/** The sampling settings of training, as the model process takes them. */
export function samplingOf(rlaif: Settings['rlaif']) {
  return {
    samplesPerPrompt: rlaif.num_samples_per_prompt,
    draw: {
      temperature: rlaif.generation_temperature,
      topK: rlaif.top_k,
      topP: rlaif.top_p,
      minP: rlaif.min_p,
    },
    maxNewTokens: rlaif.max_new_tokens,
    stopStrings: rlaif.stop_strings,
  };
}
