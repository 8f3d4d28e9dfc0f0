import type { Command } from '@commander-js/extra-typings';
import { runsDirOption, temporalCliOption } from './options.ts';

export const serverCommand = (program: Command) =>
  program
    .command('server')
    .summary('print the addresses of the Temporal server and its Web UI')
    .description(
      'Print the address of the Temporal server that these runs use, its Web UI and its CLI. The ' +
        'exit code is 1 if no server is running.',
    )
    .option('--json', 'print JSON')
    .addOption(runsDirOption())
    .addOption(temporalCliOption())
    .action(async (options) => {
      const { printServer } = await import('../actions/server.ts');
      process.exitCode = await printServer(options);
    });
