import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { encodeJsonl } from '../../artifacts/jsonl.ts';
import { layout } from '../../artifacts/layout.ts';
import { createLocalStore } from '../../artifacts/local/store.ts';
import { rlaifSchema } from '../../config/schema/rlaif.ts';
import type { ScoredRollout } from '../../records/rollouts.ts';
import { buildBatch } from '../../rl/batch.ts';
import { readRollouts } from '../runs/rollout-rows.ts';
import { printRollouts, type RolloutsOptions } from './rollouts.ts';

const group = (promptId: string, rewards: (number | null)[]): ScoredRollout[] =>
  rewards.map((reward, sample) => ({
    promptId,
    sample,
    tokens: [1, 2],
    logprobs: [-1, -1],
    text: `${promptId}${sample}();`,
    finish: 'stop',
    reward,
    rewards: { rubric: { value: reward, criteria: reward === null ? {} : { quality: reward } } },
  }));

const shards = [group('a', [0.1, 0.5, 0.9]), [...group('b', [0.3, 0.3]), ...group('c', [null, 0])]];

let folder: string;
let printed = '';
const write = (path: string, rows: readonly unknown[]) =>
  createLocalStore(folder).write(path, encodeJsonl(rows));

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anneal-rollouts-'));
  printed = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += text;
    return true;
  });
  const { samples, dropped } = buildBatch(
    shards.flat(),
    rlaifSchema.parse({ algorithm: 'baseline', reward_threshold: 0.4 }),
  );
  await write(layout.metrics, [{ epoch: 7 }, { epoch: 8 }]);
  for (const [shard, rows] of shards.entries()) await write(layout.scored(8, 'train', shard), rows);
  await write(layout.prompts('train'), [{ id: 'a', prompt: '// Call a.' }]);
  await write(layout.batch(8), samples);
  await write(layout.dropped(8), dropped);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

const command = (options: Partial<RolloutsOptions> = {}) =>
  printRollouts(folder, { runsDir: folder, split: 'train', ...options });

it('shows for each sample whether it was trained on, or which filter dropped it', async () => {
  const rows = await readRollouts(folder, 8, 'train');
  const said = rows.map(({ promptId, sample, trained, reason, advantage }) => [
    `${promptId}${sample}`,
    trained ? 'trained' : reason,
    advantage === null ? null : Number(advantage.toFixed(6)),
  ]);
  expect(said).toEqual([
    ['a0', 'reward_threshold', -0.4],
    ['a1', 'trained', 0],
    ['a2', 'trained', 0.4],
    ['b0', 'constant_group', null],
    ['b1', 'constant_group', null],
    ['c0', 'missing_reward', null],
    ['c1', 'min_group_size', null],
  ]);
  expect(rows.map(({ prompt }) => prompt)).toEqual([
    '// Call a.',
    '// Call a.',
    '// Call a.',
    ...Array(4).fill(''),
  ]);
});

it('shows the advantage that training used, if that is not the one in the batch', async () => {
  await write(layout.advantages(8), [{ promptId: 'a', sample: 2, advantage: 0.3 }]);
  const rows = await readRollouts(folder, 8, 'train');
  expect(rows.slice(1, 3).map(({ trained, advantage }) => [trained, advantage])).toEqual([
    [true, expect.closeTo(0, 10)],
    [true, 0.3],
  ]);
});

it('distinguishes a dropped sample from one that was not filtered yet', async () => {
  await rm(join(folder, layout.dropped(8)));
  const fates = async () => (await readRollouts(folder, 8, 'train')).map(({ trained }) => trained);
  expect(await fates()).toEqual([false, true, true, false, false, false, false]);
  await rm(join(folder, layout.batch(8)));
  expect(new Set(await fates())).toEqual(new Set([null]));
});

it('prints the selected samples with their criteria and texts', async () => {
  await command({ best: true, limit: 2 });
  expect(printed).toContain(
    '7 samples of epoch 8, train: 1 reward_threshold, 2 trained on, 2 constant_group, 1 missing_reward, 1 min_group_size; 2 shown',
  );
  expect(printed).toMatch(/^prompt +sample +reward +quality +tokens +advantage +trained$/m);
  expect(printed).toMatch(/^a +2 +0\.900 +0\.900 +2 +\+0\.400 +yes$/m);
  expect(printed).toContain('# a, sample 2, stop\n// Call a.\na2();\n');
  expect(printed).not.toContain('sample 0');
});

it.each([
  [{ best: true }, ['a2', 'a1', 'b0', 'b1', 'a0', 'c1', 'c0']],
  [{ worst: true }, ['c1', 'a0', 'b0', 'b1', 'a1', 'a2', 'c0']],
  [{ prompt: 'b' }, ['b0', 'b1']],
  [{ limit: 1 }, ['a0']],
])('selects samples by %j, those without a reward last', async (options, expected) => {
  await command({ json: true, ...options });
  const rows = JSON.parse(printed) as { id: string; sample: number }[];
  expect(rows.map(({ id, sample }) => `${id}${sample}`)).toEqual(expected);
});

it.each<[Partial<RolloutsOptions>, RegExp]>([
  [{ epoch: 9 }, /train samples of epoch 9 .* found samples of epochs: 8\./],
  [{ split: 'greedy' }, /greedy samples of an epoch .* found samples of epochs: none/],
  [{ prompt: 'x' }, /--prompt: .* such as 'a', found 'x'/],
])('refuses %j, which the run does not have', async (options, message) => {
  await expect(command(options)).rejects.toThrow(message);
});
