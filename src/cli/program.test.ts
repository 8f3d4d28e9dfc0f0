import { expect, test } from 'vitest';
import { createProgram } from './program.ts';

const { commands } = createProgram(() => {});

test('the commands are all there', () => {
  expect(commands.map((command) => command.name())).toEqual([
    ...['run', 'experiment', 'config'],
    ...['status', 'report', 'rollouts', 'score', 'data'],
    ...['inspect', 'merge', 'logprobs', 'sample', 'reward-model'],
    ...['pause', 'resume', 'stop', 'adjust'],
    ...['dev', 'worker', 'gc', 'server', 'codec-server', 'temporal'],
  ]);
});

const all = commands.flatMap((command) => [command, ...command.commands]);
test.each(all.map((command) => [command.name(), command] as const))(
  '%s: it, its flags and its arguments say what they are',
  (_name, command) => {
    expect(command.description()).not.toBe('');
    for (const option of command.options) expect(option.description, option.flags).not.toBe('');
    if (command.name() === 'temporal') return;
    for (const argument of command.registeredArguments)
      expect(argument.description, argument.name()).not.toBe('');
  },
);
