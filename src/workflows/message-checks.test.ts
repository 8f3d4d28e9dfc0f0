import { describe, expect, test } from 'vitest';
import { checkAdjustment, problemOfReason, problemOfResumes } from './message-checks.ts';

describe('an adjustment', () => {
  test.each([{ rlaif: { kl_penalty: 0.1 } }, { training: {}, rlaif: { stop_strings: ['a'] } }])(
    '%j is well formed',
    (change) => {
      expect(() => checkAdjustment(change)).not.toThrow();
    },
  );

  test.each([
    [undefined, 'found nothing'],
    [null, 'found null'],
    [[], 'found []'],
    ['rlaif', 'found "rlaif"'],
    [{}, 'found {}'],
    [{ rlaif: [] }, 'found {"rlaif":[]}'],
    [{ rlaif: null }, 'found {"rlaif":null}'],
    [{ rlaif: { kl_penalty: 1 }, seed: 1 }, '"seed":1}'],
    [JSON.parse('{"__proto__": {"rlaif": {}}}'), 'found {"__proto__"'],
    [{ rlaif: { stop_strings: Array(10_000).fill('stop here') } }, 'at most 65536 characters of'],
    [{ kl_penalty: 'x'.repeat(1000) }, 'x…'],
  ])('%j is refused', (change, found) => {
    expect(() => checkAdjustment(change)).toThrow(found);
  });
});

test.each(['', 'the key was refused', 'x'.repeat(10_000)])('a reason is valid: %.10s', (reason) => {
  expect(problemOfReason(reason)).toBeNull();
});

test.each([undefined, null, 1, ['x'], { reason: 'x' }, 'x'.repeat(10_001)])(
  'no reason: %.10j',
  (reason) => {
    const problem = problemOfReason(reason);
    expect(problem).toContain('expected a reason of at most 10000 characters, found ');
    expect(problem!.length).toBeLessThan(200);
  },
);

test.each([0, 1, 100_000])('a count of resumes is valid: %s', (resumes) => {
  expect(problemOfResumes(resumes)).toBeNull();
});

test.each([undefined, null, -1, 1.5, Number.NaN, '2', [1], 1e9, 2 ** 53])(
  'no count of resumes: %s',
  (resumes) => {
    expect(problemOfResumes(resumes)).toContain('expected a whole number from 0 to 100000, found ');
  },
);
