import { type Command, Option } from '@commander-js/extra-typings';
import {
  fraction,
  positiveNumber,
  runsDirOption,
  temporalCliOption,
  wholeNumber,
  workersOption,
} from './options.ts';

export function rewardModelCommand(program: Command): void {
  const rewardModel = program
    .command('reward-model')
    .summary('train a reward model, and make preference pairs for it')
    .description(
      "Train a reward model on preference pairs, and make such pairs from a run's samples. See docs/reward-models.md.",
    );
  trainCommand(rewardModel);
  pairsCommand(rewardModel);
}

const trainCommand = (rewardModel: Command) =>
  rewardModel
    .command('train')
    .summary('train a reward model on preference pairs')
    .description(
      'Train a reward model on preference pairs, as a durable workflow, and write it as a Hugging ' +
        'Face folder with a report. If one of that name is already being trained, attach to ' +
        'it instead. Starts a Temporal server and a worker if none are running.',
    )
    .argument('<file>', 'YAML or JSON; see docs/reward-models.md')
    .option('--name <id>', "workflow id and checkpoint folder name; overrides the file's")
    .addOption(workersOption())
    .option('--json', 'print the outcome as JSON on stdout at the end; progress goes to stderr')
    .addOption(runsDirOption())
    .addOption(temporalCliOption())
    .action(async (file, options) => {
      const { trainRewardModel } = await import('../actions/reward-model-train.ts');
      process.exitCode = await trainRewardModel(file, options);
    });

const pairsCommand = (rewardModel: Command) =>
  rewardModel
    .command('pairs')
    .summary("make preference pairs from a run's scored samples")
    .description(
      'Print preference pairs as JSONL. In each group of samples, the best is paired with the ' +
        'worst, the second best with the second worst, and so on. Programs that differ only in ' +
        'formatting and local names count once.',
    )
    .argument('<run|folder>', 'id of a run, or its folder')
    .option('-o, --output <file>', 'file to write (default: stdout)')
    .addOption(
      new Option('--split <which>', 'use the samples of training or of held-out prompts')
        .choices(['train', 'held-out'] as const)
        .default('train' as const),
    )
    .option('--epoch <n>', 'use only samples of this epoch (default: all epochs)', wholeNumber)
    .option('--per-group <k>', 'maximum number of pairs from one group', positiveNumber, 4)
    .option(
      '--min-difference <d>',
      'minimum difference between the two rewards of a pair',
      fraction,
      0.1,
    )
    .option(
      '--include-broken',
      "also use samples that do not parse (a reward model's gate scores those 0 by itself)",
    )
    .option('--reward <name>', 'compare by this reward (default: the weighted sum of all)')
    .addOption(runsDirOption())
    .addHelpText('after', '\nExample:\n  anneal reward-model pairs two-phase -o pairs.jsonl')
    .action(async (run, options) => {
      const { printPairs } = await import('../actions/reward-model-pairs.ts');
      await printPairs(run, options);
    });
