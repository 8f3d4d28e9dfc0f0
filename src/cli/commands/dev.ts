import type { Command } from '@commander-js/extra-typings';
import { allowCodeOption, allowPathOption, runsDirOption, temporalCliOption } from './options.ts';

export const devCommand = (program: Command) =>
  program
    .command('dev')
    .summary('run a server and a worker until Ctrl-C')
    .description(
      'Run a Temporal server and a worker until Ctrl-C. Unfinished runs resume. If a server is ' +
        'configured or already running, only the worker is started.',
    )
    .addOption(allowPathOption())
    .addOption(allowCodeOption())
    .addOption(runsDirOption())
    .addOption(temporalCliOption())
    .action(async (place) => {
      const { serve } = await import('../actions/serve.ts');
      await serve(place);
    });
