// A run file may name any path. A worker reads only what is below its roots, and whatever a file
// holds, the failure that the server stores says nothing of it.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultFailureConverter, defaultPayloadConverter } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeJsonl } from '../../artifacts/jsonl.ts';
import { packageRoot } from '../../config/paths.ts';
import { describeModelFolder } from '../../engine/inference/describe-model-folder.ts';
import { createActivities } from '../index.ts';
import { createModelDouble } from '../model-double.fixture.ts';

const secret = 'hunter2';
const pairs = ['p', 'q'].map((prompt) => ({ prompt, chosen: 'a', rejected: 'b' }));
/** Files of a machine that are no input of a run, each with the secret somewhere else. */
const foreign: Record<string, string> = {
  'a list of accounts': `${secret}:x:0:0:${secret}:/root:/bin/sh\n`,
  'a key in PEM': `-----BEGIN ${secret}-----\nhunter2\n-----END-----\n`,
  'assignments of a shell': `export TOKEN=${secret}\n`,
  'JSON with secret values': JSON.stringify({ auths: { host: { auth: secret } }, id: 7 }),
  'JSON with secret keys': JSON.stringify({ [secret]: 1, [`${secret}2`]: { [secret]: null } }),
  'JSON that is a text': JSON.stringify(secret),
  'JSON that is a list': JSON.stringify([secret, [secret]]),
  'JSON with a name in it': `{"a": ${secret}, "b": 1}`,
  'JSON that ends early': `{"a": "${secret}`,
  'JSON with a key twice': `{"${secret}": 1, "${secret}": 2}`,
  'JSON with secrets of every type': `{"id": "${secret}", "prompt": ["${secret}"], "tests": "${secret}", "language": "${secret}", "entry": {"${secret}": 1}, "reference": 1}`,
  'JSON with what JSON lacks': `{"a": NaN, "b": '${secret}', c: ${secret}, // ${secret}\n}`,
  'a list of JSON on many lines': `[\n  {"${secret}": "${secret}"},\n  {"${secret}": 2}\n]\n`,
  'a mark of the byte order': `\uFEFF${secret}=1\n`,
  'a table': `${secret},b\n1,${secret}\n`,
  'bytes that are no text': `\0\x01${secret}\x7f\uFFFD\n`,
  'a nest of lists': `${'['.repeat(20_000)}"${secret}"`,
  'a secret prototype': `{"__proto__": {"${secret}": "${secret}"}}`,
  'YAML with secret keys': `${secret}: 1\nother: {${secret}: 2}\n`,
  'YAML with an alias': `token: *${secret}\n`,
  'YAML that is broken': `- ${secret}\n${secret}: ${secret}\n  - "${secret}\n`,
  'YAML with a tag': `token: !${secret} x\n`,
};

let folder: string;
const at = (path: string) => join(folder, path);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anneal-foreign-'));
  await writeFile(at('pairs.jsonl'), encodeJsonl(pairs));
  for (const [index, text] of Object.values(foreign).entries()) {
    await writeFile(at(`${index}.txt`), text);
    await mkdir(at(`${index}`));
    for (const name of [
      'config.json',
      'checkpoint.json',
      'trainer_state.json',
      'adapter_config.json',
    ])
      await writeFile(at(`${index}/${name}`), text);
  }
});
afterAll(() => rm(folder, { recursive: true }));

const data = (name: string) => join(packageRoot, 'data', name);
const runFile = () => ({
  model: { path: join(packageRoot, 'models/policy') },
  prompts: { train: data('train.jsonl'), held_out: data('held-out.jsonl') },
  phases: [{ name: 'only', epochs: [5, 9] }],
});
const judge = { kind: 'judge', base_url: 'http://127.0.0.1:1', model: 'm' };

/** Every setting that names a file (`.txt`) or a folder, with `path` in it. */
const settings: Record<string, (path: string) => object> = {
  'prompts.train': (path) => ({ prompts: { ...runFile().prompts, train: `${path}.txt` } }),
  'prompts.held_out': (path) => ({ prompts: { ...runFile().prompts, held_out: `${path}.txt` } }),
  'rewards.rubric': (path) => ({ rewards: [{ ...judge, rubric: `${path}.txt` }] }),
  'model.path': (path) => ({ model: { path } }),
  'model.reference': (path) => ({ model: { ...runFile().model, reference: path } }),
  'rewards.path': (path) => ({ rewards: [{ kind: 'reward_model', path }] }),
  resume_from: (path) => ({ resume_from: path }),
};

const rewardModelFile = () => ({ base: data('none'), pairs: data('none'), out: at('model') });
/** The same for the file of a reward model's training. */
const trainingSettings: Record<string, (path: string) => object> = {
  base: (path) => ({ ...rewardModelFile(), pairs: at('pairs.jsonl'), base: path }),
  pairs: (path) => ({ ...rewardModelFile(), pairs: `${path}.txt` }),
  held_out: (path) => ({ ...rewardModelFile(), pairs: at('pairs.jsonl'), held_out: `${path}.txt` }),
};

/** A failure as the server stores it. */
async function failureOf(
  activity: 'prepare' | 'prepareRewardModel',
  file: object,
  allowPaths: string[],
): Promise<string> {
  const models = {
    ...createModelDouble([]),
    inspect: (job: { model: string }) => describeModelFolder(job.model),
  };
  const activities = createActivities({ runsDir: at('runs'), allowPaths, models });
  const env = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
  const input = { run: 'test', execution: 'x', file };
  const error = await env
    .run(async () => void (await activities[activity](input)))
    .then(
      () => expect.fail('expected a refusal'),
      (thrown) => thrown,
    );
  return JSON.stringify(defaultFailureConverter.errorToFailure(error, defaultPayloadConverter));
}

const cases = [
  ...Object.entries(settings).map(
    ([setting, of]) =>
      [setting, 'prepare', (path: string) => ({ ...runFile(), ...of(path) })] as const,
  ),
  ...Object.entries(trainingSettings).map(
    ([setting, of]) => [`${setting} of a reward model`, 'prepareRewardModel', of] as const,
  ),
];

describe.each(cases)('%s that names', (_setting, activity, fileOf) => {
  it.each(Object.keys(foreign).map((name, index) => [name, index] as const))(
    '%s is refused by name, without its content',
    async (_name, index) => {
      const path = at(`${index}`);
      const failure = await failureOf(activity, fileOf(path), [folder]);
      expect(failure).toContain(path);
      expect(failure).not.toContain(secret);
    },
  );

  it('what is outside of the roots is refused in the same words, whether it exists or not', async () => {
    const [there, missing] = [at('0'), at('none')];
    const [first, second] = [there, missing].map((path) =>
      failureOf(activity, fileOf(path), [at('pairs.jsonl')]),
    );
    expect(await first).toContain('ANNEAL_ALLOW_PATHS');
    expect((await first)!.replaceAll(there, '')).toBe((await second)!.replaceAll(missing, ''));
  });
});

it.each([
  ['prepare', () => ({ ...runFile(), resume_from: 's3://elsewhere/runs/a/checkpoints/epoch-01' })],
  ['prepareRewardModel', () => ({ ...rewardModelFile(), out: '/root/.ssh' })],
  ['prepareRewardModel', () => ({ ...rewardModelFile(), out: at('runs/../model') })],
] as const)('%s reads no other bucket and writes into no other folder', async (activity, file) => {
  expect(await failureOf(activity, file(), [])).toContain('ANNEAL_ALLOW_PATHS');
});
