// The one setting whose right size depends on the model: raised once, from where the run began.

import { type Facts, plannedSettings } from './epoch-facts.ts';

const raise = 1.4;

/** A learning rate, or another setting, without the noise of its last binary digits. */
export function rounded(value: number): number {
  return Number(value.toPrecision(3));
}

/**
 * A rate 40% up; undefined where a person has raised it as far already. Rates count by what the
 * run file has for their epoch, so that a phase or a ramp that raises them by plan is no raise.
 */
export function raisedLearningRate({ history, settings, config, after }: Facts) {
  const planned = (epoch: number) =>
    config ? plannedSettings(config, epoch).training.learning_rate : 1;
  const { learning_rate } = settings.training;
  const now = learning_rate / planned(after.epoch);
  const raised = history.some((line) => {
    const rate = line.settings?.training?.learning_rate;
    return rate !== undefined && now >= (rate / planned(line.epoch)) * raise * 0.999;
  });
  return raised ? undefined : rounded(learning_rate * raise);
}
