// Checks settings that are put together from a run file and what a phase or a person changes.

import { resolveConfig } from '../config/load.ts';
import type { Settings } from '../config/records.ts';
import type { RunConfig } from '../config/schema.ts';
import { AnnealError } from '../errors.ts';
import { settingsAt } from '../rl/schedule.ts';
import type { AdjustInput } from './contract.ts';
import { type Dependencies, storeOf } from './dependencies.ts';
import { runJob } from './job.ts';

export function checkChangeWith(dependencies: Dependencies) {
  /** @throws InvalidConfig where the change, in any phase of the run, breaks the schema. */
  return async function checkChange({ config, change }: AdjustInput): Promise<void> {
    await runJob(storeOf(dependencies, config.name), {}, async () => {
      for (const phase of config.phases)
        checkSettings(config, settingsAt(config, phase.epochs[0], change).settings, 'adjust');
    });
  };
}

/**
 * Check what is in force in each phase, not only what the file says at its top.
 * @throws AnnealError InvalidConfig naming the phase.
 */
export function checkPhases(config: RunConfig): void {
  for (const phase of config.phases)
    checkSettings(
      config,
      settingsAt(config, phase.epochs[0]).settings,
      `phase '${phase.name}', with the run file's own settings under it`,
    );
}

function checkSettings(config: RunConfig, settings: Settings, source: string): void {
  resolveConfig({ ...config, ...settings }, source);
}

/** @throws AnnealError InvalidConfig where more prompts are asked for than there are. */
export function checkPromptCounts(config: RunConfig, train: number, heldOut: number): void {
  for (const { name, epochs } of config.phases) {
    const { prompts_per_epoch } = settingsAt(config, epochs[0]).settings.rlaif;
    checkCount(`rlaif.prompts_per_epoch (phase '${name}')`, prompts_per_epoch, 'train', train);
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
