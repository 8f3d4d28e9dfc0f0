import type { Command } from '@commander-js/extra-typings';

export const inspectCommand = (program: Command) =>
  program
    .command('inspect')
    .summary('check a model folder and print its architecture and sizes')
    .description(
      'Check that a model folder holds every parameter in its shape, and print its architecture, ' +
        'its sizes, and the memory it needs to sample and to train.',
    )
    .argument('<model>', 'Hugging Face model folder, such as models/policy')
    .option('--json', 'print JSON')
    .action(async (model, options) => {
      const { inspectModel } = await import('../actions/inspect.ts');
      await inspectModel(model, options);
    });
