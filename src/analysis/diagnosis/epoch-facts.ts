// The input of the diagnosis rules: an epoch, the one before it, how each metric changed, and the
// settings used. Settings missing from another system's metrics.jsonl are assumed.

import type { Settings } from '../../config/schedule.ts';
import { phaseOf, settingsAt } from '../../config/schedule.ts';
import type { RlaifConfig } from '../../config/schema/rlaif.ts';
import type { RunConfig } from '../../config/schema/run.ts';
import type { SuccessTargets } from '../../config/schema/success.ts';
import type { TrainingConfig } from '../../config/schema/training.ts';
import type { EpochRecord, NumberMetric } from '../metrics/history.ts';
import { driftingKl, driftingKlGrowth, hackedPassRate, stablePercent } from './thresholds.ts';

/** The settings that rules and remedies use. */
export interface KnownSettings {
  rlaif: Pick<
    RlaifConfig,
    | 'algorithm'
    | 'reward_weight'
    | 'kl_penalty'
    | 'generation_temperature'
    | 'reward_threshold'
    | 'best_of_n_training'
    | 'num_samples_per_prompt'
    | 'max_new_tokens'
  >;
  training: Pick<TrainingConfig, 'learning_rate' | 'warmup_steps' | 'max_grad_norm'>;
}

/** Settings of the original system, whose metrics do not record them. */
const assumedSettings: KnownSettings = {
  rlaif: {
    algorithm: 'reinforce',
    reward_weight: 1,
    kl_penalty: 0.1,
    generation_temperature: 1.1,
    reward_threshold: null,
    best_of_n_training: false,
    num_samples_per_prompt: 8,
    max_new_tokens: 512,
  },
  training: { learning_rate: 5e-6, warmup_steps: 200, max_grad_norm: 0.5 },
};

/** How one metric changed. `percent` is null if it started at 0. */
export interface Change {
  before: number;
  after: number;
  delta: number;
  percent: number | null;
}

export interface Facts {
  before: EpochRecord | undefined;
  after: EpochRecord;
  /** Every epoch up to `after`, oldest first. */
  history: readonly EpochRecord[];
  settings: KnownSettings;
  /** Whether any setting is assumed. */
  assumed: boolean;
  success: SuccessTargets;
  /** The run file, if known. */
  config: RunConfig | null;
  /** Both epochs sampled at the same temperature, so metrics of their samples are comparable. */
  comparable: boolean;
}

/** The input of a diagnosis. */
export interface DiagnosisInput {
  /** Lines of metrics in any order; epochs after `epoch` are ignored. */
  history: readonly EpochRecord[];
  epoch: number;
  success: SuccessTargets;
  /** The run file, if known: the planned settings, used where the lines have none. */
  config?: RunConfig | null;
  /** Differences from the environment in which the run started, one sentence each. */
  conditions?: readonly string[];
}

/** Gather the facts about an epoch; undefined if the history does not contain it. */
export function factsOf(input: DiagnosisInput): Facts | undefined {
  const { history, epoch, success, config = null } = input;
  const past = history.filter((line) => line.epoch <= epoch).sort((a, b) => a.epoch - b.epoch);
  const after = past.at(-1);
  if (after?.epoch !== epoch) return undefined;
  const before = past.at(-2);
  return {
    before,
    after,
    history: past,
    ...settingsOf(after, config),
    success,
    config,
    comparable: sameTemperature(before, after),
  };
}

/** The run file's settings for an epoch; the run's own settings for an epoch outside its phases. */
export function plannedSettings(config: RunConfig, epoch: number): Settings {
  return phaseOf(config, epoch) ? settingsAt(config, epoch).settings : config;
}

/** The epoch's settings: recorded, else planned, else logged, else assumed. */
export function settingsOf(line: EpochRecord, config: RunConfig | null) {
  const given = config && plannedSettings(config, line.epoch);
  const rlaif = { ...given?.rlaif, ...line.settings?.rlaif };
  const logged =
    typeof line.learning_rate === 'number' ? { learning_rate: line.learning_rate } : {};
  const training = { ...logged, ...given?.training, ...line.settings?.training };
  const missing = rlaif.reward_weight === undefined || training.learning_rate === undefined;
  const settings: KnownSettings = {
    rlaif: { ...assumedSettings.rlaif, ...rlaif },
    training: { ...assumedSettings.training, ...training },
  };
  return { settings, assumed: missing };
}

function sameTemperature(before: EpochRecord | undefined, after: EpochRecord): boolean {
  const was = before?.settings?.rlaif?.generation_temperature;
  const is = after.settings?.rlaif?.generation_temperature;
  return was === undefined || is === undefined || was === is;
}

/** A metric of the line; the gap is derived if the line has none. */
export function numberOf(line: EpochRecord | undefined, metric: NumberMetric): number | undefined {
  const value = line?.[metric] ?? undefined;
  if (value !== undefined || metric !== 'gap') return value;
  const { reward, best_of_n_reward: best } = line ?? {};
  return typeof reward === 'number' && typeof best === 'number' ? best - reward : undefined;
}

/** How a metric changed; undefined if either epoch lacks it. */
export function changeOf({ before, after }: Facts, metric: NumberMetric): Change | undefined {
  const [from, to] = [numberOf(before, metric), numberOf(after, metric)];
  if (from === undefined || to === undefined) return undefined;
  const delta = to - from;
  return {
    before: from,
    after: to,
    delta,
    percent: from === 0 ? null : (100 * delta) / Math.abs(from),
  };
}

/**
 * Whether a metric is comparable between the two epochs. Metrics of an epoch's own samples depend on
 * the sampling temperature; the loss also depends on the reward weight, which multiplies it.
 */
export function isComparable(facts: Facts, metric: NumberMetric): boolean {
  if (metric.startsWith('eval/') || metric === 'kl') return true;
  const was = facts.before?.settings?.rlaif?.reward_weight;
  const is = facts.after.settings?.rlaif?.reward_weight;
  const reweighted = was !== undefined && is !== undefined && was !== is;
  return facts.comparable && !(metric === 'loss' && reweighted);
}

/** How a metric changed; undefined if either epoch lacks it, or the two are not comparable. */
export function comparableChange(facts: Facts, metric: NumberMetric): Change | undefined {
  return isComparable(facts, metric) ? changeOf(facts, metric) : undefined;
}

export function rose(change: Change | undefined): change is Change {
  return change !== undefined && change.delta > 0 && !isStable(change);
}

export function fell(change: Change | undefined): change is Change {
  return change !== undefined && change.delta < 0 && !isStable(change);
}

export function isStable({ delta, percent }: Change): boolean {
  return delta === 0 || (percent !== null && Math.abs(percent) < stablePercent);
}

/**
 * How the average reward changed: of the epoch's samples if both epochs sampled alike, else of the
 * held-out samples.
 */
export function rewardChange(facts: Facts): (Change & { heldOut: boolean }) | undefined {
  const samples = comparableChange(facts, 'reward');
  if (samples) return { ...samples, heldOut: false };
  const heldOut = changeOf(facts, 'eval/reward');
  return heldOut && { ...heldOut, heldOut: true };
}

/**
 * The change of average reward that sampling noise alone can cause: two standard errors of the
 * difference of two means. Undefined if the number of samples is not known.
 */
export function samplingNoise({ before, after }: Facts): number | undefined {
  const error = (line: EpochRecord | undefined) => {
    const scored = (line?.samples ?? 0) - (line?.samples_missing ?? 0);
    return typeof line?.reward_variance === 'number' && scored > 0
      ? line.reward_variance / scored
      : undefined;
  };
  const [was, is] = [error(before), error(after)];
  return was === undefined || is === undefined ? undefined : 2 * Math.sqrt(was + is);
}

/** Whether the run already has phases, which set temperature and KL penalty. */
export function isPhased({ history }: Facts): boolean {
  const named = history.map(({ phase }) => phase ?? '').filter((name) => name && name !== 'start');
  const phases = new Set(named);
  return phases.size > 1 || phases.has('exploration') || phases.has('refinement');
}

/**
 * Reward and loss both fall and the policy does not drift: it fits its samples, not the reward, and
 * something holds it back.
 */
export function isConservative(facts: Facts): boolean {
  return fell(rewardChange(facts)) && fell(comparableChange(facts, 'loss')) && !isDrifting(facts);
}

/** KL is large, or has tripled within an epoch to a notable value. */
export function isDrifting(facts: Facts): boolean {
  const kl = numberOf(facts.after, 'kl');
  if (kl === undefined) return false;
  const before = numberOf(facts.before, 'kl');
  const running = before !== undefined && kl > driftingKlGrowth * before && kl > driftingKl / 3;
  return kl > driftingKl || running;
}

/**
 * The epoch with the best held-out pass rate, if the rate has since fallen beyond chance while the
 * held-out reward rose: the policy learned to please its teacher rather than pass its tests.
 */
export function passedBetterAt({ history, after }: Facts): EpochRecord | undefined {
  const passRate = (line: EpochRecord) => numberOf(line, 'eval/pass_rate') ?? 0;
  const best = history.reduce((a, b) => (passRate(b) > passRate(a) ? b : a));
  const [was, is] = [numberOf(best, 'eval/reward'), numberOf(after, 'eval/reward')];
  const fallen = passRate(best) - passRate(after) > hackedPassRate;
  return fallen && was !== undefined && is !== undefined && is > was ? best : undefined;
}
