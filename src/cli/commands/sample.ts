import type { Command } from '@commander-js/extra-typings';
import { positiveNumber, sampling } from './options.ts';

export const sampleCommand = (program: Command) =>
  program
    .command('sample')
    .summary('sample completions of given prompts')
    .description('Sample completions of given prompts from a model folder. Needs no server.')
    .argument('<model>', 'Hugging Face model folder, such as models/policy')
    .requiredOption('--prompts <file>', 'JSONL file of rows {"id": …, "prompt": …}')
    .option('--n <count>', 'samples per prompt', positiveNumber, 1)
    .addOption(sampling.maxTokens())
    .addOption(sampling.temperature())
    .addOption(sampling.topK())
    .addOption(sampling.topP())
    .addOption(sampling.minP())
    .addOption(sampling.stop())
    .addOption(sampling.chat())
    .addOption(sampling.system())
    .addOption(sampling.seed())
    .option('--json', 'print one JSON array, with token ids and log-probabilities')
    .addHelpText(
      'after',
      '\nExample:\n  anneal sample models/policy --prompts data/held-out.jsonl --temperature 0',
    )
    .action(async (model, options) => {
      const { printSamples } = await import('../actions/sample.ts');
      await printSamples(model, options);
    });
