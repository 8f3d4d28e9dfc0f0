import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fillRun, makeOld, put } from './garbage.fixture.ts';
import { garbageOfRun, runsIn, sharedLeftovers, unusedVerdicts } from './garbage.ts';

let runsDir: string;
beforeEach(async () => {
  runsDir = await mkdtemp(join(tmpdir(), 'anneal-gc-'));
});
afterEach(() => rm(runsDir, { recursive: true }));

const hex = (digit: string) => digit.repeat(12);
const pathsOf = async (found: Promise<{ path: string }[] | null>) =>
  (await found)?.map(({ path }) => path).sort();

it('knows a run by the manifest that bears its own name', async () => {
  await fillRun(runsDir, 'mine');
  await fillRun(runsDir, 'yours');
  await put(runsDir, 'copy/manifest.json', '{"run": "mine"}');
  await put(runsDir, 'half/manifest.json', '{"run": "ha');
  await put(runsDir, 'other/notes.txt');
  await put(runsDir, 'manifest.json', '{"run": "manifest.json"}');
  expect(await runsIn(runsDir)).toEqual(['mine', 'yours']);
  expect(await runsIn(join(runsDir, 'none'))).toEqual([]);
});

describe('garbageOfRun', () => {
  it('is nothing of a run that declares no retention and died of nothing', async () => {
    await fillRun(runsDir, 'run');
    await makeOld(runsDir, 1000);
    expect(await garbageOfRun(runsDir, 'run')).toEqual([]);
  });

  it('is what its retention does not keep', async () => {
    await fillRun(runsDir, 'run', { retention: { keep_last: 1, keep_samples: 2 } });
    const sizeOf = async (path: string) => (await readFile(join(runsDir, path))).length;
    const files = ['model.safetensors', 'trainer_state.json', 'checkpoint.json'];
    const sizes = files.map((name) => sizeOf(`run/checkpoints/epoch-01/${name}`));
    const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    expect(await garbageOfRun(runsDir, 'run')).toEqual([
      { kind: 'checkpoint', path: 'run/checkpoints/epoch-01', bytes },
      { kind: 'checkpoint', path: 'run/checkpoints/epoch-02', bytes: expect.any(Number) },
      {
        kind: 'samples',
        path: 'run/samples/epoch-01',
        bytes: await sizeOf('run/samples/epoch-01/scored-000.jsonl'),
      },
    ]);
  });

  it('is what dead attempts left, once nothing of it has changed for an hour', async () => {
    await fillRun(runsDir, 'run');
    const leftovers = [
      `run/checkpoints/.epoch-04.${hex('a')}/model.safetensors`,
      `run/metrics.jsonl.${hex('b')}.tmp`,
      `run/.copies/metrics.jsonl.${hex('c')}.tmp`,
    ];
    for (const path of leftovers) await put(runsDir, path, 'half');
    for (const path of [
      'run/.git/config',
      'run/notes.tmp',
      'run/checkpoints/.epoch-04.mine/model.safetensors',
    ])
      await put(runsDir, path);
    expect(await garbageOfRun(runsDir, 'run')).toEqual([]);
    await makeOld(runsDir, 2);
    const found = [
      `run/.copies/metrics.jsonl.${hex('c')}.tmp`,
      `run/checkpoints/.epoch-04.${hex('a')}`,
      `run/metrics.jsonl.${hex('b')}.tmp`,
    ];
    expect(await pathsOf(garbageOfRun(runsDir, 'run'))).toEqual(found);
    // An attempt that goes on writes into its folder.
    await writeFile(join(runsDir, leftovers[0]!), 'more');
    expect(await pathsOf(garbageOfRun(runsDir, 'run'))).toEqual([found[0], found[2]]);
  });
});

describe('verdicts', () => {
  const name = (digit: string) => digit.repeat(64);
  const verdict = (digit: string) => `.anneal/judges/verdicts/${digit}${digit}/${name(digit)}.json`;
  const judged = { place: null, verdict: name('a'), second: null };
  beforeEach(async () => {
    for (const digit of ['a', 'b', 'c']) await put(runsDir, verdict(digit));
    await put(runsDir, '.anneal/judges/verdicts/readme.json');
    await makeOld(runsDir, 48);
  });

  it('go where no sample refers to them, and they are old', async () => {
    await fillRun(runsDir, 'run', { judged });
    expect(await pathsOf(unusedVerdicts(runsDir, 24 * 3_600_000))).toEqual(['b', 'c'].map(verdict));
    expect(await unusedVerdicts(runsDir, 72 * 3_600_000)).toEqual([]);
  });

  it('stay where a second opinion refers to them, in a folder without a manifest too', async () => {
    const second = { value: 1, criteria: {}, verdict: name('b') };
    await fillRun(runsDir, 'run', { judged: { ...judged, second } });
    await rm(join(runsDir, 'run/manifest.json'));
    expect(await pathsOf(unusedVerdicts(runsDir, 0))).toEqual([verdict('c')]);
  });

  it.each<[string, () => Promise<void>]>([
    [
      'do not name theirs',
      () => fillRun(runsDir, 'old', { judged: { place: null, second: null } }),
    ],
    ['are damaged', () => put(runsDir, 'run/samples/epoch-01/scored-000.jsonl', '{"rewards": {')],
  ])('all stay where samples %s', async (_, fill) => {
    await fillRun(runsDir, 'run', { judged });
    await fill();
    expect(await unusedVerdicts(runsDir, 0)).toBeNull();
  });

  it('that were never whole go after an hour', async () => {
    await put(runsDir, `.anneal/judges/.${hex('d')}`);
    await put(runsDir, '.anneal/judges/.notes');
    expect(await sharedLeftovers(runsDir)).toEqual([]);
    await makeOld(runsDir, 2);
    expect(await pathsOf(sharedLeftovers(runsDir))).toEqual([`.anneal/judges/.${hex('d')}`]);
  });
});
