import { type Command, Option } from '@commander-js/extra-typings';

export const exportCommand = (program: Command) =>
  program
    .command('export')
    .summary('write a model as a GGUF file, for Ollama, LM Studio and llama.cpp')
    .description(
      'Write a model folder, or adapters merged into their base, as one GGUF file with a Modelfile ' +
        'beside it.',
    )
    .argument('<model>', 'model or adapter folder, such as runs/try-1/checkpoints/epoch-15')
    .argument('<out>', 'file to write, such as out/model.gguf')
    .addOption(
      new Option('--format <format>', 'format of the file').choices(['gguf']).default('gguf'),
    )
    .addOption(
      new Option('--type <type>', 'how matrices are stored')
        .choices(['f32', 'f16', 'bf16', 'q8_0'] as const)
        .default('f16' as const),
    )
    .addHelpText(
      'after',
      '\nExample:\n  anneal export runs/two-phase/checkpoints/epoch-15 out/coder.gguf\n' +
        '  ollama create coder -f out/coder.Modelfile',
    )
    .action(async (model, out, { type }) => {
      const { exportModel } = await import('../actions/export.ts');
      await exportModel(model, out, type);
    });
