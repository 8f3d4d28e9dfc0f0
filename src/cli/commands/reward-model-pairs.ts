// `anneal reward-model pairs RUN`: preference pairs out of the samples of a run that its rewards
// have scored.

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
  /** Samples of prompts that are trained on, or of those held out: never both in one file. */
  split: PromptSplit;
  /** Of this epoch alone; of all by default. */
  epoch?: number;
  /** File to write; stdout by default. */
  output?: string;
}

/** @throws AnnealError InvalidData where the run has no samples, or none that make a pair. */
export async function pairsCommand(run: string, options: PairsOptions): Promise<number> {
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
  return 0;
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
    `expected ${split} samples in ${path} of which two of a prompt have ${by} ${minDifference} or more apart, found none. Lower --min-difference, or name another run, --split or --reward.`,
  );
}
