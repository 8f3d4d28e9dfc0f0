import type { Command } from '@commander-js/extra-typings';
import { defaultRunsDir } from '../runs/runs-dir.ts';

export const temporalCommand = (program: Command) =>
  program
    .command('temporal')
    .summary("run Temporal's own CLI on the same server")
    .description(
      "Run Temporal's own CLI on the server of these runs. Without arguments, print the path of its binary.",
    )
    .argument('[args...]', "arguments of Temporal's CLI")
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (args) => {
      const { runTemporalCli } = await import('../actions/temporal.ts');
      process.exitCode = await runTemporalCli(args, { runsDir: defaultRunsDir() });
    });
