import type { Command } from '@commander-js/extra-typings';

export const logprobsCommand = (program: Command) =>
  program
    .command('logprobs')
    .summary('print the log-probabilities of given token ids as JSON')
    .description(
      'Print as JSON the log-probability of every token but the first in each given row of token ' +
        'ids, to compare a model with another implementation.',
    )
    .argument('<model>', 'Hugging Face model folder, such as models/policy')
    .requiredOption(
      '--tokens <file>',
      'JSON file of rows of token ids, such as [[1, 2, 3], [4, 5]]',
    )
    .option('--logits', 'also print the logits after the last token of each row')
    .action(async (model, options) => {
      const { printLogprobs } = await import('../actions/logprobs.ts');
      await printLogprobs(model, options);
    });
