import { expect, test } from 'vitest';
import { applyAssignments, parseAssignment, shadowedAssignments } from './assignments.ts';
import { resolveConfig } from './load.ts';

const data = { phases: [{ name: 'hot', epochs: [1, 2] }, { name: 'cool' }] };
const apply = (...flags: string[]) =>
  applyAssignments(
    data,
    flags.map((flag) => parseAssignment(flag)),
  ).data;

test('a value is parsed as YAML', () => {
  const values = ['a=0.05', 'a=true', 'a=null', 'a=[1, 2]', 'a=x=y', 'a=""', 'a=~'].map(
    (flag) => parseAssignment(flag).value,
  );
  expect(values).toEqual([0.05, true, null, [1, 2], 'x=y', '', null]);
});

test('missing mappings are created, and the input is unchanged', () => {
  expect(applyAssignments({ a: null }, [parseAssignment('a.b=1')]).data).toEqual({ a: { b: 1 } });
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
  ['rlaif..top_p=1', /expected key\.path=value/],
  ['rlaif.=1', /expected key\.path=value/],
  ['__proto__.x=1', /expected key\.path=value/],
  ['rlaif.top_k=', /--set rlaif\.top_k=: expected a value after '=', found nothing/],
  ['rlaif.top_k= # none', /expected a value after '=', found nothing/],
  ['a=[1', /not valid YAML/],
  [`a=[${'1,'.repeat(1e5)}`, /--set a=\[[1,]{74}…: expected a YAML value/],
  ['phases.cold.epochs=1', /a name \(hot, cool\) or an index below 2 in phases, found 'cold'/],
  ['phases.2.name=x', /a name \(hot, cool\) or an index below 2 in phases, found '2'/],
  ['phases.hot.epochs.2=1', /expected an index below 2 in phases\.0\.epochs, found '2'/],
  ['rewards.0.weight=1', /an entry of rewards, which the run file leaves out .*rewards=\[…\]/],
  ['rlaif.stop_strings.0=x', /as rlaif\.stop_strings=\[…\], found '0'/],
  ['phases.0.name.x=1', /through mappings and lists, found "hot" at phases\.0\.name/],
])('%s is refused', (flag, message) => {
  expect(() => apply(flag)).toThrow(message);
});

test('names of the language itself are keys like any other', () => {
  expect(apply('constructor.prototype.x=1')).toEqual({
    ...data,
    constructor: { prototype: { x: 1 } },
  });
});

test('an assignment that phases override is reported', () => {
  const config = resolveConfig({
    model: { path: 'x' },
    prompts: { train: 'a', held_out: 'b' },
    phases: [{ name: 'hot', epochs: [1, 2], rlaif: { kl_penalty: 0 } }],
  });
  const flags = ['rlaif.kl_penalty=1', 'rlaif.clip_low=0.1', 'seed=1'].map((flag) =>
    parseAssignment(flag),
  );
  expect(shadowedAssignments(flags, config)).toEqual([
    { key: 'rlaif.kl_penalty', phases: ['hot'] },
  ]);
});
