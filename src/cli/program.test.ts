import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createProgram } from './program.ts';

const { commands } = createProgram();

test('every command is listed', () => {
  expect(commands.map((command) => command.name())).toEqual([
    ...['run', 'experiment', 'config'],
    ...['status', 'report', 'rollouts', 'score', 'data'],
    ...['inspect', 'merge', 'export', 'logprobs', 'sample', 'eval', 'reward-model'],
    ...['pause', 'resume', 'stop', 'adjust'],
    ...['dev', 'worker', 'gc', 'server', 'codec-server', 'temporal'],
  ]);
});

const all = commands.flatMap((command) => [command, ...command.commands]);
test.each(all.map((command) => [command.name(), command] as const))(
  '%s: the command, its flags and its arguments are described',
  (_name, command) => {
    expect(command.description()).not.toBe('');
    for (const option of command.options) expect(option.description, option.flags).not.toBe('');
    for (const argument of command.registeredArguments)
      expect(argument.description, argument.name()).not.toBe('');
  },
);

/** These load no run file schema, Temporal client or ONNX Runtime. */
const light = [
  '@commander-js/extra-typings',
  './options.ts',
  '../terminal/output.ts',
  '../runs/runs-dir.ts',
  '../../artifacts/address.ts',
];
const folder = join(import.meta.dirname, 'commands');
test.each(readdirSync(folder))('%s: help does not load what the action needs', (file) => {
  const source = readFileSync(join(folder, file), 'utf8');
  const imports = [...source.matchAll(/^(?:import|\}).* from '(.*)';$/gm)].map(([, name]) => name);
  expect(light).toEqual(expect.arrayContaining(imports));
});
