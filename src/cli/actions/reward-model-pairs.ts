// Prints preference pairs made from the scored samples of a run.

import { encodeJsonl } from '../../artifacts/jsonl.ts';
import { writeFileAtomic } from '../../artifacts/local/atomic.ts';
import { AnnealError } from '../../errors.ts';
import type { PromptSplit } from '../../records/metrics.ts';
import type { PreferencePair } from '../../records/prompts.ts';
import { distinctPairs, type PairSettings, preferencePairs } from '../../rl/preference/pairs.ts';
import { epochsWithSamples, readRollouts } from '../runs/rollout-rows.ts';
import { type RunFolder, readRunFolder } from '../runs/run-folder.ts';

export interface PairsOptions extends PairSettings {
  runsDir: string;
  /** Samples of training prompts or of held-out prompts: never both in one file. */
  split: PromptSplit;
  /** All epochs by default. */
  epoch?: number;
  /** Stdout by default. */
  output?: string;
}

/** @throws AnnealError InvalidData if no samples of the run make a pair. */
export async function printPairs(run: string, options: PairsOptions): Promise<void> {
  const folder = await readRunFolder(run, options.runsDir);
  const pairs: PreferencePair[] = [];
  for (const epoch of await epochsOf(folder, options))
    pairs.push(...(await pairsOf(folder, epoch, options)));
  const distinct = distinctPairs(pairs);
  if (distinct.length === 0) throw noPairs(folder, options);
  const text = encodeJsonl(distinct);
  if (options.output === undefined) process.stdout.write(text);
  else await writeFileAtomic(options.output, text);
  const prompts = new Set(distinct.map(({ prompt }) => prompt)).size;
  process.stderr.write(`${distinct.length} pairs of ${prompts} ${options.split} prompts\n`);
}

async function epochsOf(folder: RunFolder, { epoch, split }: PairsOptions): Promise<number[]> {
  const all = await epochsWithSamples(folder, split);
  return epoch === undefined ? all : all.filter((n) => n === epoch);
}

async function pairsOf({ path }: RunFolder, epoch: number, options: PairsOptions) {
  const rows = await readRollouts(path, epoch, options.split);
  const prompts = new Map(rows.map(({ promptId, prompt }) => [promptId, prompt]));
  return preferencePairs(rows, (id) => prompts.get(id)!, options);
}

function noPairs({ path }: RunFolder, { split, minDifference, reward }: PairsOptions): AnnealError {
  const by = reward === undefined ? 'rewards' : `values of the reward '${reward}'`;
  return new AnnealError(
    'InvalidData',
    `${path}: expected a prompt with two ${split} samples whose ${by} differ by ${minDifference} or more, found none. Lower --min-difference, or choose another run, --split or --reward.`,
  );
}
