// Checks the settings that result from a run file, a phase's overrides and a user's adjustments.

import { resolveConfig } from '../config/load.ts';
import type { Settings } from '../config/schedule.ts';
import { distinctEpochs, settingsAt } from '../config/schedule.ts';
import type { RunConfig } from '../config/schema/run.ts';
import { AnnealError } from '../errors.ts';
import { runActivity } from './activity.ts';
import type { AdjustInput } from './contract.ts';
import { type Dependencies, storeOf } from './dependencies.ts';

export function checkChangeWith(dependencies: Dependencies) {
  /** @throws InvalidConfig if a phase of the run breaks the schema, or lacks prompts, by it */
  return async function checkChange({ config, change, prompts }: AdjustInput): Promise<void> {
    await runActivity(storeOf(dependencies, config.name), {}, async () => {
      for (const epoch of config.phases.flatMap(distinctEpochs)) {
        const { settings } = settingsAt(config, epoch, change);
        checkSettings(config, settings, 'adjust');
        const asked = settings.rlaif.prompts_per_epoch;
        if (prompts) checkCount('adjust: rlaif.prompts_per_epoch', asked, 'train', prompts);
      }
    });
  };
}

/**
 * Check the settings of each epoch, not only those at the top of the file.
 * @throws AnnealError InvalidConfig naming the phase and the epoch
 */
export function checkPhases(config: RunConfig): void {
  for (const phase of config.phases)
    for (const epoch of distinctEpochs(phase))
      checkSettings(
        config,
        settingsAt(config, epoch).settings,
        `phase '${phase.name}', epoch ${epoch}, combined with the run file's own settings`,
      );
}

/** The phases themselves are already checked, so a stand-in is enough. */
function checkSettings(config: RunConfig, settings: Settings, source: string): void {
  const phases = [{ name: 'checked', epochs: [0, 0] }];
  resolveConfig({ ...config, ...settings, phases }, source);
}

/** @throws AnnealError InvalidConfig if the run needs more prompts than there are */
export function checkPromptCounts(config: RunConfig, train: number, heldOut: number): void {
  for (const phase of config.phases) {
    const asked = distinctEpochs(phase).map(
      (epoch) => settingsAt(config, epoch).settings.rlaif.prompts_per_epoch,
    );
    const most = Math.max(...asked);
    checkCount(`rlaif.prompts_per_epoch (phase '${phase.name}')`, most, 'train', train);
  }
  checkCount('evaluation.prompts', config.evaluation.prompts, 'held_out', heldOut);
}

function checkCount(key: string, asked: number, file: 'train' | 'held_out', found: number): void {
  if (asked > found)
    throw new AnnealError(
      'InvalidConfig',
      `${key}: expected at most ${found}, the number of prompts in prompts.${file}, found ${asked}. Lower it or add prompts.`,
    );
}
