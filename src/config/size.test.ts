import { describe, expect, test } from 'vitest';
import { resolveConfig } from './load.ts';
import { checkBytes, checkRunSize, mostSettingsBytes } from './size.ts';

const file = {
  model: { path: 'm' },
  prompts: { train: 'a', held_out: 'b' },
  phases: [{ name: 'only', epochs: [1, 2] }],
};
const criterion = (description: string) => ({ name: 'one', description });
const judge = (rubric: unknown) => ({
  rewards: [{ kind: 'judge', base_url: 'http://a', model: 'm', rubric }],
});
const long = 'é'.repeat(mostSettingsBytes / 2);

describe('a run file that is too large is refused', () => {
  test.each([
    ['rewards.0.rubric.instructions', judge({ instructions: long, criteria: [criterion('x')] })],
    ['rewards.0.rubric.criteria.0.description', judge({ criteria: [criterion(long)] })],
    ['rlaif.stop_strings', { rlaif: { stop_strings: Array(50_000).fill('stop here') } }],
    [
      'model.prompt_format.system',
      { model: { path: 'm', prompt_format: { kind: 'chat', system: long } } },
    ],
    ['prompts.train', { prompts: { train: long, held_out: 'b' } }],
    [
      'phases.1.rlaif.kl_penalty.values',
      {
        phases: [
          ...file.phases,
          {
            name: 'steps',
            epochs: [3, 100_000],
            rlaif: { kl_penalty: { ramp: 'step', values: Array(90_000).fill(0.25) } },
          },
        ],
      },
    ],
    [
      'phases',
      {
        phases: Array.from({ length: 3000 }, (_, i) => ({
          name: `phase-${i}`,
          epochs: [i, i],
          rlaif: { kl_penalty: 0.1, top_p: 0.9, max_new_tokens: 64 },
        })),
      },
    ],
  ])('%s is named', (path, change) => {
    const config = resolveConfig({ ...file, ...change });
    const { length } = Buffer.from(JSON.stringify(config));
    expect(() => checkRunSize(config, 'run file')).toThrow(
      `run file: ${path}: expected at most ${mostSettingsBytes} bytes of JSON for all settings`,
    );
    expect(() => checkRunSize(config, 'run file')).toThrow(`found ${length}, of which `);
  });

  test('by what is sent with each shard, if there are many', () => {
    const rubric = { criteria: [criterion('x'.repeat(50_000))] };
    const config = (prompts: number, inPhase: number) =>
      resolveConfig({
        ...file,
        ...judge(rubric),
        engine: { shard_prompts: 2 },
        rlaif: { prompts_per_epoch: prompts },
        phases: [{ name: 'only', epochs: [1, 2], rlaif: { prompts_per_epoch: inPhase } }],
      });
    checkRunSize(config(1000, 100), 'run file');
    expect(() => checkRunSize(config(100, 1000), 'run file')).toThrow(
      /run file: rewards.0.rubric.criteria.0.description: .* each of the 500 shards/,
    );
  });
});

test('an ordinary run file is small', () => {
  expect(() => checkRunSize(resolveConfig(file), 'run file')).not.toThrow();
});

test('of many parts of one size, the largest is named', () => {
  const runs = ['xx', 'xxx', 'xx'].map((text) => text.repeat(1000));
  expect(() => checkBytes({ ...runs }, 5000, 'here', 'all')).toThrow(/^here: 1: .* 3002 here/);
});
