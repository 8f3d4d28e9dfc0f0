import type { Command } from '@commander-js/extra-typings';
import { runsDirOption, temporalCliOption, workersOption } from './options.ts';

export const experimentCommand = (program: Command) =>
  program
    .command('experiment')
    .summary('run every variant with every seed, and compare them')
    .description(
      'Run every variant of an experiment file with every seed, as durable workflows, then write ' +
        'a table and a figure that compare them. Repeat the command to attach to the experiment, ' +
        'or to resume the runs that are missing.',
    )
    .argument('<file>', 'experiment file, such as config/experiments/seed-ablation.yaml')
    .addOption(workersOption())
    .addOption(runsDirOption())
    .addOption(temporalCliOption())
    .action(async (file, options) => {
      const { runExperiment } = await import('../actions/experiment.ts');
      process.exitCode = await runExperiment(file, options);
    });
