// An epoch measured against the run file's success metrics: met, not met, or not known.

import type { SuccessTargets } from '../../config/schema/success.ts';
import { fixed } from '../format.ts';
import type { EpochRecord, NumberMetric } from '../metrics/history.ts';
import { numberOf } from './epoch-facts.ts';

/** One target, and whether an epoch meets it. */
export interface SuccessMetric {
  metric: NumberMetric;
  label: string;
  /** As text: `at least 0.30`. */
  target: string;
  value: number | null;
  /** Null if the value is not known. */
  met: boolean | null;
}

/**
 * Every target against the epoch's held-out metrics, which are comparable across phases, or against
 * the metrics of its own samples if it has no held-out ones.
 */
export function successMetrics(line: EpochRecord, targets: SuccessTargets): SuccessMetric[] {
  const { average_reward, best_of_n_reward, reward_variance, gap, loss } = targets;
  const against = (metric: NumberMetric, label: string, target: Target): SuccessMetric => {
    const value = numberOf(line, metric) ?? null;
    return {
      metric,
      label,
      target: target.text,
      value,
      met: value === null ? null : target.holds(value),
    };
  };
  return [
    against(heldOutOr(line, 'reward'), 'Average reward', atLeast(average_reward)),
    against(heldOutOr(line, 'best_of_n_reward'), 'Best-of-N reward', atLeast(best_of_n_reward)),
    against(heldOutOr(line, 'reward_variance'), 'Reward variance', under(reward_variance)),
    against(heldOutOr(line, 'gap'), 'Gap between average and best-of-N', under(gap)),
    against('loss', 'Loss', within(loss)),
  ];
}

interface Target {
  text: string;
  holds(value: number): boolean;
}

function atLeast(bound: number): Target {
  return { text: `at least ${fixed(bound, 2)}`, holds: (value) => value >= bound };
}

function under(bound: number): Target {
  return { text: `under ${fixed(bound, 2)}`, holds: (value) => value < bound };
}

function within([low, high]: readonly [number, number]): Target {
  return {
    text: `${fixed(low, 2)} to ${fixed(high, 2)}`,
    holds: (value) => value >= low && value <= high,
  };
}

function heldOutOr(
  line: EpochRecord,
  metric: 'reward' | 'best_of_n_reward' | 'reward_variance' | 'gap',
): NumberMetric {
  const heldOut = `eval/${metric}` as const;
  return numberOf(line, heldOut) === undefined ? metric : heldOut;
}
