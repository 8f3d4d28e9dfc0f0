// `anneal gc` against a real server that knows which runs are live, over a disk and over a bucket.

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { taskQueues } from '../../src/activities/task-queues.ts';
import { joinAddress } from '../../src/artifacts/address.ts';
import { layout } from '../../src/artifacts/layout.ts';
import { openStore } from '../../src/artifacts/open-store.ts';
import { fillRun, makeOld, put } from '../../src/cli/runs/garbage.fixture.ts';
import { packageRoot } from '../../src/config/paths.ts';
import { searchKeys } from '../../src/workflows/search-attributes.ts';
import { bucket } from '../s3-server.ts';
import { s3Suite } from '../s3-suite.ts';

const s3 = await s3Suite();

let env: TestWorkflowEnvironment;
let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'anneal-gc-'));
  vi.stubEnv('ANNEAL_STORE_CACHE', join(scratch, 'cache'));
  env = await TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'existing-path', path: process.env.ANNEAL_TEMPORAL_CLI! },
      searchAttributes: Object.values(searchKeys),
    },
  });
}, 900_000);
afterAll(async () => {
  await env?.teardown();
  await rm(scratch, { recursive: true });
});

let places = 0;

/** Every kind: the address of an empty folder of runs, and a way to make what it holds old. */
const kinds: Record<string, () => { runsDir: string; age: (hours: number) => Promise<void> }> = {
  'on a disk': () => {
    const runsDir = join(scratch, `runs-${++places}`);
    return { runsDir, age: (hours) => makeOld(runsDir, hours) };
  },
  ...(!s3.missing && {
    'in a bucket': () => {
      const name = `place-${++places}`;
      return {
        runsDir: `s3://${bucket}/${name}`,
        age: (hours) => s3.server.makeOld(`${name}/`, hours),
      };
    },
  }),
};

const verdict = `.anneal/judges/verdicts/aa/${'a'.repeat(64)}.json`;
const all = ['epoch-01', 'epoch-02', 'epoch-03'];

describe.each(Object.entries(kinds))('%s', (_, place) => {
  let runsDir: string;
  beforeEach(async () => {
    const { runsDir: address, age } = place();
    runsDir = address;
    for (const name of ['live', 'ended', 'unknown', 'recent', 'broken'])
      await fillRun(runsDir, name, { retention: { keep_last: 1 } });
    await put(runsDir, 'broken/checkpoints/epoch-03/trainer_state.json', '{}');
    await put(runsDir, 'notes/checkpoints/epoch-01/model.safetensors');
    await put(runsDir, verdict);
    for (const run of ['live', 'ended']) await put(runsDir, `${run}/snapshots/epoch-04/last.json`);
    await age(24 * 40);
    await openStore(joinAddress(runsDir, 'recent')).append(layout.timings, '{}');
  });

  const list = (run: string, path: string) => openStore(joinAddress(runsDir, run)).list(path);
  const checkpointsOf = (run: string) => list(run, layout.checkpoints);

  async function gc(address: string, ...flags: string[]) {
    const args = [join(packageRoot, 'src/cli/main.ts'), 'gc', '--runs-dir', runsDir, ...flags];
    const environment = { ...process.env, TEMPORAL_ADDRESS: address };
    return promisify(execFile)(process.execPath, args, { env: environment });
  }

  /** No worker serves these, so a started run is live until it is terminated. */
  async function startRun(workflowId: string) {
    const taskQueue = taskQueues.workflows;
    return env.client.workflow.start('trainingRun', { workflowId, taskQueue, args: [{}] });
  }

  it('deletes what no live run needs, and nothing else', async () => {
    const live = await startRun('live');
    await (await startRun('ended')).terminate();

    const dry = await gc(env.address, '--dry-run', '--json', '--verdict-days', '60');
    const report = JSON.parse(dry.stdout);
    const removed = ['ended', 'unknown'].flatMap((run) =>
      ['epoch-01', 'epoch-02'].map((epoch) => `${run}/checkpoints/${epoch}`),
    );
    removed.splice(2, 0, 'ended/snapshots/epoch-04');
    expect(report).toMatchObject({ dryRun: true, bytes: expect.any(Number) });
    expect(report.garbage.map(({ path }: { path: string }) => path).sort()).toEqual(removed);
    expect(report.spared).toEqual([
      { what: 'live', why: 'live' },
      { what: 'recent', why: expect.stringContaining('written to in the last 24 hours') },
      { what: 'broken', why: expect.stringContaining('epoch-03/trainer_state.json') },
    ]);
    for (const run of ['live', 'ended']) expect(await checkpointsOf(run)).toEqual(all);

    const { stdout } = await gc(env.address, '--verdict-days', '60');
    expect(stdout).toMatch(/^ended\/checkpoints\/epoch-01 +checkpoint +1 +\d\.\d\d MB$/m);
    expect(stdout).toMatch(/^removed 5 items, /m);
    for (const run of ['live', 'recent', 'broken']) expect(await checkpointsOf(run)).toEqual(all);
    for (const run of ['ended', 'unknown']) expect(await checkpointsOf(run)).toEqual(['epoch-03']);
    expect(await checkpointsOf('notes')).toEqual(['epoch-01']);
    expect(await list('live', layout.allSnapshots)).toEqual(['epoch-04']);
    expect(await list('ended', layout.allSnapshots)).toEqual([]);

    await live.terminate();
    const again = JSON.parse((await gc(env.address, '--json')).stdout);
    const paths = again.garbage.map(({ path }: { path: string }) => path).sort();
    expect(paths).toEqual([
      verdict,
      ...['epoch-01', 'epoch-02'].map((e) => `live/checkpoints/${e}`),
      'live/snapshots/epoch-04',
    ]);
    expect(await checkpointsOf('live')).toEqual(['epoch-03']);
    expect(JSON.parse((await gc(env.address, '--json')).stdout).garbage).toEqual([]);
  });

  it('keeps verdicts while a live run has a judge', async () => {
    const rewards = [{ kind: 'judge', base_url: 'http://localhost:1', model: 'm', rubric: 'r' }];
    await fillRun(runsDir, 'judged', { rewards });
    const live = await startRun('judged');
    const report = JSON.parse((await gc(env.address, '--json')).stdout);
    await live.terminate();
    const kinds = new Set(report.garbage.map(({ kind }: { kind: string }) => kind));
    expect(kinds).toEqual(new Set(['checkpoint', 'leftover']));
    expect(report.spared).toContainEqual({
      what: 'verdicts',
      why: expect.stringContaining('judged'),
    });
  });

  it('refuses to run if no server answers, unless --offline is given', async () => {
    for (const address of ['', '127.0.0.1:1'])
      await expect(gc(address)).rejects.toMatchObject({ code: 1, stdout: '' });
    await expect(gc('')).rejects.toMatchObject({ stderr: expect.stringContaining('--offline') });
    expect(await checkpointsOf('ended')).toEqual(all);
    await gc('', '--offline');
    expect(await checkpointsOf('ended')).toEqual(['epoch-03']);
    expect(await checkpointsOf('recent')).toEqual(all);
  });
});
