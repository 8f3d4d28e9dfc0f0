import { mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { type LoadOptions, loadRunFile, resolveConfig } from './load.ts';
import { packageRoot } from './paths.ts';

const folder = await mkdtemp(join(tmpdir(), 'anneal-config-'));
const runFile = {
  model: { path: 'models/policy' },
  prompts: { train: 'a.jsonl', held_out: 'b.jsonl' },
  rlaif: { kl_penalty: 0.2 },
  phases: [
    { name: 'exploration', epochs: [8, 10], rlaif: { kl_penalty: 0.05 } },
    { name: 'refinement', epochs: [11, 15] },
  ],
};

const stepRamp = { ramp: 'step', values: [32, 64] };

async function load(content: unknown, options?: LoadOptions) {
  const file = join(folder, 'run.yaml');
  await writeFile(file, typeof content === 'string' ? content : stringify(content));
  return loadRunFile(file, options);
}

/** The message of the InvalidConfig error that loading ends with. */
async function problem(content: unknown, options?: LoadOptions): Promise<string> {
  const error = await load(content, options).catch((error: unknown) => error);
  expect(error).toMatchObject({ kind: 'InvalidConfig' });
  return (error as Error).message;
}

describe('a good run file', () => {
  test('is completed with defaults', async () => {
    const config = await load(runFile);
    expect(config.rlaif).toMatchObject({ kl_penalty: 0.2, generation_temperature: 1 });
    expect(config.rewards[0]).toMatchObject({ criteria: { correctness: 0.3, documentation: 0.2 } });
    expect(config.phases[0]?.rlaif).toEqual({ kl_penalty: 0.05 });
  });

  test('is overridden by flags, which keep their types', async () => {
    const set = ['rlaif.reward_threshold=0.2', 'phases.refinement.epochs=[11, 12]', 'seed=3'];
    const config = await load(runFile, { set, overrides: { seed: 7, name: undefined } });
    expect(config.rlaif.reward_threshold).toBe(0.2);
    expect(config.phases[1]?.epochs).toEqual([11, 12]);
    expect(config.seed).toBe(7);
    expect(config.name).toBe('run');
  });

  test('sets how prompts become tokens', async () => {
    expect((await load(runFile)).model.prompt_format).toEqual({
      kind: 'plain',
      bos: false,
      fences: true,
    });
    const set = ['model.prompt_format.kind=chat', 'model.prompt_format.fences=false'];
    const chat = { kind: 'chat', system: null, prefill: '', fences: false };
    expect((await load(runFile, { set })).model.prompt_format).toEqual(chat);
  });

  test('takes ramps for numbers in a phase, also from a flag', async () => {
    const flag = '{from: 1.3, to: 1.0, ramp: linear}';
    const config = await load(withPhase({ training: { batch_size: stepRamp } }), {
      set: [`phases.exploration.rlaif.generation_temperature=${flag}`],
    });
    expect(config.phases[0]?.rlaif).toEqual({
      kl_penalty: 0.05,
      generation_temperature: { from: 1.3, to: 1, ramp: 'linear' },
    });
    expect(config.phases[1]?.training.batch_size).toEqual(stepRamp);
  });

  test('is unchanged when it is resolved again', async () => {
    const config = await load(withPhase({ training: { batch_size: stepRamp } }));
    expect(resolveConfig(JSON.parse(JSON.stringify(config)))).toEqual(config);
  });

  test('has names as long as those of files', async () => {
    const rewards = [{ kind: 'rubric', name: `${'ü'.repeat(127)}a` }];
    const phases = [{ name: 'p'.repeat(255), epochs: [1, 1] }];
    const config = await load({ ...runFile, name: 'n'.repeat(255), rewards, phases });
    expect(config.name).toHaveLength(255);
  });

  test('can be JSON', async () => {
    expect(await load(JSON.stringify(runFile))).toEqual(await load(runFile));
  });
});

describe('a bad run file is refused', () => {
  const cases: [string, unknown, RegExp][] = [
    [
      'unknown key',
      { ...runFile, rlaif: { kl_penality: 1 } },
      /rlaif\.kl_penality: unknown key; did you mean 'kl_penalty'\? \(line 7\)/,
    ],
    [
      'key of another section',
      { ...runFile, kl_penalty: 1 },
      /kl_penalty: unknown key; did you mean 'rlaif\.kl_penalty'\?/,
    ],
    [
      'key unlike any other',
      { ...runFile, model: { path: 'x', zzzzzzzz: 1 } },
      /model\.zzzzzzzz: unknown key; known here: path, reference/,
    ],
    [
      'unknown key in a phase',
      withPhase({ rlaif: { temperature: 1 } }),
      /phases\.1\.rlaif\.temperature: unknown key; did you mean 'generation_temperature'\?/,
    ],
    [
      'unknown key in a reward',
      { ...runFile, rewards: [{ kind: 'rubric', criteria: { corectness: 1 } }] },
      /did you mean 'correctness'\?/,
    ],
    [
      'unknown kind of reward',
      { ...runFile, rewards: [{ kind: 'oracle' }] },
      /rewards\.0\.kind: expected rubric or reward_model or judge or function or http or command, found "oracle"/,
    ],
    [
      'a name of a reward that would be a path',
      { ...runFile, rewards: [{ kind: 'rubric', name: '../rubric' }] },
      /rewards\.0\.name: expected a name without slashes, found "\.\.\/rubric"/,
    ],
    [
      'rewards that all have weight 0',
      { ...runFile, rewards: [{ kind: 'rubric', weight: 0 }] },
      /rewards: expected at least one with a weight above 0/,
    ],
    [
      'a refit by an unknown reward',
      withRefit('rubrik'),
      /rewards\.0\.refit\.judge: expected the name of another reward \(rubric\), found 'rubrik'/,
    ],
    [
      'a refit on samples that retention deletes',
      { ...withRefit('rubric'), retention: { keep_samples: 1 } },
      /retention\.keep_samples: expected at least \d+, the epochs of the longest phase/,
    ],
    [
      'a refit by the reward model itself',
      withRefit('reward_model'),
      /refit\.judge: expected the name of another reward \(rubric\), found 'reward_model'/,
    ],
    [
      'unknown kind of prompt format',
      withFormat({ kind: 'chatml' }),
      /model\.prompt_format\.kind: expected plain or chat, found "chatml"/,
    ],
    [
      'no kind of prompt format',
      withFormat({ bos: true }),
      /model\.prompt_format\.kind: expected plain or chat, found nothing/,
    ],
    [
      'key of another kind of prompt format',
      withFormat({ kind: 'plain', system: 'x' }),
      /model\.prompt_format\.system: unknown key; it belongs to kind chat/,
    ],
    [
      'KL below 0',
      { ...runFile, rlaif: { kl_penalty: -0.1 } },
      /rlaif\.kl_penalty: expected a number of at least 0, found -0\.1 \(line 7\)/,
    ],
    [
      'overlapping phases',
      withPhase({ epochs: [10, 15] }),
      /phases\.1\.epochs: overlaps phase 'exploration', which ends at epoch 10/,
    ],
    [
      'a gap between phases',
      withPhase({ epochs: [12, 15] }),
      /phases\.1\.epochs: leaves a gap after phase 'exploration'/,
    ],
    [
      'a ramp outside the phases',
      { ...runFile, rlaif: { kl_penalty: { ramp: 'linear', from: 0, to: 1 } } },
      /rlaif\.kl_penalty: expected a number of at least 0, found \{"ramp"/,
    ],
    [
      'a ramp for a key that is not a number',
      withPhase({ rlaif: { algorithm: stepRamp } }),
      /phases\.1\.rlaif\.algorithm: expected one of reinforce, .*found \{"ramp"/,
    ],
    [
      'a string for a ramp',
      withPhase({ rlaif: { top_k: 'linear' } }),
      /phases\.1\.rlaif\.top_k: expected a whole number above 0 or null or a ramp, found "linear"/,
    ],
    [
      'a typo in a ramp',
      withPhase({ rlaif: { kl_penalty: { ramp: 'linear', form: 1, to: 0 } } }),
      /phases\.1\.rlaif\.kl_penalty\.form: unknown key; did you mean 'from'\?/,
    ],
    [
      'a ramp without its end',
      withPhase({ rlaif: { top_k: { ramp: 'linear', from: 1 } } }),
      /phases\.1\.rlaif\.top_k\.to: expected a number, found nothing/,
    ],
    [
      'an unknown ramp',
      withPhase({ rlaif: { kl_penalty: { ramp: 'liner', from: 1, to: 0 } } }),
      /phases\.1\.rlaif\.kl_penalty\.ramp: expected linear or cosine or step, found "liner"/,
    ],
    [
      'values of another ramp',
      withPhase({ rlaif: { kl_penalty: { ramp: 'linear', from: 1, to: 0, values: [1] } } }),
      /phases\.1\.rlaif\.kl_penalty\.values: unknown key; it belongs to ramp step/,
    ],
    [
      'a ramp out of range',
      withPhase({ rlaif: { kl_penalty: { ramp: 'linear', from: 0.1, to: -0.1 } } }),
      /phases\.1\.rlaif\.kl_penalty: expected a number of at least 0, found -0\.05 in epoch 14 of phase 'refinement'/,
    ],
    [
      'more steps than epochs',
      withPhase({ rlaif: { kl_penalty: { ramp: 'step', values: [1, 2, 3, 4, 5, 6] } } }),
      /kl_penalty\.values: expected at most 5, one for each epoch of phase 'refinement', found 6/,
    ],
    [
      'a string for a number',
      { ...runFile, seed: 'one' },
      /seed: expected a whole number from 0 to 4294967295, found "one"/,
    ],
    [
      'a KL placement that destabilises',
      { ...runFile, rlaif: { kl_placement: 'k1_loss' } },
      /kl_placement: expected one of k2_loss, k1_reward, found "k1_loss": the gradient of k1 .*zero/,
    ],
    [
      'a KL target with the penalty in the reward',
      { ...runFile, rlaif: { kl_placement: 'k1_reward', kl_target: 0.05 } },
      /rlaif\.kl_target: expected kl_placement k2_loss/,
    ],
    [
      'a name too long for a folder',
      { ...runFile, name: 'n'.repeat(256) },
      /name: expected at most 255 bytes, the longest name of a file, found 256 \(line \d+\)/,
    ],
    [
      'a name of a phase too long for an id',
      withPhase({ name: 'n'.repeat(1000) }),
      /phases\.1\.name: expected at most 255 bytes, .* found 1000/,
    ],
    [
      'a name of a reward too long for a folder, in bytes',
      { ...runFile, rewards: [{ kind: 'rubric', name: 'ü'.repeat(128) }] },
      /rewards\.0\.name: expected at most 255 bytes, .* found 128 characters in 256 bytes/,
    ],
    [
      'more shards than a workflow can have',
      { ...runFile, engine: { shard_prompts: 1 }, evaluation: { prompts: 1000 } },
      /engine\.shard_prompts: expected at least 2, .* samples 2000 prompts; found 1/,
    ],
    [
      'an epoch out of reach',
      withPhase({ epochs: [11, 1e12] }),
      /phases\.1\.epochs\.1: expected a whole number from 0 to 100000, found 1000000000000/,
    ],
    [
      'more samples than a machine holds',
      { ...runFile, rlaif: { num_samples_per_prompt: 1e9 } },
      /rlaif\.num_samples_per_prompt: expected a whole number above 0 and at most 10000, found 1000000000/,
    ],
    [
      'a missing section',
      { ...runFile, model: undefined },
      /model: expected a mapping of path, reference, lora, prompt_format, found nothing/,
    ],
    [
      'a list for a mapping',
      { ...runFile, model: ['x'] },
      /model: expected a mapping of path, reference, lora, prompt_format, found \["x"\]/,
    ],
    [
      'an empty file',
      '',
      /expected a mapping with at least model, prompts and phases, found nothing/,
    ],
    ['only a comment', '# nothing\n', /found nothing/],
    ['a list', '- 1\n', /found a list/],
    ['broken YAML', 'model:\n  path: "x\n', /run\.yaml:3:1: /],
    ['a key given twice', 'name: a\nname: b\n', /run\.yaml:2:1: .*unique/],
  ];
  test.each(cases)('%s', async (_name, content, expected) => {
    const message = await problem(content);
    expect(message).toMatch(expected);
    expect(message).toContain(join(folder, 'run.yaml'));
  });

  test('with all problems at once', async () => {
    const message = await problem({ ...runFile, seed: -1, model: {}, rlaif: { klp: 1 } });
    expect(message).toContain('3 problems');
  });

  test.each([
    ['rlaif.top_p=1.5', 'rlaif.top_p: expected a number above 0 and at most 1, found 1.5'],
    ['rlaif.top_p=0,5', 'rlaif.top_p: expected a number above 0 and at most 1, found "0,5"'],
    ['rlaif.top_k=2.5', 'rlaif.top_k: expected a whole number above 0 or null, found 2.5'],
    ['rlaif.kl_penalty=-1', 'rlaif.kl_penalty: expected a number of at least 0, found -1'],
    ['rlaif.mask_truncated=yes', 'rlaif.mask_truncated: expected true or false, found "yes"'],
    ['rlaif.topp=1', "rlaif.topp: unknown key; did you mean 'top_p'?"],
    ['rlaf.top_p=1', "rlaf: unknown key; did you mean 'rlaif'?"],
    ['model=x', 'model: expected a mapping of path, reference, lora, prompt_format, found "x"'],
    ['rlaif.top_p.x=1', 'rlaif.top_p: expected a number above 0 and at most 1, found {"x":1}'],
    [
      'phases.refinement.rlaif.top_p=1.5',
      'phases.1.rlaif.top_p: expected a number above 0 and at most 1 or a ramp, found 1.5',
    ],
    ['phases.refinement.epochs=[1]', 'phases.1.epochs: expected a list of 2: each '],
    ['constructor.x=1', 'constructor: unknown key; known here: name'],
  ])('with the flag named as the source: %s', async (flag, expected) => {
    const message = await problem(runFile, { set: [flag] });
    expect(message).toContain(`1 problem\n  ${expected}`);
    expect(message).toContain(` (set by ${flag})`);
  });

  test('with a flag that has its own name as the source', async () => {
    const message = await problem(runFile, { overrides: { seed: -1 } });
    expect(message).toMatch(/seed: expected .*, found -1 \(set by --seed\)/);
  });

  test('when it cannot be read', async () => {
    await expect(loadRunFile(join(folder, 'none.yaml'))).rejects.toThrow(/none\.yaml: .*ENOENT/);
  });
});

function withRefit(judge: string) {
  const teacher = { kind: 'reward_model', path: 'm', refit: { judge } };
  return { ...runFile, rewards: [teacher, { kind: 'rubric', weight: 0 }] };
}

function withFormat(format: object) {
  return { ...runFile, model: { ...runFile.model, prompt_format: format } };
}

function withPhase(change: object) {
  return { ...runFile, phases: [runFile.phases[0], { ...runFile.phases[1], ...change }] };
}

test('an input that is not a mapping is named by its source', () => {
  expect(() => resolveConfig([], 'workflow input')).toThrow(/^workflow input: .*found a list/);
});

const shipped = (
  await Promise.all(
    ['config', 'examples'].map((name) =>
      readdir(join(packageRoot, name)).then(
        (files) => files.map((file) => join(name, file)),
        () => [],
      ),
    ),
  )
).flat();

test.each(shipped.filter((file) => file.endsWith('.yaml')))('%s loads', async (file) => {
  const config = await loadRunFile(join(packageRoot, file));
  expect(config.phases.length).toBeGreaterThan(0);
});

test('the shipped run files are among those tested', () => {
  expect(shipped).toEqual(
    expect.arrayContaining(['config/two-phase.yaml', 'config/seed-values.yaml']),
  );
});
