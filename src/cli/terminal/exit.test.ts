import { CommanderError } from 'commander';
import { expect, test } from 'vitest';
import { AnnealError } from '../../errors.ts';
import { exitCodeOf, formatError } from './exit.ts';

test.each([
  [new AnnealError('InvalidConfig', ''), 2],
  [new AnnealError('InvalidData', ''), 2],
  [new AnnealError('InvalidModel', ''), 2],
  [new AnnealError('NoServer', ''), 1],
  [new Error('the run failed'), 1],
  [new CommanderError(1, 'commander.unknownOption', ''), 2],
  [new CommanderError(0, 'commander.helpDisplayed', ''), 0],
])('%o ends with %d', (error, code) => {
  expect(exitCodeOf(error)).toBe(code);
});

test('an error prints one message, or with debug its stack and causes', () => {
  const error = new Error('above', { cause: new Error('below') });
  expect(formatError(error, false)).toBe('error: above');
  const debug = formatError(error, true);
  expect(debug).toMatch(/^error: Error: above\n {4}at /);
  expect(debug).toMatch(/caused by: Error: below\n {4}at /);
});
