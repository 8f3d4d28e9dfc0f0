import type { Command } from '@commander-js/extra-typings';
import { printJson } from '../terminal/output.ts';
import { seedOption, setOption } from './options.ts';

export const configCommand = (program: Command) =>
  program
    .command('config')
    .summary('print the resolved configuration of a run file as JSON')
    .description(
      'Check a run file and print it as JSON with every default filled in. Starts nothing.',
    )
    .argument('<file>', 'run file, YAML or JSON')
    .addOption(seedOption())
    .option('--name <id>', "workflow id and folder name of the run; overrides the run file's")
    .addOption(setOption())
    .action(async (file, { seed, name, set }) => {
      const { loadRunFile } = await import('../../config/load.ts');
      const { resolveInput } = await import('../../config/paths.ts');
      printJson(
        await loadRunFile(resolveInput(file, 'run file'), { set, overrides: { seed, name } }),
      );
    });
