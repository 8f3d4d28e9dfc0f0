// Rewards of one's own: functions, services and programs, their faults, and what is kept of them.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { rewardSchema } from '../../config/schema/rewards.ts';
import { promptSchema } from '../../records/prompts.ts';
import { createRewards, readRewardFiles } from '../kinds.ts';
import type { RewardServices } from '../reward.ts';
import { scoreCompletions } from '../score-completions.ts';
import type { RewardItem } from './own-reward.ts';

let folder: string;
let files: Map<string, string>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anneal-own-'));
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(() => {
  files = new Map();
  vi.stubEnv('ANNEAL_ALLOW_CODE', '1');
});
afterEach(() => {
  vi.unstubAllEnvs();
});

const services = (): RewardServices => ({
  models: { scores: () => Promise.reject(new Error('no model')) },
  shared: {
    read: async (path) => files.get(path) ?? null,
    write: async (path, text) => void files.set(path, text),
    create: async () => false,
    list: async () => [],
    remove: async () => {},
  },
  run: 'test',
  resumes: 0,
});

const prompts = ['a', 'b'].map((id) =>
  promptSchema.parse({
    ...{ id, prompt: `# ${id}\n`, language: 'python', entry: 'f' },
    ...{ tests: [{ args: [], returns: 1 }], reference: 'def f():\n    return 1\n' },
  }),
);

/** The scores of completions for prompt a, then one for prompt b. */
async function score(config: object, texts = ['one', 'three', 'one', '```python\nfour\n```']) {
  const parsed = await readRewardFiles([rewardSchema.parse({ attempts: 2, ...config })]);
  const rewards = createRewards(parsed, services());
  const asked = texts.map((_, i) => prompts[i === texts.length - 1 ? 1 : 0]!);
  const scores = await scoreCompletions(asked, texts, rewards);
  return scores.map(({ rewards }) => Object.values(rewards)[0]!);
}
const valuesOf = async (...given: Parameters<typeof score>) =>
  (await score(...given)).map(({ value }) => value);

let modules = 0;
async function moduleOf(source: string, extension = 'mjs'): Promise<object> {
  const path = join(folder, `reward-${++modules}.${extension}`);
  await writeFile(path, source);
  return { kind: 'function', path };
}

/** The length of the program, as each kind computes it. */
const lengths = [0.03, 0.05, 0.03, 0.05];

const calls: RewardItem[][] = [];
let server: Server;
let answer: (items: RewardItem[]) => { status?: number; body: unknown };
beforeAll(async () => {
  server = createServer(async (request, response) => {
    const { items } = (await json(request)) as { items: RewardItem[] };
    calls.push(items);
    const { status = 200, body } = answer(items);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => void server.close());
const service = () => {
  const { port } = server.address() as { port: number };
  return { kind: 'http', url: `http://127.0.0.1:${port}/score` };
};
const byLength = (items: RewardItem[]) => ({
  body: { scores: items.map(({ program }) => program.length / 100) },
});

const python = `
import json, sys
for line in sys.stdin:
    print(json.dumps(len(json.loads(line)['program']) / 100))
`;

describe('scores', () => {
  it('a function in JavaScript', async () => {
    const config = await moduleOf(
      'export default (items) => items.map(({ program }) => program.length / 100);',
    );
    expect(await valuesOf(config)).toEqual(lengths);
  });

  it('an async function in TypeScript, with criteria, notes and missing scores', async () => {
    const config = await moduleOf(
      `interface Item { id: string; completion: string; tests: unknown[] }
      export default async (items: Item[]) => items.map(({ id, completion, tests }) =>
        completion === 'three' ? null : { score: tests.length / 2, criteria: { short: 1 }, note: id });`,
      'ts',
    );
    expect(await score(config)).toMatchObject([
      { value: 0.5, criteria: { short: 1 }, note: 'a' },
      { value: null, criteria: {} },
      { value: 0.5, note: 'a' },
      { value: 0.5, note: 'b' },
    ]);
  });

  it('a service, in batches of distinct completions', async () => {
    calls.length = 0;
    answer = byLength;
    expect(await valuesOf({ ...service(), batch_size: 2, concurrency: 1 })).toEqual(lengths);
    expect(calls.map((items) => items.map(({ id, program }) => `${id} ${program}`))).toEqual([
      ['a one', 'a three'],
      ['b four\n'],
    ]);
    expect(calls[1]![0]).toEqual({
      ...{ id: 'b', prompt: '# b\n', language: 'python', entry: 'f', program: 'four\n' },
      ...{ completion: '```python\nfour\n```', reference: 'def f():\n    return 1\n' },
      tests: [{ args: [], returns: 1 }],
    });
  });

  it('a program', async () => {
    const path = join(folder, 'reward.py');
    await writeFile(path, python);
    expect(await valuesOf({ kind: 'command', command: ['python3', path] })).toEqual(lengths);
  });
});

describe('answers are kept', () => {
  it('so that a retry gives the same, until the version changes', async () => {
    const config = await moduleOf(
      'let calls = 0;\nexport default (items) => { calls++; return items.map(() => calls / 10); };',
    );
    expect(await valuesOf(config)).toEqual([0.1, 0.1, 0.1, 0.1]);
    expect(await valuesOf(config)).toEqual([0.1, 0.1, 0.1, 0.1]);
    expect(await valuesOf({ ...config, version: '2' })).toEqual([0.2, 0.2, 0.2, 0.2]);
    expect(files.size).toBe(2);
    for (const path of files.keys()) files.set(path, 'damaged');
    expect(await valuesOf(config)).toEqual([0.3, 0.3, 0.3, 0.3]);
  });

  it('by the name that a sample refers to', async () => {
    answer = byLength;
    const [first] = await score(service());
    const key = first!.kept!;
    expect([...files.keys()]).toEqual([`verdicts/${key.slice(0, 2)}/${key}.json`]);
  });
});

describe('faults', () => {
  it('are retried', async () => {
    let failures = 1;
    answer = (items) => (failures-- > 0 ? { status: 503, body: 'busy' } : byLength(items));
    expect(await valuesOf(service())).toEqual(lengths);
  });

  it.each([
    ['a status', () => ({ status: 500, body: 'out of memory' }), /failed 2 times: .*500: out of m/],
    ['no JSON', () => ({ body: '<html>' }), /failed 2 times: SyntaxError/],
  ])('of a service hold the run: %s', async (_, given, message) => {
    answer = given;
    await expect(score(service())).rejects.toMatchObject({
      kind: 'JudgeStopped',
      message: expect.stringMatching(message),
    });
  });

  it.each([
    ['no list', {}, /expected 3 scores in a list.*found no list/],
    ['too few', { scores: [1] }, /found 1 of them/],
    ['a score beyond 1', { scores: [0, 1.5, 0] }, /found 1.5 at place 2/],
    ['a text', { scores: [0, 0, 'good'] }, /found "good" at place 3/],
    ['a criterion beyond 1', { scores: [0, 0, { score: 1, criteria: { a: 2 } }] }, /at place 3/],
  ])('of answers hold the run at once: %s', async (_, body, message) => {
    calls.length = 0;
    answer = () => ({ body });
    await expect(score(service())).rejects.toMatchObject({
      kind: 'JudgeStopped',
      message: expect.stringMatching(message),
    });
    expect(calls).toHaveLength(1);
  });

  it.each([
    ['throws', 'export default () => { throw new Error("no GPU") };', /failed 2 times: .*no GPU/],
    ['never answers', 'export default () => new Promise(() => {});', /no answer within 0.1 s/],
    ['is none', 'export const score = 1;', /default export is a function.*found none/],
    ['is no module', 'export default (', /cannot be imported/],
  ])('of a function: %s', async (_, source, message) => {
    const config = { ...(await moduleOf(source)), time_limit_s: 0.1 };
    await expect(score(config)).rejects.toThrow(message);
  });

  it.each([
    ['an exit code', 'import sys; sys.exit("broken")', 60, /failed 2 times: .*exit 1: broken/],
    ['no lines', '', 60, /expected 3 scores.*found 0 of them/],
    ['no end', 'import time; time.sleep(60)', 0.2, /no answer within 0.2 s/],
  ])('of a program: %s', async (_, source, time_limit_s, message) => {
    const command = ['python3', '-c', source];
    await expect(score({ kind: 'command', command, time_limit_s })).rejects.toThrow(message);
  });

  it('of a program that does not exist', async () => {
    const command = [join(folder, 'missing')];
    await expect(score({ kind: 'command', command })).rejects.toThrow(/ENOENT/);
  });

  it('more missing scores than are allowed', async () => {
    const config = await moduleOf('export default (items) => items.map(() => null);');
    expect(await valuesOf(config)).toEqual([null, null, null, null]);
    await expect(score({ ...config, max_missing: 0.5 })).rejects.toMatchObject({
      kind: 'JudgeStopped',
    });
  });
});

describe('code of a run file', () => {
  it('runs only where the worker allows it', async () => {
    vi.stubEnv('ANNEAL_ALLOW_CODE', '');
    for (const config of [
      await moduleOf('export default () => { throw new Error("ran") };'),
      { kind: 'command', command: ['python3', '-c', ''] },
    ])
      await expect(score(config)).rejects.toThrow(/expected a worker that runs code named in run/);
  });

  it('is the module that the run began with', async () => {
    const config = await moduleOf('export default (items) => items.map(() => 1);');
    const parsed = await readRewardFiles([rewardSchema.parse(config)]);
    expect(parsed[0]).toMatchObject({ sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    await writeFile((config as { path: string }).path, 'export default () => [];');
    const changed = scoreCompletions([prompts[0]!], ['x'], createRewards(parsed, services()));
    await expect(changed).rejects.toThrow(/expected the module .* that the run began with/);
  });

  it('gets no secrets of the worker', async () => {
    vi.stubEnv('OPENAI_API_KEY', 'sk-planted');
    const source = 'import os, sys; sys.exit(" ".join(os.environ.values()))';
    const error = await score({ kind: 'command', command: ['python3', '-c', source] }).catch(
      (thrown: Error) => thrown,
    );
    expect(String(error)).toMatch(/exit 1/);
    expect(String(error)).not.toContain('sk-planted');
  });
});
