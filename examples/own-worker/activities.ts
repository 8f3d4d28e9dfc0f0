// An activity of your own. Like every activity it may run more than once, so it overwrites its file.

import { writeFile } from 'node:fs/promises';
import type { RunResult } from 'anneal-rl';

/** Write a line about a finished run, as a stand-in for a message to your team. */
export async function announce({ run, evalRewardAtEnd }: RunResult): Promise<string> {
  // A run that was stopped before its start was measured has no reward.
  const reward = evalRewardAtEnd?.toFixed(3) ?? 'none';
  const line = `${run} ended with a held-out reward of ${reward}`;
  await writeFile(`${run}.txt`, `${line}\n`);
  return line;
}
