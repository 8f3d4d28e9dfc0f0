import { type Command, Option } from '@commander-js/extra-typings';
import { positiveNumber, runsDirOption, wholeNumber } from './options.ts';

export const rolloutsCommand = (program: Command) =>
  program
    .command('rollouts')
    .summary('print the samples of an epoch with their rewards and advantages')
    .description(
      'Print the samples of an epoch: rewards by criterion, advantage, whether the sample was ' +
        'trained on or which filter dropped it, and its text.',
    )
    .argument('<run|folder>', 'id of a run, or its folder')
    .option('--epoch <n>', 'epoch to print (default: the last with samples)', wholeNumber)
    .addOption(
      new Option(
        '--split <which>',
        'samples to print: of training prompts, of held-out prompts, or the greedy samples of held-out prompts',
      )
        .choices(['train', 'held-out', 'greedy'] as const)
        .default('train' as const),
    )
    .option('--prompt <id>', 'only samples of this prompt')
    .addOption(new Option('--best', 'highest rewards first').conflicts('worst'))
    .option('--worst', 'lowest rewards first')
    .option(
      '--limit <n>',
      'maximum number of samples to print (default: 10, with --json all)',
      positiveNumber,
    )
    .option('--json', 'print one JSON array')
    .addOption(runsDirOption())
    .addHelpText('after', '\nExample:\n  anneal rollouts two-phase --epoch 10 --worst --limit 5')
    .action(async (run, options) => {
      const { printRollouts } = await import('../actions/rollouts.ts');
      await printRollouts(run, options);
    });
