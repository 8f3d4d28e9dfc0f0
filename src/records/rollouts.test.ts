import { describe, expect, it } from 'vitest';
import { isConstant } from './rollouts.ts';

describe('a constant group', () => {
  it('has a spread of at most 1e-6', () => {
    expect(isConstant([0.5, 0.5 + 5e-7, 0.5])).toBe(true);
    expect(isConstant([0.5, 0.5 + 2e-6])).toBe(false);
  });
  it('is not [1, 0, 0, 0]', () => expect(isConstant([1, 0, 0, 0])).toBe(false));
});
