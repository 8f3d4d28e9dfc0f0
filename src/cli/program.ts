// The command line of `anneal`: commands, arguments, flags and their help. What a command does is
// in the module that its action loads, so that help and short commands wait for nothing else.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { resolveAddress } from '../artifacts/address.ts';
import { packageRoot } from '../config/paths.ts';
import { defaultRunsDir } from './runs/runs-dir.ts';

const examples = `
Examples:
  anneal run config/two-phase.yaml                  the default run, shown live
  anneal run FILE --seed 7 --set training.learning_rate=1e-4
  anneal config FILE > run.json                     every setting, defaults filled in
  anneal report two-phase --epoch 10                the analysis page of an epoch
  anneal temporal workflow list                     Temporal's CLI on the same server

Environment:
  ANNEAL_RUNS_DIR      folder of the runs, or s3://bucket/prefix, where --runs-dir does not name it
  ANNEAL_TEMPORAL_CLI  a temporal binary to use
  ANNEAL_PAYLOAD_KEYS_FILE, ANNEAL_PAYLOAD_KEYS
                       keys that encrypt what Temporal keeps; docs/security.md
  TEMPORAL_DEPLOYMENT_NAME, TEMPORAL_WORKER_BUILD_ID
                       the version that a worker is; docs/versions.md
  ANNEAL_DEBUG=1       errors with their stack
  TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_PROFILE, …
                       a Temporal server of your own, as for Temporal's CLI

Exit codes: 0 succeeded, 1 failed, 2 wrong usage, run file or input, 130 interrupted.`;

/** A command's exit code, told when it is done. */
type OnExit = (code: number) => void;

/** The program. @param onExit takes the exit code of the command that ran. */
export function createProgram(onExit: OnExit): Command {
  const program = new Command('anneal')
    .description(
      'Fine-tune code models by reinforcement learning from AI feedback, in phases, as a durable ' +
        'Temporal workflow: kill anything at any moment, and the run goes on from where it was.',
    )
    .version(version())
    .enablePositionalOptions()
    .showHelpAfterError('(anneal --help lists commands and flags)')
    .addHelpText('after', examples)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text) });
  addRunCommands(program.commandsGroup('Train:'), onExit);
  addReadingCommands(program.commandsGroup('Look:'), onExit);
  addDataCommands(program.commandsGroup('Data:'), onExit);
  addModelCommands(program.commandsGroup('Models:'), onExit);
  addRewardModelCommands(program, onExit);
  addLeverCommands(program.commandsGroup('Steer a live run:'), onExit);
  addServiceCommands(program.commandsGroup('Serve:'), onExit);
  program.commandsGroup('Help:');
  return program;
}

function addRunCommands(program: Command, onExit: OnExit): void {
  placed(program.command('run'))
    .summary('start a run from a run file, or attach to it, and show it live')
    .description(
      'Start a run and show it live to its end. Finds or starts a Temporal server and a worker ' +
        'where there are none. A run of that name that is under way is attached to.',
    )
    .argument('<file>', 'run file, YAML or JSON; see docs/configuration.md')
    .addOption(seedOption())
    .option('--name <id>', "workflow id and folder of the run; the file's own by default")
    .addOption(setOption())
    .addOption(workersOption())
    .option('--json', 'at the end print the outcome as JSON on stdout; progress goes to stderr')
    .option('--detach', 'start the run and leave it to a server and workers that are there already')
    .action(async (file: string, options) => {
      const { runCommand } = await import('./commands/run.ts');
      onExit(await runCommand(file, options));
    });
  placed(program.command('experiment'))
    .summary('run a grid of variants by seeds, and compare them')
    .description(
      'Run every variant of an experiment file with every seed, as durable workflows, and write a ' +
        'table and a figure of them. Given again it attaches, or goes on with what is missing.',
    )
    .argument('<file>', 'experiment file, such as config/experiments/seed-ablation.yaml')
    .addOption(workersOption())
    .action(async (file: string, options) => {
      const { experimentCommand } = await import('./commands/experiment.ts');
      onExit(await experimentCommand(file, options));
    });
  program
    .command('config')
    .summary('print the resolved configuration of a run file as JSON')
    .description('Check a run file and print it, every default filled in, as JSON. Nothing starts.')
    .argument('<file>', 'run file, YAML or JSON')
    .addOption(seedOption())
    .option('--name <id>', 'workflow id and folder of the run')
    .addOption(setOption())
    .action(async (file: string, options) => {
      const { configCommand } = await import('./commands/config.ts');
      onExit(await configCommand(file, options));
    });
}

function addReadingCommands(program: Command, onExit: OnExit): void {
  placed(program.command('status'))
    .description('show where a run stands: its epochs, and the stages in progress')
    .argument('<run>', 'id of the run')
    .option('--json', 'print it as JSON')
    .action(async (run: string, options) => {
      const { statusCommand } = await import('./commands/status.ts');
      onExit(await statusCommand(run, options));
    });
  placed(program.command('report'))
    .description('print the analysis page of an epoch, from the metrics in a folder')
    .argument('<run|folder>', 'id of a run, or any folder that holds a metrics.jsonl')
    .option('--epoch <n>', 'epoch to analyse; the last one by default', wholeNumber)
    .option('--all', 'the page of the whole run instead')
    .option('--json', 'print what the page says as JSON')
    .action(async (run: string, options) => {
      const { reportCommand } = await import('./commands/report.ts');
      onExit(await reportCommand(run, options));
    });
  placed(program.command('rollouts'))
    .summary("read an epoch's samples: rewards, advantages, what was trained on")
    .description(
      "Print an epoch's samples with every criterion, reward and advantage, whether each was " +
        'trained on or which filter left it out, and their texts.',
    )
    .argument('<run|folder>', 'id of a run, or its folder')
    .option('--epoch <n>', 'epoch to read; the last one by default', wholeNumber)
    .addOption(
      new Option('--split <which>', 'samples of which prompts; greedy are held-out ones too')
        .choices(['train', 'held-out', 'greedy'])
        .default('train'),
    )
    .option('--prompt <id>', 'samples of this prompt alone')
    .addOption(new Option('--best', 'highest rewards first').conflicts('worst'))
    .option('--worst', 'lowest rewards first')
    .option('--limit <n>', 'print so many; 10 by default, with --json all', positiveNumber)
    .option('--json', 'print one JSON array')
    .action(async (run: string, options) => {
      const { rolloutsCommand } = await import('./commands/rollouts.ts');
      onExit(await rolloutsCommand(run, options));
    });
  program
    .command('score')
    .description('print what the rewards say of given programs, criterion by criterion')
    .argument('<prompts>', 'JSONL file of prompts, such as data/held-out.jsonl')
    .requiredOption('--completions <file>', 'JSONL file of rows {"id": prompt id, "completion": …}')
    .option('--config <file>', 'run file whose rewards to use; the built-in rubric by default')
    .option('--json', 'print one JSON array, a row for each completion')
    .action(async (prompts: string, options) => {
      const { scoreInputs } = await import('./runs/score-inputs.ts');
      onExit(await scoreInputs(prompts, options));
    });
}

function addDataCommands(program: Command, onExit: OnExit): void {
  const data = program.command('data').description('make and check files of prompts');
  data
    .command('import')
    .description('make a prompt file out of one of HumanEval or MBPP')
    .argument('<file>', 'JSONL file as published')
    .addOption(
      new Option('--format <which>', 'what the file is')
        .choices(['humaneval', 'mbpp'])
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--language <which>', 'what its programs and tests are written in')
        .choices(['python', 'javascript', 'typescript'])
        .default('python'),
    )
    .requiredOption('-o, --output <file>', 'prompt file to write')
    .action(async (file: string, options) => {
      const { importCommand } = await import('./commands/data.ts');
      onExit(await importCommand(file, options));
    });
  data
    .command('check')
    .description('run every reference solution; exit code 1 where one fails its own tests')
    .argument('<file>', 'JSONL file of prompts, such as data/train.jsonl')
    .action(async (file: string) => {
      const { checkCommand } = await import('./commands/data.ts');
      onExit(await checkCommand(file));
    });
}

function addModelCommands(program: Command, onExit: OnExit): void {
  const folder = ['<model>', 'Hugging Face model folder, such as models/policy'] as const;
  program
    .command('inspect')
    .description('check a model folder and print its architecture and sizes')
    .argument(...folder)
    .option('--json', 'print it as JSON')
    .action(async (model: string, options) => {
      const { inspectCommand } = await import('./commands/model.ts');
      onExit(await inspectCommand(model, options));
    });
  program
    .command('merge')
    .description('make adapters and their base one whole model')
    .argument('<adapters>', 'folder of adapters, such as runs/try-1/checkpoints/epoch-15')
    .argument('<out>', 'folder to write, which must not be there or be empty')
    .action(async (adapters: string, out: string) => {
      const { mergeCommand } = await import('./commands/model.ts');
      onExit(await mergeCommand(adapters, out));
    });
  program
    .command('logprobs')
    .description('print as JSON the log-probability of every token but the first of given rows')
    .argument(...folder)
    .requiredOption('--tokens <file>', 'JSON file of rows of token ids, of any lengths')
    .option('--logits', 'print the logits after the last token of each row too')
    .action(async (model: string, options) => {
      const { logprobsCommand } = await import('./commands/model.ts');
      onExit(await logprobsCommand(model, options));
    });
  program
    .command('sample')
    .description('sample completions of prompts')
    .argument(...folder)
    .requiredOption('--prompts <file>', 'JSONL file of rows {"id": …, "prompt": …}')
    .option('--n <count>', 'samples of each prompt', positiveNumber, 1)
    .option('--max-tokens <count>', 'most tokens of a completion', positiveNumber, 96)
    .option('--temperature <t>', '0 is greedy', temperature, 1)
    .option('--top-k <k>', 'draw from the k likeliest tokens alone', positiveNumber)
    .option('--top-p <p>', 'draw from the likeliest tokens that sum to p', share, 1)
    .option('--min-p <p>', 'draw from tokens p times as likely as the likeliest or more', share, 0)
    .option('--stop <text...>', 'texts that end a completion', [])
    .option('--chat', "put each prompt into the model's chat template, as what the user says")
    .addOption(
      new Option('--system <text>', 'system message before it; implies --chat').implies({
        chat: true,
      }),
    )
    .addOption(seedOption().default(0, '0'))
    .option('--json', 'print one JSON array, with token ids and log-probabilities')
    .action(async (model: string, options) => {
      const { sampleCommand } = await import('./commands/model.ts');
      onExit(await sampleCommand(model, options));
    });
}

function addRewardModelCommands(program: Command, onExit: OnExit): void {
  const group = program
    .command('reward-model')
    .summary("train a reward model, and make pairs for it out of a run's samples")
    .description('Train models that judge answers; docs/reward-models.md says how.');
  placed(group.command('train'))
    .summary('train a reward model on preference pairs, as a durable workflow')
    .description(
      'Train a reward model on preference pairs and write it as a Hugging Face folder with a report. ' +
        'Finds or starts a Temporal server and a worker where there are none. One of that name that is under way is attached to.',
    )
    .argument('<file>', 'YAML or JSON; see docs/reward-models.md')
    .option('--name <id>', "workflow id and folder of its checkpoints; the file's own by default")
    .addOption(workersOption())
    .option('--json', 'at the end print the outcome as JSON on stdout; progress goes to stderr')
    .action(async (file: string, options) => {
      const { trainRewardModelCommand } = await import('./commands/reward-model-train.ts');
      onExit(await trainRewardModelCommand(file, options));
    });
  placed(group.command('pairs'))
    .summary("make preference pairs out of a run's scored samples")
    .description(
      'Print preference pairs as JSONL: in every group of samples the best against the worst, the ' +
        'second best against the second worst, and so on; programs that are the same but for layout and names count once.',
    )
    .argument('<run|folder>', 'id of a run, or its folder')
    .option('-o, --output <file>', 'file to write instead of stdout')
    .addOption(
      new Option('--split <which>', 'samples of which prompts')
        .choices(['train', 'held-out'])
        .default('train'),
    )
    .option('--epoch <n>', 'samples of this epoch alone; of all by default', wholeNumber)
    .option('--per-group <k>', 'pairs of one group at most', positiveNumber, 4)
    .option('--min-difference <d>', 'least difference of the two rewards', share, 0.1)
    .option(
      '--include-broken',
      'take samples that do not parse too; the gate judges those for free',
    )
    .option('--reward <name>', 'compare by this reward alone; by the sum by default')
    .action(async (run: string, options) => {
      const { pairsCommand } = await import('./commands/reward-model-pairs.ts');
      onExit(await pairsCommand(run, options));
    });
}

function addLeverCommands(program: Command, onExit: OnExit): void {
  const levers = {
    pause: 'finish the epoch in progress, then wait',
    resume: 'go on after a pause',
    stop: 'finish the epoch in progress, then end the run as completed',
  } as const;
  for (const [lever, effect] of Object.entries(levers))
    placed(program.command(lever))
      .description(effect)
      .argument('<run>', 'id of a live run')
      .option('--json', "print the run's status as JSON")
      .action(async (run: string, options) => {
        const { leverCommand } = await import('./commands/control.ts');
        onExit(await leverCommand(lever as keyof typeof levers, run, options));
      });
  placed(program.command('adjust'))
    .description('change settings from the next epoch on, over those of the phases')
    .argument('<run>', 'id of a live run')
    .argument('<key=value...>', 'such as rlaif.kl_penalty=0.05 or training.learning_rate=1e-4')
    .option('--json', "print the run's status as JSON")
    .action(async (run: string, assignments: string[], options) => {
      const { adjustCommand } = await import('./commands/control.ts');
      onExit(await adjustCommand(run, assignments, options));
    });
}

function addServiceCommands(program: Command, onExit: OnExit): void {
  placed(program.command('dev'))
    .description('run a server and a worker until Ctrl-C; unfinished runs go on')
    .action(async (options) => {
      const { serveCommand } = await import('./commands/services.ts');
      onExit(await serveCommand(options, undefined));
    });
  placed(program.command('worker'))
    .description('run a worker until Ctrl-C')
    .addOption(
      new Option('--queue <name...>', 'task queues to serve; all of them by default').choices([
        'workflows',
        'generate',
        'score',
        'train',
      ]),
    )
    .action(async ({ queue, ...place }) => {
      const { serveCommand } = await import('./commands/services.ts');
      onExit(await serveCommand(place, queue));
    });
  placed(program.command('gc'))
    .summary('take away what no live run needs')
    .description(
      "Remove leftovers of dead attempts, what the runs' retention does not keep, and verdicts of " +
        'judges that no sample refers to, from a folder of runs on a disk or in a bucket. Live runs, ' +
        'and folders that are no runs, are left alone.',
    )
    .option('--dry-run', 'say what would go, and leave it')
    .option('--offline', 'ask no server: runs that wrote nothing for 24 hours count as ended')
    .option('--verdict-days <n>', 'age in days at which unused verdicts go', wholeNumber, 30)
    .option('--json', 'print it as JSON')
    .action(async (options) => {
      const { gcCommand } = await import('./commands/gc.ts');
      onExit(await gcCommand(options));
    });
  placed(program.command('server'))
    .description('say where the Temporal server of these runs is, its Web UI and its CLI')
    .option('--json', 'print it as JSON')
    .action(async (options) => {
      const { serverCommand } = await import('./commands/services.ts');
      onExit(await serverCommand(options));
    });
  program
    .command('codec-server')
    .summary("decrypt payloads for Temporal's CLI and Web UI")
    .description(
      'Serve the codec that ANNEAL_PAYLOAD_KEYS_FILE or ANNEAL_PAYLOAD_KEYS gives the keys of, until ' +
        'Ctrl-C. With ANNEAL_CODEC_TOKEN set, callers have to send it. See docs/security.md.',
    )
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <n>', 'port to listen on', wholeNumber, 8234)
    .option('--origin <url...>', 'web pages that may ask', [
      'http://localhost:8233',
      'http://127.0.0.1:8233',
    ])
    .action(async (options) => {
      const { codecServerCommand } = await import('./commands/codec-server.ts');
      onExit(await codecServerCommand(options));
    });
  program
    .command('temporal')
    .description("run Temporal's own CLI on that server; without arguments, print where it is")
    .argument('[args...]')
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (args: string[]) => {
      const { temporalCommand } = await import('./commands/temporal.ts');
      onExit(await temporalCommand(args, { runsDir: defaultRunsDir() }));
    });
}

/** The flags that say where runs and their server are. */
function placed(command: Command): Command {
  return command
    .addOption(
      new Option('--runs-dir <folder>', 'folder of the runs, or s3://bucket/prefix')
        .default(defaultRunsDir(), 'runs')
        .argParser(resolveAddress),
    )
    .option('--temporal-cli <file>', 'the temporal binary to start a server with');
}

function seedOption(): Option {
  return new Option('--seed <n>', "seed of everything random; the file's own by default").argParser(
    wholeNumber,
  );
}

function workersOption(): Option {
  return new Option('--workers <which>', 'start a worker: always, never, or unless some are there')
    .choices(['local', 'none', 'auto'])
    .default('auto');
}

function setOption(): Option {
  return new Option(
    '--set <key=value>',
    'change one setting, such as rlaif.kl_penalty=0.05; may be given again',
  )
    .argParser((flag: string, before: string[]) => [...before, flag])
    .default([] as string[], 'none');
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('expected a whole number.');
  return Number(text);
}

function positiveNumber(text: string): number {
  const number = wholeNumber(text);
  if (number === 0) throw new InvalidArgumentError('expected a number over 0.');
  return number;
}

function temperature(text: string): number {
  const number = Number(text);
  if (text.trim() !== '' && number >= 0 && Number.isFinite(number)) return number;
  throw new InvalidArgumentError('expected 0 (greedy) or a temperature over it.');
}

function share(text: string): number {
  const number = Number(text);
  if (text.trim() !== '' && number >= 0 && number <= 1) return number;
  throw new InvalidArgumentError('expected a number from 0 to 1.');
}

function version(): string {
  return JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')).version;
}
