import { type Command, Option } from '@commander-js/extra-typings';
import { positiveNumber } from './options.ts';

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
    .argument('<file>', 'JSONL file as published, also packed by gzip')
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
    .option('--skip-invalid', 'leave out rows that are not of the format, and name them')
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
    .addOption(
      new Option(
        '--time-limit <ms>',
        "limit for one program with its tests (default: the rubric's)",
      ).argParser(positiveNumber),
    )
    .action(async (file, options) => {
      const { checkPromptFile } = await import('../actions/data.ts');
      process.exitCode = await checkPromptFile(file, options);
    });
