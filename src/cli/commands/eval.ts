import type { Command } from '@commander-js/extra-typings';
import { positiveNumber, positiveNumbers, sampling } from './options.ts';

export const evalCommand = (program: Command) =>
  program
    .command('eval')
    .summary("measure a model's pass@k and reward on a prompt file")
    .description(
      'Sample completions of every prompt, score them, and print pass@k (unbiased) and the mean ' +
        'reward with 95% intervals over prompts. Needs no server.',
    )
    .argument('<model>', 'Hugging Face model folder, such as models/policy')
    .requiredOption('--prompts <file>', 'JSONL file of prompts, such as data/held-out.jsonl')
    .option('--n <count>', 'samples per prompt', positiveNumber, 8)
    .option('--k <list>', 'values of k in pass@k, such as 1,8 (default: 1 and n)', positiveNumbers)
    .addOption(sampling.maxTokens(256))
    .addOption(sampling.temperature())
    .addOption(sampling.topK())
    .addOption(sampling.topP())
    .addOption(sampling.minP())
    .addOption(sampling.stop())
    .addOption(sampling.chat())
    .addOption(sampling.system())
    .addOption(sampling.seed())
    .option('--config <file>', 'run file whose rewards, prompt format and engine settings to use')
    .option('--out <file>', 'JSONL file that keeps the samples; run again, it continues from them')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  anneal eval models/policy --prompts data/held-out.jsonl\n' +
        '  anneal eval MODEL --prompts prompts.jsonl --chat --n 1 --k 1 --temperature 0 --out greedy.jsonl',
    )
    .action(async (model, options) => {
      const { evaluateModel } = await import('../actions/eval.ts');
      await evaluateModel(model, options);
    });
