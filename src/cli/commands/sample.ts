import { type Command, Option } from '@commander-js/extra-typings';
import { fraction, positiveNumber, temperature, wholeNumber } from './options.ts';

export const sampleCommand = (program: Command) =>
  program
    .command('sample')
    .summary('sample completions of given prompts')
    .description('Sample completions of given prompts from a model folder. Needs no server.')
    .argument('<model>', 'Hugging Face model folder, such as models/policy')
    .requiredOption('--prompts <file>', 'JSONL file of rows {"id": …, "prompt": …}')
    .option('--n <count>', 'samples per prompt', positiveNumber, 1)
    .option('--max-tokens <count>', 'maximum length of a completion, in tokens', positiveNumber, 96)
    .option('--temperature <t>', 'sampling temperature; 0 is greedy', temperature, 1)
    .option('--top-k <k>', 'sample only from the k most likely tokens', positiveNumber)
    .option('--top-p <p>', 'sample from the most likely tokens that sum to p', fraction, 1)
    .option('--min-p <p>', 'sample from tokens at least p times as likely as the best', fraction, 0)
    .addOption(
      new Option('--stop <text...>', 'strings that end a completion').default(
        [] as string[],
        'none',
      ),
    )
    .option('--chat', "send each prompt as a user message in the model's chat template")
    .addOption(
      new Option('--system <text>', 'system message before it; implies --chat').implies({
        chat: true,
      }),
    )
    .option('--seed <n>', 'random seed', wholeNumber, 0)
    .option('--json', 'print one JSON array, with token ids and log-probabilities')
    .addHelpText(
      'after',
      '\nExample:\n  anneal sample models/policy --prompts data/held-out.jsonl --temperature 0',
    )
    .action(async (model, options) => {
      const { printSamples } = await import('../actions/sample.ts');
      await printSamples(model, options);
    });
