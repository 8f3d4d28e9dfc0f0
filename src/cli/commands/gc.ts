import type { Command } from '@commander-js/extra-typings';
import { runsDirOption, temporalCliOption, wholeNumber } from './options.ts';

export const gcCommand = (program: Command) =>
  program
    .command('gc')
    .summary('delete files that no live run needs')
    .description(
      'Delete from a folder of runs, on disk or in a bucket: leftovers of crashed attempts, what ' +
        "the runs' retention settings do not keep, and judge verdicts that no sample refers to. " +
        'Live runs, and folders that are not runs, are left alone.',
    )
    .option('--dry-run', 'print what would be deleted, and delete nothing')
    .option('--offline', 'do not ask a server; runs that wrote nothing for 24 hours count as ended')
    .option(
      '--verdict-days <n>',
      'delete unused verdicts older than this, in days',
      wholeNumber,
      30,
    )
    .option('--json', 'print JSON')
    .addOption(runsDirOption())
    .addOption(temporalCliOption())
    .action(async (options) => {
      const { collectGarbage } = await import('../actions/gc.ts');
      await collectGarbage(options);
    });
