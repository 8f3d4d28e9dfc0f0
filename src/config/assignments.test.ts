import { expect, test } from 'vitest';
import { applyAssignments, parseAssignment, shadowedAssignments } from './assignments.ts';
import { resolveConfig } from './load.ts';

const data = { phases: [{ name: 'hot', epochs: [1, 2] }, { name: 'cool' }] };
const apply = (...flags: string[]) => applyAssignments(data, flags.map(parseAssignment));

test('a value is parsed as YAML', () => {
  const values = ['a=0.05', 'a=true', 'a=null', 'a=[1, 2]', 'a=x=y', 'a='].map(
    (flag) => parseAssignment(flag).value,
  );
  expect(values).toEqual([0.05, true, null, [1, 2], 'x=y', null]);
});

test('missing mappings are created, and the input is unchanged', () => {
  expect(apply('rlaif.kl_penalty=1')).toEqual({ ...data, rlaif: { kl_penalty: 1 } });
  expect(data).not.toHaveProperty('rlaif');
});

test('an entry of a list is addressed by its name or index', () => {
  expect(apply('phases.cool.rlaif.kl_penalty=1')).toHaveProperty('phases.1.rlaif.kl_penalty', 1);
  expect(apply('phases.0.epochs.1=5')).toHaveProperty('phases.0.epochs', [1, 5]);
});

test.each([
  ['rlaif.kl_penalty', /expected key\.path=value/],
  ['=1', /expected key\.path=value/],
  ['a=[1', /not valid YAML/],
  ['phases.cold.epochs=1', /expected the name of an entry or an index below 2, found 'cold'/],
  ['phases.0.name.x=1', /expected the path to lead through mappings and lists, found "hot"/],
])('%s is refused', (flag, message) => {
  expect(() => apply(flag)).toThrow(message);
});

test('an assignment that phases override is reported', () => {
  const config = resolveConfig({
    model: { path: 'x' },
    prompts: { train: 'a', held_out: 'b' },
    phases: [{ name: 'hot', epochs: [1, 2], rlaif: { kl_penalty: 0 } }],
  });
  const flags = ['rlaif.kl_penalty=1', 'rlaif.clip_low=0.1', 'seed=1'].map(parseAssignment);
  expect(shadowedAssignments(flags, config)).toEqual([
    { key: 'rlaif.kl_penalty', phases: ['hot'] },
  ]);
});
