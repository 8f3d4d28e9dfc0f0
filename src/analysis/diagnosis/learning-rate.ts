// The learning rate is raised only once from its initial value: the right size depends on the model.

import { type Facts, plannedSettings } from './epoch-facts.ts';

const raise = 1.4;

/** A setting rounded to three significant digits. */
export function rounded(value: number): number {
  return Number(value.toPrecision(3));
}

/**
 * The learning rate raised by 40%; undefined if a person has already raised it that far. Rates are
 * compared with the run file's value for their epoch, so a planned phase or ramp does not count.
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
