// `anneal pause`, `resume`, `stop` and `adjust`: messages to a live run.

import type { Command } from '@commander-js/extra-typings';
import { runsDirOption, temporalCliOption } from './options.ts';

export const pauseCommand = control(
  'pause',
  'pause a run after the epoch in progress',
  'Finish the epoch in progress, then wait for `anneal resume`.',
);

export const resumeCommand = control(
  'resume',
  'resume a paused run',
  'Resume a run that was paused, or that paused itself because a judge had spent its budget.',
);

export const stopCommand = control(
  'stop',
  'end a run after the epoch in progress',
  'Finish the epoch in progress, then end the run as completed.',
);

function control(name: 'pause' | 'resume' | 'stop', summary: string, description: string) {
  return (program: Command) =>
    program
      .command(name)
      .summary(summary)
      .description(description)
      .argument('<run>', 'id of a live run')
      .option('--json', "print the run's status as JSON")
      .addOption(runsDirOption())
      .addOption(temporalCliOption())
      .action(async (run, options) => {
        const { controlRun } = await import('../actions/control.ts');
        await controlRun(name, run, options);
      });
}

export const adjustCommand = (program: Command) =>
  program
    .command('adjust')
    .summary('change settings of a run from its next epoch on')
    .description(
      'Change settings of a live run from its next epoch on. The values override those of the ' +
        'phases, and replace ramps, for the rest of the run.',
    )
    .argument('<run>', 'id of a live run')
    .argument('<key=value...>', 'such as rlaif.kl_penalty=0.05 or training.learning_rate=1e-4')
    .option('--json', "print the run's status as JSON")
    .addOption(runsDirOption())
    .addOption(temporalCliOption())
    .action(async (run, assignments, options) => {
      const { adjustRun } = await import('../actions/control.ts');
      await adjustRun(run, assignments, options);
    });
