import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateMultipartUploadCommand, S3Client, UploadPartCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bucket } from '../../../test/s3-server.ts';
import { s3Suite } from '../../../test/s3-suite.ts';
import { joinAddress } from '../../artifacts/address.ts';
import { layout } from '../../artifacts/layout.ts';
import { openInventory, openStore } from '../../artifacts/open-store.ts';
import { fillRun, makeOld, put } from './garbage.fixture.ts';
import { garbageOfRun, lastWrittenMs, runsIn, sharedLeftovers, unusedVerdicts } from './garbage.ts';

const s3 = await s3Suite();

let scratch: string;
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'anneal-gc-'));
  vi.stubEnv('ANNEAL_STORE_CACHE', join(scratch, 'cache'));
});
afterEach(() => rm(scratch, { recursive: true }));

let places = 0;

/** For each kind of store: the address of an empty folder of runs, and a way to make its files old. */
const kinds: Record<string, () => { runsDir: string; age: (hours: number) => Promise<void> }> = {
  'on a disk': () => ({
    runsDir: join(scratch, 'runs'),
    age: (hours) => makeOld(join(scratch, 'runs'), hours),
  }),
  ...(!s3.missing && { 'in a bucket': inBucket }),
};

function inBucket() {
  const name = `tests/place-${++places}`;
  return {
    runsDir: `s3://${bucket}/${name}`,
    age: (hours: number) => s3.server.makeOld(`${name}/`, hours),
  };
}

const hex = (digit: string) => digit.repeat(12);
const pathsOf = async (found: Promise<{ path: string }[] | null>) =>
  (await found)?.map(({ path }) => path).sort();
const hourMs = 3_600_000;

describe.each(Object.entries(kinds))('%s', (_, place) => {
  let runsDir: string;
  let age: (hours: number) => Promise<void>;
  beforeEach(() => {
    ({ runsDir, age } = place());
  });

  it('recognises a run by a manifest with the name of its folder', async () => {
    await fillRun(runsDir, 'mine');
    await fillRun(runsDir, 'yours');
    await put(runsDir, 'copy/manifest.json', '{"run": "mine"}');
    await put(runsDir, 'half/manifest.json', '{"run": "ha');
    await put(runsDir, 'other/notes.txt');
    await put(runsDir, 'manifest.json', '{"run": "manifest.json"}');
    expect(await runsIn(runsDir)).toEqual(['mine', 'yours']);
    expect(await runsIn(joinAddress(runsDir, 'none'))).toEqual([]);
  });

  it('knows when a run last wrote, even if its folder was changed since', async () => {
    await fillRun(runsDir, 'run');
    const sinceMs = async () => Date.now() - (await lastWrittenMs(runsDir, 'run'));
    expect(await sinceMs()).toBeLessThan(hourMs);
    await age(48);
    await put(runsDir, 'run/report.md');
    expect(await sinceMs()).toBeGreaterThan(47 * hourMs);
    await openStore(joinAddress(runsDir, 'run')).append(layout.timings, '{}');
    expect(await sinceMs()).toBeLessThan(hourMs);
  });

  describe('garbageOfRun', () => {
    it('is nothing for a run without retention or crashes', async () => {
      await fillRun(runsDir, 'run');
      await age(1000);
      expect(await garbageOfRun(runsDir, 'run')).toEqual([]);
    });

    it('is what the retention does not keep, until it is deleted', async () => {
      await fillRun(runsDir, 'run', { retention: { keep_last: 1, keep_samples: 2 } });
      const bytesOf = async (path: string) => {
        const run = openStore(joinAddress(runsDir, 'run'));
        const folder = path.slice('run/'.length);
        const names = [...(await run.list(folder)), '.folder.json'];
        const texts = await Promise.all(names.map((name) => run.readText(`${folder}/${name}`)));
        return texts.reduce((sum, text) => sum + (text?.length ?? 0), 0);
      };
      const found = await garbageOfRun(runsDir, 'run');
      const expected = [
        ['checkpoint', 'run/checkpoints/epoch-01'],
        ['checkpoint', 'run/checkpoints/epoch-02'],
        ['samples', 'run/samples/epoch-01'],
      ] as const;
      for (const [index, [kind, path]] of expected.entries())
        expect(found[index]).toEqual({ kind, path, bytes: await bytesOf(path) });
      expect(found).toHaveLength(expected.length);
      for (const { path } of found) await openInventory(runsDir).remove(path);
      expect(await garbageOfRun(runsDir, 'run')).toEqual([]);
      const store = openStore(joinAddress(runsDir, 'run'));
      expect(await store.list(layout.checkpoints)).toEqual(['epoch-03']);
      expect(await store.list(layout.samples)).toEqual(['epoch-02', 'epoch-03']);
    });

    it('includes the snapshots of a training', async () => {
      await fillRun(runsDir, 'run');
      await put(runsDir, 'run/snapshots/epoch-04/last.json', '12345');
      await put(runsDir, `run/snapshots/epoch-04/.new.${hex('a')}/model.safetensors`, '123');
      await age(2);
      expect(await garbageOfRun(runsDir, 'run')).toEqual([
        { kind: 'leftover', path: 'run/snapshots/epoch-04', bytes: 8 },
      ]);
    });
  });

  describe('verdicts', () => {
    const name = (digit: string) => digit.repeat(64);
    const verdict = (digit: string) =>
      `.anneal/judges/verdicts/${digit}${digit}/${name(digit)}.json`;
    const judged = { place: null, verdict: name('a'), second: null };
    beforeEach(async () => {
      for (const digit of ['a', 'b', 'c']) await put(runsDir, verdict(digit));
      await put(runsDir, '.anneal/judges/verdicts/readme.json');
      await age(48);
    });

    it('are garbage if they are old and no sample refers to them', async () => {
      await fillRun(runsDir, 'run', { judged });
      expect(await pathsOf(unusedVerdicts(runsDir, 24 * hourMs))).toEqual(['b', 'c'].map(verdict));
      expect(await unusedVerdicts(runsDir, 72 * hourMs)).toEqual([]);
    });

    it('are kept if a sample of an own reward refers to them', async () => {
      await fillRun(runsDir, 'run', { judged });
      const row = { rewards: { own: { value: 1, criteria: {}, kept: name('b') } } };
      await put(runsDir, 'run/samples/epoch-02/scored-000.jsonl', JSON.stringify(row));
      expect(await pathsOf(unusedVerdicts(runsDir, 0))).toEqual([verdict('c')]);
    });

    it('are kept if a second opinion refers to them, even in a folder without a manifest', async () => {
      const second = { value: 1, criteria: {}, verdict: name('b') };
      await fillRun(runsDir, 'run', { judged: { ...judged, second } });
      await openStore(joinAddress(runsDir, 'run')).remove(layout.manifest);
      expect(await pathsOf(unusedVerdicts(runsDir, 0))).toEqual([verdict('c')]);
    });

    it.each<[string, () => Promise<void>]>([
      [
        'do not record theirs',
        () => fillRun(runsDir, 'old', { judged: { place: null, second: null } }),
      ],
      ['are damaged', () => put(runsDir, 'run/samples/epoch-01/scored-000.jsonl', '{"rewards": {')],
    ])('are all kept if samples %s', async (_, fill) => {
      await fillRun(runsDir, 'run', { judged });
      await fill();
      expect(await unusedVerdicts(runsDir, 0)).toBeNull();
    });
  });
});

describe('on a disk', () => {
  let runsDir: string;
  beforeEach(() => {
    runsDir = join(scratch, 'runs');
  });

  it('leftovers of crashed attempts are garbage after an hour without changes', async () => {
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
    // A running attempt writes into its folder.
    await put(runsDir, leftovers[0]!, 'more');
    expect(await pathsOf(garbageOfRun(runsDir, 'run'))).toEqual([found[0], found[2]]);
  });

  it('incomplete verdicts are garbage after an hour', async () => {
    await put(runsDir, `.anneal/judges/.${hex('d')}`);
    await put(runsDir, '.anneal/judges/.notes');
    expect(await sharedLeftovers(runsDir)).toEqual([]);
    await makeOld(runsDir, 2);
    expect(await pathsOf(sharedLeftovers(runsDir))).toEqual([`.anneal/judges/.${hex('d')}`]);
  });
});

describe.skipIf(s3.missing)('in a bucket', () => {
  let runsDir: string;
  let age: (hours: number) => Promise<void>;
  beforeEach(async () => {
    ({ runsDir, age } = inBucket());
    await fillRun(runsDir, 'run');
  });

  /** Start a multipart upload and send one part. */
  async function cutUpload(path: string, text: string): Promise<string> {
    const client = new S3Client({ forcePathStyle: true });
    const target = { Bucket: bucket, Key: `${runsDir.slice(`s3://${bucket}/`.length)}/${path}` };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(target));
    await client.send(new UploadPartCommand({ ...target, UploadId, PartNumber: 1, Body: text }));
    return `${path}?uploadId=${UploadId}`;
  }

  it('leftovers of crashed attempts are garbage after an hour without changes', async () => {
    const dead = 'run/checkpoints/epoch-04';
    const deadOfRefit = 'run/refits/epoch-02/reward-model-1/checkpoints/epoch-01';
    await put(runsDir, `${dead}/checkpoint.json`, '12');
    const uploadOfDead = await cutUpload(`${dead}/model.safetensors`, '345');
    await put(runsDir, `${deadOfRefit}/checkpoint.json`, '1234');
    const upload = await cutUpload('run/checkpoints/epoch-03/model.safetensors', '123456');
    expect(await garbageOfRun(runsDir, 'run')).toEqual([]);
    await age(2);
    expect(await garbageOfRun(runsDir, 'run')).toEqual([
      { kind: 'leftover', path: dead, bytes: 5 },
      { kind: 'leftover', path: deadOfRefit, bytes: 4 },
      { kind: 'leftover', path: upload, bytes: 6 },
    ]);

    // A running attempt sends more parts.
    await cutUpload(`${dead}/model.safetensors`, '3');
    expect(await pathsOf(garbageOfRun(runsDir, 'run'))).toEqual(
      [deadOfRefit, upload, uploadOfDead].sort(),
    );
    for (const path of [dead, deadOfRefit, upload]) await openInventory(runsDir).remove(path);
    await age(2);
    expect(await garbageOfRun(runsDir, 'run')).toEqual([]);
    const store = openStore(joinAddress(runsDir, 'run'));
    expect(await store.list(layout.checkpoints)).toEqual(['epoch-01', 'epoch-02', 'epoch-03']);
    expect(await store.list('refits/epoch-02/reward-model-1/checkpoints')).toEqual([]);
    await store.fetchFolder(layout.checkpoint(3));
  });

  it('is found without downloading a checkpoint', async () => {
    await fillRun(runsDir, 'run', { retention: { keep_last: 1 } });
    vi.stubEnv('ANNEAL_STORE_CACHE', join(scratch, 'elsewhere'));
    expect(await garbageOfRun(runsDir, 'run')).toHaveLength(2);
    expect(existsSync(join(scratch, 'elsewhere'))).toBe(false);
  });

  it.each([
    ['of a measured epoch that lost its listing', 'run/checkpoints/epoch-02/.folder.json'],
    ['of a run that another program copied into the bucket', 'run'],
  ])('a checkpoint %s is not garbage', async (_, within) => {
    await put(runsDir, 'run/checkpoints/epoch-04/.folder.json', '{"files": []}');
    const listings = (await openInventory(runsDir).entries('run'))
      .map(({ path }) => path)
      .filter((path) => path.startsWith(within) && path.endsWith('/.folder.json'));
    for (const path of listings) await openInventory(runsDir).remove(path);
    expect(listings).not.toEqual([]);
    await put(runsDir, 'run/checkpoints/epoch-04/model.safetensors');
    await age(2);
    expect(await garbageOfRun(runsDir, 'run')).toEqual([]);
  });
});
