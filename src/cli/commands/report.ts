import type { Command } from '@commander-js/extra-typings';
import { runsDirOption, wholeNumber } from './options.ts';

export const reportCommand = (program: Command) =>
  program
    .command('report')
    .summary('print the analysis page of an epoch')
    .description(
      'Print the analysis page of an epoch: how its metrics changed, likely causes, and ' +
        'recommendations. It needs only a metrics.jsonl, and no server.',
    )
    .argument('<run|folder>', 'id of a run, or any folder with a metrics.jsonl')
    .option('--epoch <n>', 'epoch to analyse (default: the last)', wholeNumber)
    .option('--all', 'print the page of the whole run instead')
    .option('--json', 'print the content of the page as JSON')
    .addOption(runsDirOption())
    .action(async (run, options) => {
      const { printReport } = await import('../actions/report.ts');
      await printReport(run, options);
    });
