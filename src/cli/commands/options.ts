// Flags that several commands share, and how numbers are read. The values are typed from here to
// the action: commander infers them from the declaration.

import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { resolveAddress } from '../../artifacts/address.ts';
import { defaultRunsDir } from '../runs/runs-dir.ts';

export const runsDirOption = () =>
  new Option('--runs-dir <folder>', 'folder that holds the runs, or s3://bucket/prefix')
    .default(defaultRunsDir(), 'ANNEAL_RUNS_DIR, else runs')
    .argParser(resolveAddress);

export const temporalCliOption = () =>
  new Option('--temporal-cli <file>', 'temporal binary to start a server with');

export const workersOption = () =>
  new Option(
    '--workers <which>',
    'local: start a worker; none: start none; auto: start one unless workers are running',
  )
    .choices(['local', 'none', 'auto'] as const)
    .default('auto' as const);

export const allowPathOption = () =>
  new Option(
    '--allow-path <path>',
    "file, folder or s3:// address that run files may name, besides the worker's current folder, " +
      'the package and the runs; can be repeated (also: ANNEAL_ALLOW_PATHS)',
  )
    .argParser((path: string, before: string[]) => [...before, resolveAddress(path)])
    .default([] as string[], 'none');

export const allowCodeOption = () =>
  new Option(
    '--allow-code',
    'run modules and programs that run files name as rewards (also: ANNEAL_ALLOW_CODE=1)',
  );

export const seedOption = () =>
  new Option('--seed <n>', "random seed; overrides the run file's").argParser(wholeNumber);

export const setOption = () =>
  new Option(
    '--set <key=value>',
    'override a setting, such as rlaif.kl_penalty=0.05; can be repeated',
  )
    .argParser((flag: string, before: string[]) => [...before, flag])
    .default([] as string[], 'none');

/** How completions are sampled. */
export const sampling = {
  maxTokens: (most = 96) =>
    new Option('--max-tokens <count>', 'maximum length of a completion, in tokens')
      .argParser(positiveNumber)
      .default(most),
  temperature: () =>
    new Option('--temperature <t>', 'sampling temperature; 0 is greedy')
      .argParser(temperature)
      .default(1),
  topK: () =>
    new Option('--top-k <k>', 'sample only from the k most likely tokens').argParser(
      positiveNumber,
    ),
  topP: () =>
    new Option('--top-p <p>', 'sample from the most likely tokens that sum to p')
      .argParser(fraction)
      .default(1),
  minP: () =>
    new Option('--min-p <p>', 'sample from tokens at least p times as likely as the best')
      .argParser(fraction)
      .default(0),
  stop: () =>
    new Option('--stop <text...>', 'strings that end a completion').default([] as string[], 'none'),
  chat: () =>
    new Option('--chat', "send each prompt as a user message in the model's chat template"),
  system: () =>
    new Option('--system <text>', 'system message before it; implies --chat').implies({
      chat: true,
    }),
  seed: () => new Option('--seed <n>', 'random seed').argParser(wholeNumber).default(0),
};

/** @throws InvalidArgumentError, as the other readers do: commander names the flag. */
export function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Expected a whole number.');
  return Number(text);
}

export function positiveNumber(text: string): number {
  const number = wholeNumber(text);
  if (number === 0) throw new InvalidArgumentError('Expected a whole number of at least 1.');
  return number;
}

export function temperature(text: string): number {
  const number = Number(text);
  if (text.trim() !== '' && number >= 0 && Number.isFinite(number)) return number;
  throw new InvalidArgumentError('Expected a temperature of at least 0 (0 is greedy).');
}

/** A number from 0 to 1. */
export function fraction(text: string): number {
  const number = Number(text);
  if (text.trim() !== '' && number >= 0 && number <= 1) return number;
  throw new InvalidArgumentError('Expected a number from 0 to 1.');
}

/** `1,8`: whole numbers of at least 1, without repetitions, in order. */
export function positiveNumbers(text: string): number[] {
  return [...new Set(text.split(',').map(positiveNumber))].sort((a, b) => a - b);
}
