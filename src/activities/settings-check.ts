// Checks settings that are put together from a run file and what a phase or a person changes.

import { resolveConfig } from '../config/load.ts';
import type { Settings } from '../config/schedule.ts';
import { distinctEpochs, settingsAt } from '../config/schedule.ts';
import type { RunConfig } from '../config/schema/run.ts';
import { AnnealError } from '../errors.ts';
import { runActivity } from './activity.ts';
import type { AdjustInput } from './contract.ts';
import { type Dependencies, storeOf } from './dependencies.ts';

export function checkChangeWith(dependencies: Dependencies) {
  /** @throws InvalidConfig where the change, in any phase of the run, breaks the schema. */
  return async function checkChange({ config, change }: AdjustInput): Promise<void> {
    await runActivity(storeOf(dependencies, config.name), {}, async () => {
      for (const epoch of config.phases.flatMap(distinctEpochs))
        checkSettings(config, settingsAt(config, epoch, change).settings, 'adjust');
    });
  };
}

/**
 * Check what is in force in each epoch, not only what the file says at its top.
 * @throws AnnealError InvalidConfig naming the phase and the epoch.
 */
export function checkPhases(config: RunConfig): void {
  for (const phase of config.phases)
    for (const epoch of distinctEpochs(phase))
      checkSettings(
        config,
        settingsAt(config, epoch).settings,
        `phase '${phase.name}', epoch ${epoch}, with the run file's own settings under it`,
      );
}

/** The phases are checked already, and need not be again for each of their epochs. */
function checkSettings(config: RunConfig, settings: Settings, source: string): void {
  const phases = [{ name: 'checked', epochs: [0, 0] }];
  resolveConfig({ ...config, ...settings, phases }, source);
}

/** @throws AnnealError InvalidConfig where more prompts are asked for than there are. */
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
      `${key}: asks for ${asked} prompts, but prompts.${file} holds ${found}. Lower it to ${found} or add prompts.`,
    );
}
