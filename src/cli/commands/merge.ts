import type { Command } from '@commander-js/extra-typings';

export const mergeCommand = (program: Command) =>
  program
    .command('merge')
    .summary('merge LoRA adapters into their base model')
    .description(
      'Merge LoRA adapters into their base model and write the result as a model folder.',
    )
    .argument('<adapters>', 'adapter folder, such as runs/try-1/checkpoints/epoch-15')
    .argument('<out>', 'folder to write; it must be new or empty')
    .action(async (adapters, out) => {
      const { mergeModel } = await import('../actions/merge.ts');
      await mergeModel(adapters, out);
    });
