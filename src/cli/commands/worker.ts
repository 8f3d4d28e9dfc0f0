import { type Command, Option } from '@commander-js/extra-typings';
import { allowCodeOption, allowPathOption, runsDirOption, temporalCliOption } from './options.ts';

export const workerCommand = (program: Command) =>
  program
    .command('worker')
    .summary('run a worker until Ctrl-C')
    .description('Run a worker until Ctrl-C, for all task queues or for some of them.')
    .addOption(
      new Option('--queue <name...>', 'task queues to serve (default: all)').choices([
        'workflows',
        'generate',
        'score',
        'train',
      ] as const),
    )
    .addOption(allowPathOption())
    .addOption(allowCodeOption())
    .addOption(runsDirOption())
    .addOption(temporalCliOption())
    .action(async ({ queue, ...place }) => {
      const { serve } = await import('../actions/serve.ts');
      await serve(place, queue);
    });
