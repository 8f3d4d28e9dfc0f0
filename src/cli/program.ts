// The command line of `anneal`: which commands there are and how help groups them. To add one, write
// its declaration into commands/ and list it here. A declaration imports its action only when the
// command runs, so that help and short commands stay fast.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from '@commander-js/extra-typings';
import { packageRoot } from '../config/paths.ts';
import { codecServerCommand } from './commands/codec-server.ts';
import { configCommand } from './commands/config.ts';
import { adjustCommand, pauseCommand, resumeCommand, stopCommand } from './commands/control.ts';
import { dataCommand } from './commands/data.ts';
import { devCommand } from './commands/dev.ts';
import { evalCommand } from './commands/eval.ts';
import { experimentCommand } from './commands/experiment.ts';
import { exportCommand } from './commands/export.ts';
import { gcCommand } from './commands/gc.ts';
import { inspectCommand } from './commands/inspect.ts';
import { logprobsCommand } from './commands/logprobs.ts';
import { mergeCommand } from './commands/merge.ts';
import { reportCommand } from './commands/report.ts';
import { rewardModelCommand } from './commands/reward-model.ts';
import { rolloutsCommand } from './commands/rollouts.ts';
import { runCommand } from './commands/run.ts';
import { sampleCommand } from './commands/sample.ts';
import { scoreCommand } from './commands/score.ts';
import { serverCommand } from './commands/server.ts';
import { statusCommand } from './commands/status.ts';
import { temporalCommand } from './commands/temporal.ts';
import { workerCommand } from './commands/worker.ts';

const groups: Readonly<Record<string, readonly ((program: Command) => unknown)[]>> = {
  'Train:': [runCommand, experimentCommand, configCommand],
  'Read results:': [statusCommand, reportCommand, rolloutsCommand, scoreCommand],
  'Prepare data:': [dataCommand],
  'Work with models:': [
    inspectCommand,
    mergeCommand,
    exportCommand,
    logprobsCommand,
    sampleCommand,
    evalCommand,
    rewardModelCommand,
  ],
  'Control a live run:': [pauseCommand, resumeCommand, stopCommand, adjustCommand],
  'Serve and maintain:': [
    devCommand,
    workerCommand,
    gcCommand,
    serverCommand,
    codecServerCommand,
    temporalCommand,
  ],
};

const examples = `
Examples:
  anneal run config/two-phase.yaml                  the default run, shown live
  anneal run FILE --seed 7 --set training.learning_rate=1e-4
  anneal config FILE > run.json                     every setting, defaults filled in
  anneal report two-phase --epoch 10                the analysis page of an epoch
  anneal temporal workflow list                     Temporal's CLI on the same server

In a project that installs anneal-rl, type npx anneal; without installing it, npx anneal-rl.

Environment:
  ANNEAL_RUNS_DIR      default of --runs-dir: a folder, or s3://bucket/prefix
  ANNEAL_TEMPORAL_CLI  default of --temporal-cli: a temporal binary
  ANNEAL_PAYLOAD_KEYS_FILE, ANNEAL_PAYLOAD_KEYS
                       keys that encrypt the payloads Temporal stores; see docs/security.md
  ANNEAL_ALLOW_PATHS   what run files may name, besides a worker's own folders; see docs/security.md
  ANNEAL_ALLOW_CODE=1  workers run code that run files name; see docs/own-rewards.md
  ANNEAL_JUDGE_KEYS    keys that workers give to judges, and where; see docs/judges.md
  TEMPORAL_DEPLOYMENT_NAME, TEMPORAL_WORKER_BUILD_ID
                       deployment version of a worker; see docs/versions.md
  ANNEAL_DEBUG=1       print errors with their stack
  TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_PROFILE, …
                       your own Temporal server, configured as for Temporal's CLI

Exit codes: 0 success, 1 failure, 2 wrong usage, run file or input, 130 interrupted,
141 output closed by its reader.`;

/** The program. A command that fails sets process.exitCode or throws. */
export function createProgram(): Command {
  const program = new Command('anneal')
    .description(
      'Fine-tune code models with reinforcement learning from AI feedback. A run is a sequence ' +
        'of phases in a durable Temporal workflow: kill any process at any moment, and the run ' +
        'resumes where it was.',
    )
    .version(version())
    .enablePositionalOptions()
    .showHelpAfterError('(anneal --help lists the commands)')
    .addHelpText('after', examples)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text) });
  for (const [heading, commands] of Object.entries(groups)) {
    program.commandsGroup(heading);
    for (const declare of commands) declare(program);
  }
  program.commandsGroup('Help:').helpCommand(true);
  return program;
}

function version(): string {
  return JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')).version;
}
