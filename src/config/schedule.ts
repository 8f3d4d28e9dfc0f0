// Which epochs a run has, which phase each belongs to, and what is in force in it. Pure, with no
// imports but types and pure code: workflows decide by it.

import { isRamp, resolveRamps } from './ramp.ts';
import type { PhaseConfig } from './schema/phases.ts';
import type { RlaifConfig } from './schema/rlaif.ts';
import type { RunConfig } from './schema/run.ts';
import type { TrainingConfig } from './schema/training.ts';

/** What was in force in an epoch: the run's settings with the phase's overrides applied. */
export interface Settings {
  rlaif: RlaifConfig;
  training: TrainingConfig;
}

/** What the operator of a live run changed, over the phase's own overrides. */
export interface SettingsChange {
  rlaif?: Partial<Settings['rlaif']>;
  training?: Partial<Settings['training']>;
}

/** The first epoch of the run, where it does not go on from another's. */
export function firstEpochOf(config: RunConfig): number {
  return config.phases[0]!.epochs[0];
}

/** The last epoch of the run. */
export function lastEpochOf(config: RunConfig): number {
  return config.phases.at(-1)!.epochs[1];
}

/** The phase of an epoch; undefined outside of the run's epochs. */
export function phaseOf(config: RunConfig, epoch: number): PhaseConfig | undefined {
  return config.phases.find(({ epochs: [first, last] }) => first <= epoch && epoch <= last);
}

/**
 * The phase of an epoch and its settings: the run file's, the phase's over them with its ramps
 * resolved to numbers, and `change` over both. Keys that are undefined change nothing.
 * @throws RangeError for an epoch outside of the run's.
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

/** The epochs of a phase whose settings may differ: the first, and with a ramp every one. */
export function distinctEpochs({ epochs: [first, last], rlaif, training }: PhaseConfig): number[] {
  const ramps = [rlaif, training].some((section) => Object.values(section).some(isRamp));
  return Array.from({ length: ramps ? last - first + 1 : 1 }, (_, i) => first + i);
}

/** Whether the phase takes a new reference policy and a fresh optimiser at this epoch. */
export function resetsReference(phase: PhaseConfig, epoch: number): boolean {
  return phase.reset_reference && epoch === phase.epochs[0];
}

/** Whether a phase begins at this epoch that is not the run's first. */
export function beginsLaterPhase({ phases }: RunConfig, epoch: number): boolean {
  return phases.slice(1).some(({ epochs: [first] }) => first === epoch);
}

/** The reward models to be refitted between phases, each with its place among all of them. */
export function refittedRewards({ rewards }: RunConfig) {
  return rewards
    .filter((reward) => reward.kind === 'reward_model')
    .flatMap((reward, index) => (reward.refit ? [{ reward, refit: reward.refit, index }] : []));
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

/** How the samples of a prompt are drawn for training, as the model process is asked for them. */
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
