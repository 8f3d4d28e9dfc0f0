import type { Command } from '@commander-js/extra-typings';
import { runsDirOption, temporalCliOption } from './options.ts';

export const statusCommand = (program: Command) =>
  program
    .command('status')
    .summary('show how far a run is')
    .description(
      'Show how far a run is: the metrics of each epoch, and the stages in progress. Without a ' +
        "server it shows what is in the run's folder.",
    )
    .argument('<run>', 'id of the run')
    .option('--json', 'print JSON')
    .addOption(runsDirOption())
    .addOption(temporalCliOption())
    .action(async (run, options) => {
      const { showStatus } = await import('../actions/status.ts');
      await showStatus(run, options);
    });
