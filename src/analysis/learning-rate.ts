// The one setting whose right size depends on the model: raised once, from where the run began.

import type { Facts } from './facts.ts';

const raise = 1.4;

/** A learning rate, or another setting, without the noise of its last binary digits. */
export function rounded(value: number): number {
  return Number(value.toPrecision(3));
}

/** A rate 40% up; undefined where the run has been raised as far already. */
export function raisedLearningRate({ history, settings }: Facts): number | undefined {
  const rates = history.flatMap((line) => line.settings?.training?.learning_rate ?? []);
  const { learning_rate } = settings.training;
  const raised = rates.some((rate) => learning_rate >= rate * raise * 0.999);
  return raised ? undefined : rounded(learning_rate * raise);
}
