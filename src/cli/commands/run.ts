import type { Command } from '@commander-js/extra-typings';
import {
  runsDirOption,
  seedOption,
  setOption,
  temporalCliOption,
  workersOption,
} from './options.ts';

export const runCommand = (program: Command) =>
  program
    .command('run')
    .summary('start a run, or attach to it, and show it live')
    .description(
      'Start the run that a run file describes and show it live until it ends. If a run of that ' +
        'name is in progress, attach to it instead. Starts a Temporal server and a worker if ' +
        'none are running.',
    )
    .argument('<file>', 'run file, YAML or JSON; see docs/configuration.md')
    .addOption(seedOption())
    .option('--name <id>', "workflow id and folder name of the run; overrides the run file's")
    .addOption(setOption())
    .addOption(workersOption())
    .option('--json', 'print the outcome as JSON on stdout at the end; progress goes to stderr')
    .option('--detach', 'start the run and exit; needs a running server and workers')
    .addOption(runsDirOption())
    .addOption(temporalCliOption())
    .action(async (file, options) => {
      const { runLive } = await import('../actions/run.ts');
      process.exitCode = await runLive(file, options);
    });
