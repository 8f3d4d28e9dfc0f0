import { expect, test } from 'vitest';
import { allKeys } from './json-schema.ts';
import { type Ramp, rampAt, wholeNumberKeys } from './ramp.ts';

const over = (ramp: Ramp, first: number, last: number, key = 'kl_penalty') =>
  Array.from({ length: last - first + 1 }, (_, i) => rampAt(key, ramp, [first, last], first + i));

test.each<[string, Ramp, number[]]>([
  ['linear', { ramp: 'linear', from: 1.3, to: 1 }, [1.3, 1.225, 1.15, 1.075, 1]],
  ['cosine', { ramp: 'cosine', from: 0, to: 2 }, [0, 0.292893218813, 1, 1.70710678119, 2]],
  ['step', { ramp: 'step', values: [3, 1] }, [3, 3, 3, 1, 1]],
  ['step', { ramp: 'step', values: [5, 4, 3, 2, 1] }, [5, 4, 3, 2, 1]],
])('%s %j over epochs 8 to 12', (_name, ramp, expected) => {
  expect(over(ramp, 8, 12)).toEqual(expected);
});

test('a phase of one epoch has the first value', () => {
  expect(over({ ramp: 'linear', from: 2, to: 3 }, 4, 4)).toEqual([2]);
  expect(over({ ramp: 'cosine', from: 2, to: 3 }, 4, 4)).toEqual([2]);
  expect(over({ ramp: 'step', values: [7] }, 4, 4)).toEqual([7]);
});

test('counts stay whole numbers', () => {
  expect(over({ ramp: 'linear', from: 8, to: 4 }, 1, 4, 'num_samples_per_prompt')).toEqual([
    8, 7, 5, 4,
  ]);
});

test('the whole-number keys are those of the schema', () => {
  const whole = allKeys()
    .filter(({ path }) => /^(rlaif|training)\./.test(path))
    .filter(({ schema }) => [schema, ...(schema.anyOf ?? [])].some((s) => s.type === 'integer'))
    .map(({ path }) => path.split('.')[1]);
  expect([...wholeNumberKeys].sort()).toEqual(whole.sort());
});
