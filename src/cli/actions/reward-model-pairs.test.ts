import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { decodeJsonl, encodeJsonl } from '../../artifacts/jsonl.ts';
import { layout } from '../../artifacts/layout.ts';
import { createLocalStore } from '../../artifacts/local/store.ts';
import type { PreferencePair } from '../../records/prompts.ts';
import { type PairsOptions, printPairs } from './reward-model-pairs.ts';

const group = (promptId: string, rewards: number[]) =>
  rewards.map((reward, sample) => ({
    promptId,
    sample,
    tokens: [1],
    logprobs: [-1],
    finish: 'stop',
    reward,
    rewards: {},
    text: `${promptId}${reward}`,
    program: `${promptId}${reward}`,
  }));

let folder: string;
let printed = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anneal-pairs-'));
  printed = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += text;
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const write = (path: string, rows: readonly unknown[]) =>
    createLocalStore(folder).write(path, encodeJsonl(rows));
  await write(layout.metrics, [{ epoch: 7 }, { epoch: 8 }, { epoch: 9 }]);
  await write(layout.prompts('train'), [{ id: 'a', prompt: '// a' }]);
  await write(layout.prompts('held-out'), [{ id: 'h', prompt: '// h' }]);
  await write(layout.scored(8, 'train', 0), group('a', [0.1, 0.9]));
  await write(layout.scored(9, 'train', 0), group('a', [0.9, 0.1, 0.5, 0.3]));
  await write(layout.scored(9, 'held-out', 0), group('h', [0, 1]));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

const command = async (options: Partial<PairsOptions> = {}) => {
  printed = '';
  const base = { runsDir: folder, split: 'train', perGroup: 4, minDifference: 0.1 } as const;
  await printPairs(folder, { ...base, ...options });
  return decodeJsonl<PreferencePair>(printed, 'stdout').map(
    ({ chosen, rejected }) => `${chosen} > ${rejected}`,
  );
};

it('prints the pairs of all epochs, each once', async () => {
  expect(await command()).toEqual(['a0.9 > a0.1', 'a0.5 > a0.3']);
  expect(await command({ epoch: 8 })).toEqual(['a0.9 > a0.1']);
});

it('keeps held-out prompts separate', async () => {
  expect(await command({ split: 'held-out' })).toEqual(['h1 > h0']);
});

it('writes to --output', async () => {
  const output = join(folder, 'pairs.jsonl');
  await command({ output, epoch: 8 });
  const [pair] = decodeJsonl<PreferencePair>(await readFile(output, 'utf8'), output);
  expect(pair).toEqual({ id: 'a', prompt: '// a', chosen: 'a0.9', rejected: 'a0.1', margin: 0.8 });
});

it('says what to do if there are no pairs', async () => {
  await expect(command({ minDifference: 0.95 })).rejects.toThrow(
    /differ by 0\.95 or more, found none\. Lower --min-difference/,
  );
});
