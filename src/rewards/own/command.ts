// `kind: command`: a program that reads items and writes scores, as lines of JSON.

import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import type { RewardOf } from '../../config/reward-traits.ts';
import { plainEnvironment } from '../../process/environment.ts';
import type { RewardImplementation } from '../reward.ts';
import { createOwnReward, type RewardItem } from './own-reward.ts';
import { checkCodeAllowed } from './permission.ts';

export const commandKind: RewardImplementation<RewardOf<'command'>> = {
  create(config, { shared }) {
    const { name, command } = config;
    return createOwnReward(config, command, shared, (items, signal) => {
      checkCodeAllowed(name);
      return run(command, items, signal);
    });
  },
  check: ({ name }) => checkCodeAllowed(name),
};

/** One process a batch: a line for each item to its stdin, a line for each score from its stdout. */
async function run(
  [program, ...args]: readonly string[],
  items: readonly RewardItem[],
  signal: AbortSignal,
): Promise<unknown[]> {
  const child = spawn(program!, args, { env: plainEnvironment(), signal, killSignal: 'SIGKILL' });
  const ended = new Promise<number | string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, by) => resolve(code ?? by ?? 'unknown'));
  });
  // A program need not read everything.
  child.stdin.on('error', () => {});
  child.stdin.end(items.map((item) => `${JSON.stringify(item)}\n`).join(''));
  const [written, said, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  if (code !== 0) throw new Error(`exit ${code}: ${said.trim().slice(-200)}`);
  const lines = written.split('\n').filter((line) => line.trim() !== '');
  return lines.map((line) => JSON.parse(line));
}
