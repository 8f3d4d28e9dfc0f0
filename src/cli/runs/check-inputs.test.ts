import { expect, it } from 'vitest';
import { resolveConfig } from '../../config/load.ts';
import { inputPathsOf } from './check-inputs.ts';

it('lists everything that a run file names', () => {
  const config = resolveConfig({
    model: { path: '/a/model', reference: '/a/reference' },
    prompts: { train: '/a/train', held_out: '/a/held-out' },
    resume_from: 's3://a/checkpoint',
    rewards: [
      { kind: 'reward_model', path: '/a/reward' },
      { kind: 'judge', base_url: 'http://localhost:1', model: 'm', rubric: '/a/rubric' },
      { kind: 'rubric' },
    ],
    phases: [{ name: 'only', epochs: [1, 1] }],
  });
  // Whatever else in a file looks like a path would have to be listed too.
  const values = JSON.stringify(config)
    .match(/"(\/|s3:\/\/)a[^"]*"/g)!
    .map((text) => JSON.parse(text));
  expect(values.length).toBe(7);
  expect(inputPathsOf(config).sort()).toEqual(values.sort());
});

it('leaves out what a run file does not name', () => {
  const config = resolveConfig({
    model: { path: 'model' },
    prompts: { train: 'train', held_out: 'held-out' },
    phases: [{ name: 'only', epochs: [1, 1] }],
  });
  expect(inputPathsOf(config)).toEqual(['train', 'held-out', 'model']);
});
