import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { packageRoot } from '../paths.ts';
import { loadExperiment } from './experiment-file.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anneal-experiment-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function load(content: object) {
  const file = join(folder, 'experiment.yaml');
  await writeFile(file, JSON.stringify(content));
  return loadExperiment(file);
}
const grid = {
  name: 'grid',
  run: 'config/two-phase.yaml',
  seeds: [3, 4],
  set: { 'rlaif.reward_weight': 1 },
  variants: [
    { name: 'as-it-is' },
    { name: 'heavy', title: 'weight 5', set: { 'rlaif.reward_weight': 5 } },
  ],
};

describe('an experiment file', () => {
  it('becomes a run for every variant and seed, with the variant overriding the common settings', async () => {
    const { runs, variants, concurrency } = await load(grid);
    expect(runs.map(({ id }) => id)).toEqual([
      ...['grid-as-it-is-s3', 'grid-heavy-s3', 'grid-as-it-is-s4', 'grid-heavy-s4'],
    ]);
    expect(
      runs.map(({ config }) => [config.name, config.seed, config.rlaif.reward_weight]),
    ).toEqual([
      ['grid-as-it-is-s3', 3, 1],
      ['grid-heavy-s3', 3, 5],
      ['grid-as-it-is-s4', 4, 1],
      ['grid-heavy-s4', 4, 5],
    ]);
    expect(variants.map(({ title }) => title)).toEqual(['as-it-is', 'weight 5']);
    expect(concurrency).toBe(2);
  });

  test.each([
    ['an unknown key', { ...grid, sedes: [1] }, /sedes/],
    ['a name twice', { ...grid, variants: [{ name: 'a' }, { name: 'a' }] }, /found 'a' twice/],
    [
      'an unknown setting, naming the variant',
      { ...grid, variants: [{ name: 'b', set: { 'rlaif.kl_penality': 1 } }] },
      /variant 'b'[\s\S]*did you mean 'kl_penalty'/,
    ],
  ])('refuses %s', async (_name, content, message) => {
    await expect(load(content)).rejects.toThrow(message);
  });
});

const examples = join(packageRoot, 'config/experiments');
it.each(await readdir(examples))('config/experiments/%s loads', async (name) => {
  const { runs, variants, seeds } = await loadExperiment(join(examples, name));
  expect(runs).toHaveLength(variants.length * seeds.length);
});
