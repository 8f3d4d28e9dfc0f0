import { type Command, Option } from '@commander-js/extra-typings';

export function dataCommand(program: Command): void {
  const data = program
    .command('data')
    .summary('import and check prompt files')
    .description('Import and check prompt files.');
  importCommand(data);
  checkCommand(data);
}

const importCommand = (data: Command) =>
  data
    .command('import')
    .summary('convert HumanEval or MBPP to a prompt file')
    .description('Convert a published HumanEval or MBPP file to a prompt file.')
    .argument('<file>', 'JSONL file as published')
    .addOption(
      new Option('--format <which>', 'format of the file')
        .choices(['humaneval', 'mbpp'] as const)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--language <which>', 'language of its programs and tests')
        .choices(['python', 'javascript', 'typescript'] as const)
        .default('python' as const),
    )
    .requiredOption('-o, --output <file>', 'prompt file to write')
    .action(async (file, options) => {
      const { importPromptFile } = await import('../actions/data.ts');
      await importPromptFile(file, options);
    });

const checkCommand = (data: Command) =>
  data
    .command('check')
    .summary('run every reference solution against its tests')
    .description(
      'Run every reference solution against its own tests. The exit code is 1 if one fails.',
    )
    .argument('<file>', 'JSONL file of prompts, such as data/train.jsonl')
    .action(async (file) => {
      const { checkPromptFile } = await import('../actions/data.ts');
      process.exitCode = await checkPromptFile(file);
    });
